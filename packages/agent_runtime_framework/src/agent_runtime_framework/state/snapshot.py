"""Undo for a state object: what it held before a tool ran."""

from __future__ import annotations

import copy
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

__all__ = ["StateSnapshot"]

_IMMUTABLE = frozenset(
    {str, int, float, bool, type(None), bytes, complex, date, datetime, time, timedelta, Decimal, UUID}
)


class StateSnapshot:
    """The values of a state object at the moment of construction.

    Values that cannot change are kept as they are, all others are copied deeply. A value that cannot be copied
    (a lock, a connection) is kept as it is: a change inside it cannot be undone.
    """

    __slots__ = ("_slots", "_state", "_values")

    def __init__(self, state: Any) -> None:
        self._state = state
        self._values = values = dict(getattr(state, "__dict__", ()))
        self._slots = _slot_values(state) if hasattr(type(state), "__slots__") else {}
        memo: dict[int, Any] = {}
        for held in (values, self._slots):
            for name, value in held.items():
                if value.__class__ not in _IMMUTABLE and not isinstance(value, Enum):
                    held[name] = _copied(value, memo)

    def restore(self) -> None:
        """Give the state object back what it held; attributes that were added since are removed."""
        attributes = getattr(self._state, "__dict__", None)
        if attributes is not None:
            attributes.clear()
            attributes.update(self._values)
        for name, value in self._slots.items():
            object.__setattr__(self._state, name, value)


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    try:
        return copy.deepcopy(value, memo)
    except Exception:  # whatever a user's class raises when it cannot be copied: see the class docstring
        return value


def _slot_values(state: Any) -> dict[str, Any]:
    """The values of dataclass fields that live in slots."""
    if not is_dataclass(state):
        return {}
    attributes = getattr(state, "__dict__", {})
    return {
        each.name: getattr(state, each.name)
        for each in fields(state)
        if each.name not in attributes and hasattr(state, each.name)
    }
