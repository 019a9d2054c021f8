"""Taking secrets out of texts, before they are written down."""

from __future__ import annotations

import re

__all__ = ["without_secrets"]

_HIDDEN = "***"

_PATTERNS = (
    # A header, as text, JSON or a Python dict: all of its value.
    re.compile(r"""(?i)(\b(?:proxy-)?authorization["']?\s*[:=]\s*(?:b?["'])?)(?:[A-Za-z]+\s+)?[^\s"',;})]+"""),
    re.compile(r"(?i)(\bbearer\s+)[A-Za-z0-9._~+/=-]{8,}"),
    # A setting named after what it holds. `prompt_tokens=3` is none: the name must end there.
    re.compile(
        r"""(?ix) ( \b [\w-]* (?: api[_-]?key | secret(?:[_-]?(?:access[_-]?)?key)? | password | passwd
        | (?:access|auth|refresh|session|id)[_-]?token ) ["']? \s* [:=] \s* (?:b?["'])? ) [^\s"',;&})]+"""
    ),
    # The user and password in an address.
    re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@:]*:[^\s/@]+(?=@)"),
)
_KEYS = re.compile(
    r"\b(?:(?:sk|pk|rk)-[A-Za-z0-9_-]{8,}|(?:gsk|hf|xai|gh[pousr])_[A-Za-z0-9]{16,}"
    r"|xai-[A-Za-z0-9]{16,}|AIza[A-Za-z0-9_-]{20,}|AKIA[A-Z0-9]{12,}|xox[abprs]-[A-Za-z0-9-]{8,})"
)


def without_secrets(text: str) -> str:
    """The text with `***` where it holds a key, a password or the value of an `Authorization` header.

    It knows the forms of the well-known vendors and of settings such as `api_key=...`. It is a net, not a licence to
    log requests.
    """
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{_HIDDEN}", text)
    return _KEYS.sub(_HIDDEN, text)
