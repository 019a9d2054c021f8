"""A dataclass as JSON data, by its fields, and back."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from threading import RLock
from typing import Annotated, Any, get_type_hints

from agent_runtime_core.errors import MissingDependency
from agent_runtime_framework.state.annotation import stored_type
from agent_runtime_framework.state.container_types import FieldsReader
from agent_runtime_framework.state.stored_type import Misfit, Reader, StoredType, Unstorable, misfit

__all__ = ["StoredFields", "stored_fields"]

_KNOWN: dict[type, StoredFields] = {}
"""What was worked out, by class; complete entries only."""

_LOCK = RLock()


def stored_fields(owner: type, names: Mapping[str, Any] | None = None) -> StoredFields:
    """How the fields of a dataclass are stored; worked out once for each class.

    Args:
        owner: The dataclass.
        names: What its annotations may name beside the names of its module: those of the function it is defined in.

    Raises:
        TypeError: A field cannot be stored, or the dataclass cannot be made from its fields; the text names both.
        MissingDependency: A field is an email address, and the package that checks those is not there.
    """
    found = _KNOWN.get(owner)
    if found is None:
        with _LOCK:
            under_way: dict[type, StoredFields] = {}
            found = _KNOWN.get(owner) or _worked_out(owner, names or {}, under_way)
            _KNOWN.update(under_way)
    return found


_HELP = "Or write to_dict() and from_dict() yourself."


class StoredFields:
    """The fields of one dataclass."""

    def __init__(self, owner: type) -> None:
        self.owner = owner
        self._writes: list[tuple[str, Callable[[Any], Any], frozenset[type]]] = []
        self._annotations: dict[str, Any] = {}
        self._taken: set[str] = set()
        self._required: list[str] = []
        self._adapter: Any = None
        self._plain = False

    def dump(self, instance: Any) -> dict[str, Any]:
        """The fields as JSON data, in the order of the class. A field that was never set is left out.

        Raises:
            Misfit: A field holds something else than its annotation says.
        """
        result = {}
        name = ""
        try:
            for name, write, as_is in self._writes:
                value = getattr(instance, name, MISSING)
                if value.__class__ in as_is:
                    result[name] = value
                elif value is not MISSING:
                    result[name] = write(value)
        except Misfit as error:
            error.place.append(f".{name}")
            raise
        return result

    def load(self, data: Any) -> Any:
        """An instance from what `dump` gave, or an older version of the class; other keys are left out.

        Raises:
            Misfit: A value is not what its field says, or one is missing that has no default.
        """
        if not isinstance(data, dict):
            raise Misfit(f"is of type {type(data).__name__}, expected a dict")
        try:
            values: dict[str, Any] = self._adapter.validate_python(data)
        except ValueError as error:
            raise _misfit(error) from None  # its text shows the value
        for name in self._required:
            if name not in values:
                missing = Misfit("is missing and has no default")
                missing.place.append(f".{name}")
                raise missing
        if self._plain:
            return self.owner(**values)
        instance = self.owner(**{name: value for name, value in values.items() if name in self._taken})
        for name, value in values.items():  # what __post_init__ has changed, and fields that __init__ does not take
            object.__setattr__(instance, name, value)
        return instance

    def _add(self, name: str, stored: StoredType, *, init: bool, required: bool) -> None:
        self._writes.append((name, stored.write, stored.as_is))
        self._annotations[name] = stored.annotation
        if init:
            self._taken.add(name)
            if required:
                self._required.append(name)

    def _complete(self) -> None:
        """Make ready for use, when all fields are there."""
        from agent_runtime_framework.state.pydantic_adapter import adapter_of

        self._adapter = adapter_of(Annotated[dict[str, Any], FieldsReader(self._annotations)])
        self._plain = len(self._taken) == len(self._writes) and not hasattr(self.owner, "__post_init__")


def _misfit(error: Any) -> Misfit:
    """Our error for pydantic's: the place and the reason, without the value."""
    first = error.errors(include_input=False, include_url=False)[0]
    cause = first.get("ctx", {}).get("error")
    inner = cause if isinstance(cause, Misfit) else None
    result = Misfit(inner.reason if inner else first["msg"])
    result.place = inner.place[:] if inner else []
    path = first["loc"][1:]
    if path and path[-1] == "[key]":  # how pydantic says that it is the key and not the value
        path = (*path[:-2], path[-1])
    result.place.extend(reversed([_place(part) for part in path]))
    if first["loc"]:
        result.place.append(f".{first['loc'][0]}")
    return result


def _place(part: int | str) -> str:
    """One step of the way to a value; keys of dicts may be what a person said, and are not shown."""
    if part == "[key]":
        return " (a key)"
    return f"[{part}]" if isinstance(part, int) else "[...]"


def _worked_out(owner: type, names: Mapping[str, Any], under_way: dict[type, StoredFields]) -> StoredFields:
    result = under_way[owner] = StoredFields(owner)
    hints = _hints(owner, names)

    def nested(python_type: type) -> StoredType:
        known = _KNOWN.get(python_type) or under_way.get(python_type)
        return _as_type(python_type, known or _worked_out(python_type, names, under_way))

    for field in fields(owner):
        place = f"{owner.__qualname__}.{field.name}"
        try:
            stored = stored_type(hints[field.name], nested)
        except Unstorable as error:
            raise TypeError(f"{place} cannot be stored: {error}. {_HELP}") from None
        except MissingDependency as error:
            raise MissingDependency(f"{place} cannot be stored: {error}.") from error
        required = field.default is MISSING and field.default_factory is MISSING
        result._add(field.name, stored, init=field.init, required=required)
    _check_constructor(owner, result._taken)
    try:
        result._complete()
    except (TypeError, ValueError) as error:
        raise TypeError(f"{owner.__qualname__} cannot be stored: {error}. {_HELP}") from error
    return result


def _as_type(python_type: type, stored: StoredFields) -> StoredType:
    name = python_type.__name__

    def write(value: Any) -> Any:
        if type(value) is not python_type:  # a subclass would lose what it adds
            raise misfit(value, name)
        return stored.dump(value)

    return StoredType(
        name=name,
        write=write,
        annotation=Annotated[Any, Reader(stored.load)],
        kinds=frozenset(("dict",)),
        python_type=python_type,
    )


def _hints(owner: type, names: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return get_type_hints(owner, localns={**names, owner.__name__: owner}, include_extras=True)
    except NameError as error:
        raise TypeError(
            f"{owner.__qualname__} cannot be stored: an annotation names {error.name!r}, which is not known when the "
            f"class is used. Import it outside of `if TYPE_CHECKING`. {_HELP}"
        ) from None


def _check_constructor(owner: type, taken: set[str]) -> None:
    """Make sure that the class can be made from its fields.

    Raises:
        TypeError: It cannot.
    """
    parameters = dict(inspect.signature(owner.__init__).parameters)  # type: ignore[misc]
    parameters.pop("self", None)
    for name, parameter in parameters.items():
        if name in taken or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.default is parameter.empty:
            raise TypeError(
                f"{owner.__qualname__} cannot be made from its stored fields: __init__ needs {name!r}, which is no "
                f"field that is kept; give it a default. {_HELP}"
            )
    if not any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
        for name in sorted(taken - parameters.keys()):
            raise TypeError(
                f"{owner.__qualname__} cannot be made from its stored fields: its own __init__ does not take "
                f"{name!r}. {_HELP}"
            )
