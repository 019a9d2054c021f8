"""From an annotation to the way in which its values are stored."""

from __future__ import annotations

import json
import types
import typing
from collections import abc
from collections.abc import Callable
from dataclasses import InitVar, is_dataclass
from enum import Enum
from typing import Annotated, Any, Final, Literal, NotRequired, Required, TypeVar, Union, get_args, get_origin

from agent_runtime_framework.state.container_types import (
    dict_type,
    list_type,
    named_tuple_type,
    set_type,
    tuple_type,
    typed_dict_type,
)
from agent_runtime_framework.state.scalar_types import JSON, enum_type, literal_type, scalar_type
from agent_runtime_framework.state.stored_type import ALL_KINDS, Misfit, Reader, StoredType, Unstorable, misfit
from agent_runtime_framework.state.union_type import union_type

__all__ = ["stored_type"]

_LISTS = frozenset({list, abc.Sequence, abc.MutableSequence, abc.Collection, abc.Iterable})
_SETS = frozenset({set, abc.Set, abc.MutableSet})
_DICTS = frozenset({dict, abc.Mapping, abc.MutableMapping})
_WRAPPERS = frozenset({Final, Required, NotRequired})
_NO_DATA = frozenset({abc.Callable, type, abc.Iterator, abc.Generator, abc.AsyncIterator, abc.Awaitable, abc.Coroutine})


def stored_type(annotation: Any, dataclass_type: Callable[[type], StoredType]) -> StoredType:
    """How values of this annotation are stored.

    Args:
        annotation: A type, evaluated.
        dataclass_type: The same for a dataclass.

    Raises:
        Unstorable: Its values cannot become JSON data and come back.
    """

    def inner(annotation: Any) -> StoredType:
        return stored_type(annotation, dataclass_type)

    if annotation is Any or annotation is object:
        return JSON
    if annotation is None:
        annotation = type(None)
    if isinstance(annotation, TypeVar):
        return inner(annotation.__bound__ or Any)
    if isinstance(annotation, InitVar):
        return inner(annotation.type)
    if hasattr(annotation, "__supertype__"):  # NewType
        return inner(annotation.__supertype__)
    if hasattr(annotation, "__value__"):  # type X = ...
        return inner(annotation.__value__)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _annotated(annotation, inner(arguments[0]), arguments[1:])
    if origin in _WRAPPERS:
        return inner(arguments[0])
    if origin is Literal:
        return literal_type(arguments)
    if origin in (Union, types.UnionType):
        members = [inner(each) for each in arguments]
        return JSON if any(member is JSON for member in members) else union_type(members)
    base = origin or annotation
    if base in _LISTS:
        return list_type(inner(arguments[0] if arguments else Any))
    if base in _SETS or base is frozenset:
        return set_type(inner(arguments[0] if arguments else Any), frozenset if base is frozenset else set)
    if base in _DICTS:
        return dict_type(*map(inner, arguments or (Any, Any)))
    if base is tuple:
        endless = (not arguments and annotation is tuple) or (len(arguments) == 2 and arguments[1] is Ellipsis)
        items = (arguments[:1] or (Any,)) if endless else arguments
        return tuple_type([inner(each) for each in items], endless=endless)
    if base in _NO_DATA or annotation in (typing.Callable,):
        raise Unstorable(f"a {_name(annotation)} is no data")
    return _class_type(annotation, base, inner, dataclass_type)


def _class_type(
    annotation: Any, base: Any, inner: Callable[[Any], StoredType], dataclass_type: Callable[[type], StoredType]
) -> StoredType:
    if not isinstance(base, type):
        raise Unstorable(f"{annotation!r} is no type whose values are known")
    known = scalar_type(base)
    if known is not None:
        return known
    if issubclass(base, Enum):
        return enum_type(base)
    if typing.is_typeddict(base):
        hints = typing.get_type_hints(base, include_extras=True)
        # Where annotations are texts, the class itself does not know of its NotRequired ones.
        stated: frozenset[str] = vars(base)["__required_keys__"]
        required = {name for name in stated if get_origin(hints[name]) is not NotRequired}
        required |= {name for name, hint in hints.items() if get_origin(hint) is Required}
        return typed_dict_type(base, {name: inner(hint) for name, hint in hints.items()}, required)
    if issubclass(base, tuple) and hasattr(base, "_fields"):
        hints = typing.get_type_hints(base, include_extras=True)
        return named_tuple_type(base, [inner(hints.get(name, Any)) for name in base._fields])
    if hasattr(base, "model_validate_json") and hasattr(base, "model_dump"):
        return _model_type(base)
    if callable(getattr(base, "to_dict", None)) and callable(getattr(base, "from_dict", None)):
        return _own_type(base)
    if is_dataclass(base):
        return dataclass_type(base)
    return _pydantic_type(annotation, base)


