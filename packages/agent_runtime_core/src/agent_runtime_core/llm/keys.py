"""Keys as they can be sent: in the header of a request, so in visible characters of ASCII."""

from __future__ import annotations

from typing import Any

from agent_runtime_core.errors import ConfigError

__all__ = ["usable_key"]


def usable_key(key: Any, error: type[ConfigError], what_to_set: str) -> Any:
    """The key without the blanks and line breaks around it, which files and clipboards add; None when there is none.

    What is no text (the SDKs also take functions that fetch a key) passes as it is.

    Args:
        key: The key as it was given or found.
        error: What is raised.
        what_to_set: Where a key belongs, for the error.

    Raises:
        ConfigError: The key holds a character that cannot be sent; the text tells where, and nothing of the key.
    """
    if not isinstance(key, str):
        if key is not None and not callable(key):
            raise error(f"An API key is a text, not {_a_kind(key)}. {what_to_set}")
        return key
    key = key.strip()
    for place, character in enumerate(key, 1):
        if not " " <= character <= "~":
            kind = "a line break or tabulator" if character in "\r\n\t" else "no visible character of ASCII"
            raise error(
                f"The API key cannot be sent: character {place} of {len(key)} is {kind}. "
                f"Copy the key anew. {what_to_set}"
            )
    return key or None


def _a_kind(value: Any) -> str:
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"
