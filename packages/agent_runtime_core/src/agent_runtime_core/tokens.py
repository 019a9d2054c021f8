"""Token counts by meaning, whatever names a vendor gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["TokenCounts", "read_tokens"]


class TokenCounts(NamedTuple):
    """The tokens of one call or of several."""

    input: int | None
    """All tokens of the request, those read from and written to a cache included; None when nobody counted."""
    output: int | None
    """All tokens of the answer, reasoning included; None when nobody counted."""
    cache_read: int = 0
    """Those of the request that came from the vendor's cache."""
    cache_write: int = 0
    """Those of the request that were put into the vendor's cache."""
    reasoning: int = 0
    """Those of the answer that the model only thought."""


def read_tokens(usage: Any) -> TokenCounts:
    """The counts in a usage, in OpenAI's names or in Anthropic's; what is no whole number counts as absent.

    OpenAI's `prompt_tokens` hold the cached ones, Anthropic's `input_tokens` do not: they are added here.
    """
    if not isinstance(usage, Mapping):
        return TokenCounts(None, None)
    read = _first(usage, "cached_tokens", "cache_read_tokens", "cache_read_input_tokens") or 0
    written = _first(usage, "cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens") or 0
    given = _first(usage, "prompt_tokens")
    if given is None:
        given = _first(usage, "input_tokens")
        if given is not None and ("cache_read_input_tokens" in usage or "cache_creation_input_tokens" in usage):
            given += read + written
    output = _first(usage, "completion_tokens", "output_tokens")
    return TokenCounts(given, output, read, written, _first(usage, "reasoning_tokens") or 0)


def _first(usage: Mapping[str, Any], *names: str) -> int | None:
    """The first of these counts that is there."""
    for name in names:
        count = usage.get(name)
        if isinstance(count, (int, float)) and not isinstance(count, bool) and 0 <= count < 2**62:
            return int(count)
    return None
