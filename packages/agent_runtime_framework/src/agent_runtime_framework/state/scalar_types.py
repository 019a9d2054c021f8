"""Values that are no containers, as JSON data: texts, numbers, dates, enums, literals."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag
from math import isfinite
from typing import Annotated, Any
from uuid import UUID

from agent_runtime_framework.state.stored_type import (
    ALL_KINDS,
    Kind,
    Misfit,
    Reader,
    StoredType,
    Unstorable,
    kind_of,
    misfit,
)

__all__ = ["JSON", "enum_type", "literal_type", "scalar_type"]

_PLAIN: frozenset[type] = frozenset((str, int, bool, type(None)))
_SCALAR_KINDS: frozenset[Kind] = frozenset(("bool", "int", "float", "str"))
_DURATION = re.compile(r"(-?)P(\d{1,9})DT(\d{1,5})(?:\.(\d{6}))?S", re.ASCII)


def scalar_type(python_type: type) -> StoredType | None:
    """What is known of this very class, or None."""
    return _SCALARS.get(python_type)


def enum_type(enum: type[Enum]) -> StoredType:
    """Members of an enum: their values, or their names where a value is no text, number or boolean."""
    members = list(enum.__members__.values())
    by_value = bool(members) and all(type(member.value) in (str, int, float, bool) for member in members)
    if issubclass(enum, Flag):
        written: dict[Any, Any] = {}
    elif by_value:
        written = {member: member.value for member in members}
    else:
        written = {member: member.name for member in members}
    found = {data: member for member, data in written.items()}
    name = enum.__name__

    def write(value: Any) -> Any:
        if type(value) is not enum and not isinstance(value, enum):
            raise misfit(value, name)
        return value.value if issubclass(enum, Flag) else written[value]

    def read(data: Any) -> Any:
        try:
            return found[data]
        except (KeyError, TypeError):
            pass
        if isinstance(data, enum):
            return data
        try:
            return enum(data)  # the class may know older values: `_missing_`
        except (ValueError, TypeError, KeyError):
            raise Misfit(f"is not one of the values of {name}") from None

    kinds: frozenset[Kind] = frozenset(kind_of(data) for data in written.values()) or frozenset(("int",))
    return StoredType(name=name, write=write, annotation=Annotated[Any, Reader(read)], kinds=kinds, python_type=enum)


def literal_type(values: tuple[Any, ...]) -> StoredType:
    """One of some values.

    Raises:
        Unstorable: A value is no text, number or enum member, or two of them become the same JSON data.
    """
    name = f"Literal[{', '.join(map(repr, values))}]"
    data_of: dict[Any, Any] = {}
    value_of: dict[Any, Any] = {}
    for value in values:
        data = enum_type(type(value)).write(value) if isinstance(value, Enum) else value
        if type(data) not in _PLAIN:
            raise Unstorable(f"{name} holds a {type(data).__name__}")
        if (type(data), data) in value_of:
            raise Unstorable(f"two values of {name} become the same JSON data")
        data_of[type(value), value] = data
        value_of[type(data), data] = value

    def write(value: Any) -> Any:
        try:
            return data_of[type(value), value]
        except (KeyError, TypeError):
            raise Misfit(f"holds a value of type {type(value).__name__} that is not one of {name}") from None

    def read(data: Any) -> Any:
        try:
            return value_of[type(data), data]
        except (KeyError, TypeError):
            raise Misfit(f"is not one of {name}") from None

    kinds = frozenset(kind_of(data) for data in data_of.values())
    return StoredType(name=name, write=write, annotation=Annotated[Any, Reader(read)], kinds=kinds)


class _Finite:
    """Metadata of an annotation: pydantic refuses NaN and infinity."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.float_schema(allow_inf_nan=False)


def _same(python_type: type) -> Callable[[Any], Any]:
    def write(value: Any) -> Any:
        if value.__class__ is python_type:
            return value
        if isinstance(value, python_type):  # a subclass: a boolean in an int field, a text enum's member
            return str.__str__(value) if isinstance(value, str) else python_type(value)
        raise misfit(value, python_type.__name__)

    return write


def _write_none(value: Any) -> None:
    if value is not None:
        raise misfit(value, "None")


def _write_float(value: Any) -> float:
    if value.__class__ is not float:
        if not isinstance(value, (float, int)):
            raise misfit(value, "float")
        try:
            number = float(value)
        except OverflowError:
            number = 0.0
        if number != value and number == number:
            raise Misfit("holds an int that no float can tell from its neighbours; annotate the field with int")
        value = number
    if not isfinite(value):
        raise Misfit("holds NaN or infinity, which JSON does not have")
    return value  # type: ignore[no-any-return]


