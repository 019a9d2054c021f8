"""Lists, tuples, sets and dicts, as JSON data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Set
from typing import Annotated, Any

from agent_runtime_framework.state.scalar_types import JSON
from agent_runtime_framework.state.stored_type import Misfit, StoredType, Unstorable, kind_of, misfit

__all__ = ["dict_type", "list_type", "named_tuple_type", "set_type", "tuple_type", "typed_dict_type"]


def list_type(item: StoredType) -> StoredType:
    """A list whose items are of one type."""
    name = f"list[{item.name}]"

    def write(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise misfit(value, name)
        return _items(value, item)

    annotation = list[item.annotation]  # type: ignore[name-defined]
    return StoredType(name=name, write=write, annotation=annotation, kinds=frozenset(("list",)), python_type=list)


def set_type(item: StoredType, python_type: type[set[Any]] | type[frozenset[Any]]) -> StoredType:
    """A set or frozenset: a list in sorted order, so that equal sets give equal data."""
    name = f"{python_type.__name__}[{item.name}]"

    def write(value: Any) -> list[Any]:
        if not isinstance(value, python_type):
            raise misfit(value, name)
        data = _items(value, item)
        try:
            return sorted(data)
        except TypeError:  # of different types, or dicts
            return sorted(data, key=lambda each: (type(each).__name__, json.dumps(each, sort_keys=True)))

    annotation = python_type[item.annotation]  # type: ignore[index]
    return StoredType(
        name=name, write=write, annotation=annotation, kinds=frozenset(("list",)), python_type=python_type
    )


def tuple_type(items: list[StoredType], *, endless: bool) -> StoredType:
    """A tuple: one type for each place, or one for all of them (`tuple[int, ...]`)."""
    name = f"tuple[{', '.join(item.name for item in items)}{', ...' if endless else ''}]"

    def write(value: Any) -> list[Any]:
        if not isinstance(value, tuple):
            raise misfit(value, name)
        if endless:
            return _items(value, items[0])
        if len(value) != len(items):
            raise Misfit(f"holds {len(value)} values, expected {name}")
        return [
            _at(f"[{index}]", item.write, each) for index, (item, each) in enumerate(zip(items, value, strict=True))
        ]

    read: Any = tuple(item.annotation for item in items)
    annotation: Any = tuple[read[0], ...] if endless else tuple[read]
    return StoredType(name=name, write=write, annotation=annotation, kinds=frozenset(("list",)), python_type=tuple)


def named_tuple_type(named_tuple: Any, items: list[StoredType]) -> StoredType:
    """A named tuple: the list of its values."""
    from pydantic import AfterValidator

    values = tuple_type(items, endless=False)

    def write(value: Any) -> Any:
        if not isinstance(value, named_tuple):
            raise misfit(value, named_tuple.__name__)
        return values.write(value)

    return StoredType(
        name=named_tuple.__name__,
        write=write,
        annotation=Annotated[values.annotation, AfterValidator(named_tuple._make)],
        kinds=values.kinds,
        python_type=named_tuple,
    )


def dict_type(key: StoredType, value: StoredType) -> StoredType:
    """A dict. Keys that are no texts become texts: 7 becomes "7", True becomes "true".

    Raises:
        Unstorable: The keys become lists or dicts, or texts beside something else.
    """
    name = f"dict[{key.name}, {value.name}]"
    write_key, write_value, as_is = key.write, value.write, value.as_is
    textual = key is JSON or key.kinds == {"str"}
    if not textual and key.kinds & {"str", "list", "dict"}:
        raise Unstorable(f"keys of type {key.name} cannot be told apart as the texts that JSON has for keys")

    def write(held: Any) -> dict[str, Any]:
        if not isinstance(held, dict):
            raise misfit(held, name)
        result = {}
        for each, content in held.items():
            text = each if each.__class__ in key.as_is else _at(" (a key)", write_key, each)
            if text.__class__ is not str:
                if textual:
                    raise Misfit(f"holds a key of type {type(each).__name__}; annotate the dict's keys")
                text = json.dumps(text)
            try:
                result[text] = content if content.__class__ in as_is else write_value(content)
            except Misfit as error:
                error.place.append("[...]")
                raise
        if len(result) < len(held):
            raise Misfit("holds two keys that become the same text")
        return result

    key_annotation = key.annotation if textual else _key_reader(key)
    annotation = dict[key_annotation, value.annotation]  # type: ignore[valid-type,name-defined]
    return StoredType(name=name, write=write, annotation=annotation, kinds=frozenset(("dict",)), python_type=dict)


def typed_dict_type(typed_dict: Any, items: dict[str, StoredType], required: Set[str]) -> StoredType:
    """A typed dict; keys that it does not name cannot be stored."""
    name = typed_dict.__name__

    def write(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise misfit(value, name)
        if not value.keys() <= items.keys() or not required <= value.keys():
            raise Misfit(f"holds a dict with other keys than {name}")
        return {key: _at(f".{key}", items[key].write, content) for key, content in value.items()}

    annotation = Annotated[dict, FieldsReader({key: item.annotation for key, item in items.items()}, required)]
    return StoredType(name=name, write=write, annotation=annotation, kinds=frozenset(("dict",)), python_type=None)


class FieldsReader:
    """Metadata of an annotation: a dict with these keys; other keys are left out."""

    def __init__(self, fields: dict[str, Any], required: Iterable[str] = ()) -> None:
        self._fields = fields
        self._required = frozenset(required)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """The dict as pydantic's schema."""
        from pydantic_core import core_schema

        fields = {
            name: core_schema.typed_dict_field(handler.generate_schema(annotation), required=name in self._required)
            for name, annotation in self._fields.items()
        }
        return core_schema.typed_dict_schema(fields, extra_behavior="ignore")


def _key_reader(key: StoredType) -> Any:
    from pydantic import BeforeValidator

    def read(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        try:
            data = json.loads(text)
        except ValueError:
            raise Misfit(f"has a key that is no {key.name}") from None
        kind_of(data)
        return data

    return Annotated[key.annotation, BeforeValidator(read)]


def _items(values: Iterable[Any], item: StoredType) -> list[Any]:
    as_is, write = item.as_is, item.write
    result: list[Any] = []
    try:
        for value in values:
            result.append(value if value.__class__ in as_is else write(value))
    except Misfit as error:
        error.place.append(f"[{len(result)}]")
        raise
    return result


def _at(place: str, write: Callable[[Any], Any], value: Any) -> Any:
    try:
        return write(value)
    except Misfit as error:
        error.place.append(place)
        raise
