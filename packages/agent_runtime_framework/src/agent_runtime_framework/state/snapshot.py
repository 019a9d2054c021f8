"""Undo for a state object: what it held before a tool ran."""

from __future__ import annotations

import copy
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

__all__ = ["StateSnapshot"]

_IMMUTABLE: set[type] = {
    str,
    int,
    float,
    bool,
    type(None),
    bytes,
    complex,
    date,
    datetime,
    time,
    timedelta,
    Decimal,
    UUID,
}
"""Classes whose values cannot change; enums are added as they are met."""

_SLOTS: dict[type, tuple[str, ...]] = {}
"""The attributes that live in slots, by class of state."""


class StateSnapshot:
    """The values of a state object at the moment of construction.

    Values that cannot change are kept as they are, all others are copied deeply. A value that cannot be copied
    (a lock, a connection) is kept as it is, also inside a list or dict: a change inside it cannot be undone.
    """

    __slots__ = ("_slots", "_state", "_values")

    def __init__(self, state: Any) -> None:
        self._state = state
        slots = _SLOTS.get(state.__class__)
        if slots is None:
            slots = _SLOTS[state.__class__] = _slot_names(state.__class__)
        self._values = values = dict(state.__dict__)
        self._slots = {name: getattr(state, name) for name in slots if hasattr(state, name)} if slots else None
        for value in values.values():
            if value.__class__ not in _IMMUTABLE:
                break
        else:
            if not slots:
                return
        memo: dict[int, Any] = {id(state): state}  # one for all: what two fields share stays shared
        for held in (values, self._slots or {}):
            for name, value in held.items():
                if value.__class__ not in _IMMUTABLE:
                    held[name] = _copied(value, memo)

    def restore(self) -> None:
        """Give the state object back what it held; attributes that were added since are removed."""
        self.give_to(self._state)

    def give_to(self, state: Any) -> None:
        """Let another object of the same class hold what this one held."""
        attributes = state.__dict__
        attributes.clear()
        attributes.update(self._values)
        if self._slots is not None:
            for name in _SLOTS[state.__class__]:
                if name in self._slots:
                    object.__setattr__(state, name, self._slots[name])
                elif hasattr(state, name):
                    object.__delattr__(state, name)


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    if isinstance(value, Enum):
        _IMMUTABLE.add(value.__class__)
        return value
    try:
        return copy.deepcopy(value, memo)
    except Exception:  # whatever a user's class raises when it cannot be copied: see the class docstring
        if type(value) is dict:
            return {key: _copied(item, memo) for key, item in value.items()}
        return [_copied(item, memo) for item in value] if type(value) is list else value


def _slot_names(state_class: type) -> tuple[str, ...]:
    """The attributes of a class that live in slots, those of its bases included."""
    names: list[str] = []
    for owner in state_class.__mro__:
        slots = vars(owner).get("__slots__", ())
        names.extend([slots] if isinstance(slots, str) else slots)
    return tuple(name for name in names if name not in {"__dict__", "__weakref__"})
