"""Copies of JSON-like data, so that a store and its callers share nothing."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

__all__ = ["copied"]

_SHAREABLE = frozenset({str, int, float, bool, type(None)})


def copied(value: Any) -> Any:
    """A deep copy; for dicts, lists and plain values several times as fast as `copy.deepcopy`."""
    kind = value.__class__
    if kind in _SHAREABLE:
        return value
    if kind is dict:
        return {key: copied(item) for key, item in value.items()}
    if kind is list:
        return [copied(item) for item in value]
    return deepcopy(value)