def _annotated(annotation: Any, inner: StoredType, metadata: tuple[Any, ...]) -> StoredType:
    if any(type(each).__name__ in ("PlainSerializer", "WrapSerializer") for each in metadata):
        return _pydantic_type(annotation, object)
    return StoredType(
        name=inner.name,
        write=inner.write,
        annotation=Annotated[(inner.annotation, *metadata)],
        kinds=inner.kinds,
        python_type=inner.python_type,
        as_is=inner.as_is,
    )


def _own_type(python_type: Any) -> StoredType:
    """A class with `to_dict` and `from_dict` of its own."""

    def write(value: Any) -> Any:
        if not isinstance(value, python_type):
            raise misfit(value, python_type.__name__)
        data = JSON.write(value.to_dict())
        if type(value) is not python_type and type(read(data)) is not type(value):
            raise misfit(value, python_type.__name__)  # a subclass would come back as its base
        return data

    def read(data: Any) -> Any:
        try:
            return python_type.from_dict(data)
        except Misfit:
            raise
        except Exception as error:  # a user's from_dict() may raise anything, and its text may show the value
            raise Misfit(f"is not read by {python_type.__name__}.from_dict(): {type(error).__name__}") from error

    return StoredType(
        name=python_type.__name__,
        write=write,
        annotation=Annotated[Any, Reader(read)],
        kinds=frozenset(("dict",)),
        python_type=python_type,
    )


def _model_type(model: Any) -> StoredType:
    """A pydantic model, by its own rules."""
    from agent_runtime_framework.state.pydantic_adapter import adapter_of

    adapter = adapter_of(model)

    def write(value: Any) -> Any:
        if type(value) is not model:
            raise misfit(value, model.__name__)
        return JSON.write(value.model_dump(mode="json", round_trip=True, by_alias=False))

    def read(data: Any) -> Any:
        # Through text: only then does pydantic read bytes, for one, as it wrote them.
        return adapter.validate_json(json.dumps(data), by_name=True, by_alias=False)

    return StoredType(
        name=model.__name__,
        write=write,
        annotation=Annotated[Any, Reader(read)],
        kinds=ALL_KINDS if model.__pydantic_root_model__ else frozenset(("dict",)),
        python_type=model,
    )


def _pydantic_type(annotation: Any, base: type) -> StoredType:
    """Whatever else pydantic knows. What it does not bring back as it was is refused when it is written."""
    from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

    from agent_runtime_framework.state.pydantic_adapter import adapter_of

    name = _name(annotation)
    try:
        adapter = adapter_of(annotation)
    except (PydanticSchemaGenerationError, PydanticUserError):
        raise Unstorable(
            f"nothing says how a {name} becomes JSON data; make it a dataclass, or give it to_dict() and from_dict()"
        ) from None

    def write(value: Any) -> Any:
        if not isinstance(value, base):
            raise misfit(value, name)
        try:
            data = JSON.write(adapter.dump_python(value, mode="json", warnings="error"))
            back = adapter.validate_python(data)
        except (ValueError, TypeError):
            raise Misfit(f"holds a {name} that does not become JSON data and come back") from None
        if type(back) is not type(value) or back != value:
            raise Misfit(f"holds a {name} that would come back as another value")
        return data

    return StoredType(
        name=name, write=write, annotation=annotation, kinds=ALL_KINDS, python_type=base if base is not object else None
    )


def _name(annotation: Any) -> str:
    return getattr(annotation, "__name__", None) or str(annotation)