def _write_decimal(value: Any) -> str:
    if not isinstance(value, Decimal):
        raise misfit(value, "Decimal")
    if not value.is_finite():
        raise Misfit("holds a Decimal that is NaN or infinity, and no number")
    return str(value)


def _write_bytes(value: Any) -> str:
    if not isinstance(value, (bytes, bytearray)):
        raise misfit(value, "bytes")
    return b64encode(value).decode("ascii")


def _write_duration(value: Any) -> str:
    if not isinstance(value, timedelta):
        raise misfit(value, "timedelta")
    size = abs(value)
    fraction = f".{size.microseconds:06d}" if size.microseconds else ""
    return f"{'-' if value.days < 0 else ''}P{size.days}DT{size.seconds}{fraction}S"


def _read_bytes(data: Any) -> bytes:
    if isinstance(data, str):
        try:
            return b64decode(data, validate=True)
        except ValueError:
            pass
    raise Misfit("is no base64 text")


def _read_duration(data: Any) -> timedelta:
    found = _DURATION.fullmatch(data) if isinstance(data, str) else None
    if found is None:
        raise Misfit("is no duration in the form P1DT3600S")
    sign, days, seconds, microseconds = found.groups()
    size = timedelta(days=int(days), seconds=int(seconds), microseconds=int(microseconds or 0))
    return -size if sign else size


def _to_iso(python_type: Any) -> Callable[[Any], str]:
    def write(value: Any) -> str:
        # A datetime is a date to Python, but not to somebody who reads the data back.
        if not isinstance(value, python_type) or (python_type is date and isinstance(value, datetime)):
            raise misfit(value, python_type.__name__)
        text: str = python_type.isoformat(value)
        return text

    return write


def _from_iso(python_type: Any) -> Callable[[Any], Any]:
    def read(data: Any) -> Any:
        if isinstance(data, str):
            try:
                return python_type.fromisoformat(data)
            except ValueError:
                pass
        raise Misfit(f"is no {python_type.__name__} in ISO 8601")

    return read


def _write_uuid(value: Any) -> str:
    if not isinstance(value, UUID):
        raise misfit(value, "UUID")
    return str(value)


def _json_copy(value: Any) -> Any:
    """The value, where it is JSON data already."""
    kind = value.__class__
    if kind in _PLAIN:
        return value
    if kind is float:
        return _write_float(value)
    try:
        if kind is list:
            return [_json_copy(item) for item in value]
        if kind is dict:
            for key in value:
                if key.__class__ is not str:
                    raise Misfit(f"holds a dict with a key of type {type(key).__name__}; annotate the dict's keys")
            return {key: _json_copy(item) for key, item in value.items()}
    except RecursionError:
        raise Misfit("holds data nested too deeply, or within itself") from None
    raise Misfit(f"holds a value of type {type(value).__name__}, which is no JSON data; annotate the field with it")


def _scalar(python_type: type, write: Callable[[Any], Any], annotation: Any, *kinds: Kind) -> StoredType:
    return StoredType(
        name=python_type.__name__,
        write=write,
        annotation=annotation,
        kinds=frozenset(kinds),
        python_type=python_type,
        as_is=_PLAIN & {python_type},
    )


JSON = StoredType(name="Any", write=_json_copy, annotation=Any, kinds=ALL_KINDS, as_is=_PLAIN)
"""Any JSON data, and nothing else."""

_SCALARS: dict[type, StoredType] = {
    str: _scalar(str, _same(str), str, "str"),
    int: _scalar(int, _same(int), int, "int"),
    bool: _scalar(bool, _same(bool), bool, "bool"),
    float: _scalar(float, _write_float, Annotated[float, _Finite()], "float"),
    type(None): _scalar(type(None), _write_none, None, "null"),
    Decimal: _scalar(Decimal, _write_decimal, Decimal, "str"),
    UUID: _scalar(UUID, _write_uuid, UUID, "str"),
    date: _scalar(date, _to_iso(date), Annotated[Any, Reader(_from_iso(date))], "str"),
    datetime: _scalar(datetime, _to_iso(datetime), Annotated[Any, Reader(_from_iso(datetime))], "str"),
    time: _scalar(time, _to_iso(time), Annotated[Any, Reader(_from_iso(time))], "str"),
    timedelta: _scalar(timedelta, _write_duration, Annotated[Any, Reader(_read_duration)], "str"),
    bytes: _scalar(bytes, _write_bytes, Annotated[Any, Reader(_read_bytes)], "str"),
    bytearray: _scalar(
        bytearray, _write_bytes, Annotated[Any, Reader(lambda data: bytearray(_read_bytes(data)))], "str"
    ),
}
