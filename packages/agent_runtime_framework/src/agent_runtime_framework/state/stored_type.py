"""How the values of one annotation become JSON data, and what pydantic is told to read them back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

__all__ = ["ALL_KINDS", "Kind", "Misfit", "Reader", "StoredType", "Unstorable", "kind_of", "misfit"]

Kind = Literal["null", "bool", "int", "float", "str", "list", "dict"]
"""The kinds of JSON data; an int and a float are two."""

ALL_KINDS: frozenset[Kind] = frozenset(get_args(Kind))

_KINDS: dict[type, Kind] = {
    type(None): "null",
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    list: "list",
    dict: "dict",
}


class Unstorable(TypeError):
    """An annotation whose values cannot become JSON data and come back; the text says why."""


class Misfit(ValueError):
    """A value that is not what its annotation says; `place` leads to it, innermost first. No value is shown."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place: list[str] = []

    def __str__(self) -> str:
        return self.reason if not self.place else f"{''.join(reversed(self.place)).lstrip('.')}: {self.reason}"


class Reader:
    """Metadata of an annotation: pydantic reads the value with this function."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self._read = read

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """The function as pydantic's schema."""
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self._read)


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredType:
    """An annotation, ready for use."""

    name: str
    """What errors and tags call it."""
    write: Callable[[Any], Any]
    """The value as JSON data; a `Misfit` for a value of another type."""
    annotation: Any
    """What pydantic reads the data with."""
    kinds: frozenset[Kind]
    """What JSON data `write` may give."""
    python_type: type | None = None
    """The class of the values, where that says enough to tell them from others."""
    as_is: frozenset[type] = frozenset()
    """Classes whose values `write` gives back unchanged, so that it need not be called."""


def kind_of(data: Any) -> Kind:
    """The kind of some JSON data."""
    kind = _KINDS.get(type(data))
    if kind is None:
        raise Misfit(f"{type(data).__name__} is no JSON data")
    return kind


def misfit(value: Any, expected: str) -> Misfit:
    """The error for a value of the wrong type."""
    return Misfit(f"holds a value of type {type(value).__name__}, expected {expected}")
