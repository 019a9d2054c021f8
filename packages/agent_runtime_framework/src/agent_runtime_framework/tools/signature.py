"""A tool's parameters as its signature tells them: JSON Schema for the model, typed values for the tool."""

from __future__ import annotations

import builtins
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from agent_runtime_core.errors import ConfigError, MissingDependency
from agent_runtime_framework.tools.retry import InvalidArguments

__all__ = ["Signature", "read_signature"]

_SIMPLE: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    list: {"type": "array"},
    dict: {"type": "object"},
    Any: {},
}

_NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}, "required": []}


@dataclass(slots=True)
class Signature:
    """What a tool takes."""

    schema: dict[str, Any]
    """The parameters as a JSON Schema object."""
    convert: dict[str, Callable[[Any], Any]]
    """By parameter, what makes its typed value of its JSON value; those not in it are taken as they are."""
    undescribed: tuple[str, ...] = ()
    """Parameters about which nothing is said but their name."""

    def typed(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as the tool wants them.

        Raises:
            InvalidArguments: One of them fits the schema and still is no such value.
        """
        if not self.convert:
            return dict(arguments)
        values = dict(arguments)
        for name, convert in self.convert.items():
            if name in values:
                try:
                    values[name] = convert(values[name])
                except ValueError as error:
                    raise InvalidArguments(f"{name}: {_reason(error)}") from error
        return values


def read_signature(function: Callable[..., Any], described: Mapping[str, str], names: Mapping[str, Any]) -> Signature:
    """Read a method's parameters, the first one (`self`) left out.

    Args:
        function: The method.
        described: What its docstring says of its parameters.
        names: What annotations that are texts may name, beside the globals of the method's module.

    Raises:
        ConfigError: A parameter has no schema; the text names the parameter and says why.
    """
    parameters = list(inspect.signature(function).parameters.values())[1:]
    if not parameters:
        return Signature(_NO_PARAMETERS, {})
    annotations = _annotations(function, names)
    properties: dict[str, Any] = {}
    required: list[str] = []
    convert: dict[str, Callable[[Any], Any]] = {}
    definitions: dict[str, Any] = {}
    undescribed: list[str] = []
    for parameter in parameters:
        name = parameter.name
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            raise ConfigError(f"*{name} has no schema: name each parameter that the model may give")
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise ConfigError(f"{name} is positional-only: the model gives arguments by name")
        if name not in annotations:
            raise ConfigError(f"parameter {name!r} has no type: write {name}: str, for example")
        schema, converter = _schema(annotations[name], name, definitions)
        if name in described:
            schema = {**schema, "description": described[name]}
        elif not schema.get("description"):
            undescribed.append(name)
        if parameter.default is parameter.empty:
            required.append(name)
        elif (default := _json_default(parameter.default)) is not None:
            schema = {**schema, "default": default}
        properties[name] = schema
        if converter is not None:
            convert[name] = converter
    whole = {"type": "object", "properties": properties, "required": required}
    if definitions:
        whole["$defs"] = definitions
    return Signature(whole, convert, tuple(undescribed))


def _annotations(function: Callable[..., Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """The types of the parameters."""
    plain = _plain_annotations(function, names)
    if plain is not None:
        return plain
    try:
        return typing.get_type_hints(function, localns=dict(names), include_extras=True)
    except NameError as error:
        raise ConfigError(f"its annotations name {error.name!r}, which is not known where the class is made") from error
    except TypeError as error:
        raise ConfigError(f"its annotations cannot be read: {error}") from error


def _plain_annotations(function: Callable[..., Any], names: Mapping[str, Any]) -> dict[str, Any] | None:
    """The same where each is a class or the name of one; None otherwise. Most are, and `typing` compiles every name."""
    if hasattr(function, "__wrapped__"):
        return None
    scopes: tuple[Mapping[str, Any], ...] = (names, function.__globals__, vars(builtins))
    found: dict[str, Any] = {}
    for name, annotation in function.__annotations__.items():
        if name == "return":
            continue
        if isinstance(annotation, str):
            annotation = next((scope[annotation] for scope in scopes if annotation in scope), None)
        if not isinstance(annotation, type):
            return None
        found[name] = annotation
    return found


def _schema(
    annotation: Any, name: str, definitions: dict[str, Any]
) -> tuple[dict[str, Any], Callable[[Any], Any] | None]:
    """The schema of one annotation, and what makes its values; pydantic is asked for what is not plain."""
    plain = _plain_schema(annotation)
    if plain is not None:
        return plain
    note = ""
    if typing.get_origin(annotation) is typing.Annotated:
        inner, *metadata = typing.get_args(annotation)
        note = next((each for each in metadata if isinstance(each, str)), "")
        plain = _plain_schema(inner) if all(isinstance(each, str) for each in metadata) else None
        if plain is not None:
            return {**plain[0], "description": note}, plain[1]
    schema, convert = _pydantic_schema(annotation, name, definitions)
    return ({**schema, "description": note} if note else schema), convert


def _plain_schema(annotation: Any) -> tuple[dict[str, Any], Callable[[Any], Any] | None] | None:
    """The schema of an annotation that needs no library, or None."""
    if annotation is float:
        return _SIMPLE[float], float
    try:
        if annotation in _SIMPLE:
            return _SIMPLE[annotation], None
    except TypeError:  # not hashable
        return None
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        if all(value.__class__ in {str, int, bool} for value in arguments):
            return {"enum": list(arguments), **_type_of(arguments)}, None
    elif origin is list and len(arguments) == 1:
        item = _plain_schema(arguments[0])
        if item is not None and item[1] is None:
            return {"type": "array", "items": item[0]}, None
    elif origin in {typing.Union, types.UnionType} and type(None) in arguments and len(arguments) == 2:
        inner = _plain_schema(next(each for each in arguments if each is not type(None)))
        if inner is not None and inner[1] is None and "type" in inner[0] and "enum" not in inner[0]:
            return {**inner[0], "type": [inner[0]["type"], "null"]}, None
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        values = [member.value for member in annotation]
        if all(value.__class__ in {str, int} for value in values):
            return {"enum": values, **_type_of(values)}, annotation
    return None


def _type_of(values: Any) -> dict[str, str]:
    kinds = {value.__class__ for value in values}
    return {"type": _SIMPLE[kinds.pop()]["type"]} if len(kinds) == 1 else {}


def _pydantic_schema(
    annotation: Any, name: str, definitions: dict[str, Any]
) -> tuple[dict[str, Any], Callable[[Any], Any]]:
    from pydantic import ValidationError  # here, because plain annotations do not need it
    from pydantic.errors import PydanticUserError

    from agent_runtime_framework.state.pydantic_adapter import adapter_of

    try:
        adapter = adapter_of(annotation)
        schema = adapter.json_schema(ref_template="#/$defs/{model}")
    except MissingDependency as error:
        raise MissingDependency(f"parameter {name!r}: {error}") from error
    except (PydanticUserError, TypeError, NameError, ImportError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"parameter {name!r} has a type without a JSON schema: {reason}") from error
    definitions.update(schema.pop("$defs", {}))
    schema.pop("title", None)

    def convert(value: Any) -> Any:
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False, include_context=False)
            raise ValueError("; ".join(map(_problem, problems))) from error

    return schema, convert


def _problem(problem: Any) -> str:
    """One of pydantic's problems in words; where it lies comes first, when it lies within the value."""
    place = ".".join(map(str, problem["loc"]))
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])


def _json_default(default: Any) -> Any:
    """A default that can be told in JSON, or None."""
    if isinstance(default, Enum):
        default = default.value
    return default if isinstance(default, (str, int, float, bool)) else None


def _reason(error: ValueError) -> str:
    return str(error)[:300]
