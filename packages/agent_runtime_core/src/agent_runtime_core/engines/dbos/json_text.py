"""JSON data as text that both databases take."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["from_text", "to_text"]

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode
_encode_ascii = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":")).encode

from_text = json.loads


def to_text(value: Any) -> str:
    """Data that was checked, as text; lone surrogates, which no database takes, are written as escapes."""
    text = _encode(value)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _encode_ascii(value)
    return text
