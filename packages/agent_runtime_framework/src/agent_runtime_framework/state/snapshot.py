"""Undo for a state object: what it held before a tool ran."""

from __future__ import annotations

import copy
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
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
        self._slots = slots = {
            name: getattr(state, name) for name in _slot_names(state.__class__) if hasattr(state, name)
        }
        memo: dict[int, Any] = {}
        for held in (values, slots) if slots else (values,):
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


@lru_cache(maxsize=256)
def _slot_names(state_class: type) -> tuple[str, ...]:
    """The attributes of a class that live in slots, those of its bases included."""
    names: list[str] = []
    for owner in state_class.__mro__:
        slots = vars(owner).get("__slots__", ())
        names.extend([slots] if isinstance(slots, str) else slots)
    return tuple(name for name in names if name not in {"__dict__", "__weakref__"})
