"""Python values into JSON-ready data, for `to_dict` of a state."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

__all__ = ["StateSerializer"]

EnumT = TypeVar("EnumT", bound=Enum)

_PLAIN = frozenset({str, int, float, bool, type(None)})
_SCALARS = (Enum, UUID, datetime, date, time, Decimal, bytes, bytearray)


class StateSerializer:
    """Turns the values of a state into JSON-ready data and enum values back into members.

    | value | becomes |
    |---|---|
    | `None`, `str`, `int`, `float`, `bool` | itself |
    | enum member | its value |
    | `UUID`, `Decimal` | its text, nothing lost |
    | `datetime`, `date`, `time` | its ISO 8601 text |
    | `bytes`, `bytearray` | base64 text (RFC 4648, with padding) |
    | list, tuple | a list |
    | set, frozenset | a list in sorted order, so that equal sets give equal data |
    | dict | a dict; enum members and the other values above become keys as they become values |
    | an object with `to_dict()` | what that returns, serialized too |
    | dataclass instance | a dict of its fields |
    | anything else | itself |
    """

    @staticmethod
    def serialize(obj: Any) -> Any:
        """The value as JSON-ready data, by the table above.

        Raises:
            ValueError: Two keys of a dict become the same key.
        """
        kind = obj.__class__
        if kind in _PLAIN:
            return obj
        if kind is dict:
            return _dict(obj)
        if kind is list:
            return [StateSerializer.serialize(item) for item in obj]
        if isinstance(obj, _SCALARS):
            return _scalar(obj)
        if isinstance(obj, (list, tuple)):
            return [StateSerializer.serialize(item) for item in obj]
        if isinstance(obj, dict):
            return _dict(obj)
        if isinstance(obj, (set, frozenset)):
            return _sorted(StateSerializer.serialize(item) for item in obj)
        if not isinstance(obj, type):
            if hasattr(obj, "to_dict"):
                return StateSerializer.serialize(obj.to_dict())
            if is_dataclass(obj):
                return {field.name: StateSerializer.serialize(getattr(obj, field.name)) for field in fields(obj)}
        return obj

    @staticmethod
    def deserialize_enum(value: Any, enum_class: type[EnumT]) -> EnumT:
        """The member with this value; a member is returned as it is.

        Raises:
            ValueError: No member has this value.
        """
        return value if isinstance(value, enum_class) else enum_class(value)


def _scalar(obj: Any) -> Any:
    if isinstance(obj, Enum):
        return StateSerializer.serialize(obj.value)
    if isinstance(obj, (datetime, date, time)):
        return obj.isoformat()
    if isinstance(obj, (bytes, bytearray)):
        return b64encode(obj).decode("ascii")
    return str(obj)


def _dict(obj: dict[Any, Any]) -> dict[Any, Any]:
    result = {
        (key if key.__class__ in _PLAIN else _key(key)): StateSerializer.serialize(value) for key, value in obj.items()
    }
    if len(result) < len(obj):
        raise ValueError(f"two of the keys {list(obj)!r} become the same key; one value would be lost.")
    return result


def _key(key: Any) -> Any:
    return _scalar(key) if isinstance(key, _SCALARS) else key


def _sorted(items: Iterable[Any]) -> list[Any]:
    """The items in an order that does not change from one process to the next."""
    values = list(items)
    try:
        return sorted(values)
    except TypeError:  # of different types, or dicts
        return sorted(values, key=lambda value: (type(value).__name__, repr(value)))
