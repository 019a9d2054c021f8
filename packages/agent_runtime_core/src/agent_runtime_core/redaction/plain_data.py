"""Any data as JSON data that holds no secret."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from agent_runtime_core.redaction.secrets import HIDDEN, names_secret, without_secrets

__all__ = ["plain_data"]

_MAX_DEPTH = 20
"""Dicts and lists in each other that are shown; one may even hold itself."""


def plain_data(value: Any) -> Any:
    """JSON data without secrets; what JSON does not know, and what lies too deep, becomes its text.

    Whatever is in a `password` or `api_key` is hidden, numbers too.
    """
    return _plain(value, False, 0)


def _plain(value: Any, secret: bool, depth: int) -> Any:
    if depth < _MAX_DEPTH:
        if isinstance(value, Mapping):
            return {
                without_secrets(_text(key)): _plain(item, secret or names_secret(_text(key)), depth + 1)
                for key, item in value.items()
            }
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], (str, bytes)):
            name = _text(value[0])  # a header, as HTTP libraries keep them
            return [_plain(name, secret, depth + 1), _plain(value[1], secret or names_secret(name), depth + 1)]
        if isinstance(value, (list, tuple, set, frozenset)):
            return [_plain(item, secret, depth + 1) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if secret:
        return HIDDEN
    if isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
        return value
    return without_secrets(_text(value))


def _text(value: Any) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
