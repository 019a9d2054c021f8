"""What a model is told about a tool: its name, its purpose and its parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from agent_runtime_core.errors import ConfigError

__all__ = ["DescribesTool", "ToolParameter", "ToolSchema", "ToolSchemaBuilder", "schemas_to_openai_format"]


_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


class DescribesTool(Protocol):
    """Anything that tells a model about a tool: a `ToolSchema`, or an object of your own."""

    def to_openai_format(self) -> dict[str, Any]:
        """`{"type": "function", "function": {"name", "description", "parameters"}}`."""
        ...


@dataclass
class ToolParameter:
    """One parameter of a tool."""

    name: str
    """The argument's name."""
    type: str
    """A JSON Schema type: `string`, `number`, `integer`, `boolean`, `array` or `object`."""
    description: str = ""
    """What the model should put there."""
    required: bool = False
    """Whether the tool cannot be called without it."""
    enum: list[Any] | None = None
    """The only values that are allowed; None allows all of the type."""
    items: dict[str, Any] | None = None
    """For an array: the JSON Schema of one item."""
    default: Any = None
    """The value that is meant when the model gives none; None says nothing about it."""

    def to_schema(self) -> dict[str, Any]:
        """The parameter as JSON Schema: `type`, and what else is set. The name is the key, and not in it."""
        schema: dict[str, Any] = {"type": self.type}
        if self.description:
            schema["description"] = self.description
        if self.enum:
            schema["enum"] = list(self.enum)
        if self.items:
            schema["items"] = self.items
        if self.default is not None:
            schema["default"] = self.default
        return schema


@dataclass
class ToolSchema:
    """One tool as it is offered to a model."""

    name: str
    """What the model calls it by."""
    description: str
    """What it does, and when to call it."""
    parameters: list[ToolParameter] = field(default_factory=list)
    """Its parameters, in the order in which the model reads them."""

    def to_openai_format(self) -> dict[str, Any]:
        """A new dict in OpenAI's form, `{"type": "function", "function": {...}}`; `required` is always there."""
        properties: dict[str, Any] = {}
        required: list[str] = []
        for parameter in self.parameters:
            properties[parameter.name] = parameter.to_schema()
            if parameter.required:
                required.append(parameter.name)
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": {"type": "object", "properties": properties, "required": required},
            },
        }


class ToolSchemaBuilder:
    """Writes a `ToolSchema` as a chain of calls.

    Args:
        name: The tool's name.

    Raises:
        ConfigError: No vendor takes such a name.
    """

    __slots__ = ("_description", "_name", "_parameters")

    def __init__(self, name: str) -> None:
        if not (name.isidentifier() and name.isascii() and len(name) <= 64) and not _TOOL_NAME.match(name):
            raise ConfigError(
                f"{name!r} is no name for a tool: vendors take 1 to 64 letters, digits, underscores and hyphens."
            )
        self._name = name
        self._description = ""
        self._parameters: list[tuple[Any, ...]] = []

    def description(self, text: str) -> ToolSchemaBuilder:
        """Set what the tool does, and return the builder."""
        self._description = text
        return self

    def param(
        self,
        name: str,
        type: str,
        description: str = "",
        required: bool = False,
        enum: list[Any] | None = None,
        items: dict[str, Any] | None = None,
        default: Any = None,
    ) -> ToolSchemaBuilder:
        """Add a parameter behind those added before, and return the builder. See `ToolParameter`.

        Raises:
            ConfigError: JSON Schema does not know the type.
        """
        if type not in _TYPES:
            raise ConfigError(
                f"parameter {name!r} of tool {self._name!r} has the type {type!r}; "
                f"JSON Schema knows {', '.join(sorted(_TYPES))}."
            )
        self._parameters.append((name, type, description, required, enum, items, default))
        return self

    def build(self) -> ToolSchema:
        """A new schema, which later changes of the builder and of its other schemas do not touch."""
        parameters = [ToolParameter(*values) for values in self._parameters]
        return ToolSchema(self._name, self._description, parameters)

    def to_openai_format(self) -> dict[str, Any]:
        """The schema in OpenAI's form, as `ToolSchema.to_openai_format` gives it."""
        return self.build().to_openai_format()


def schemas_to_openai_format(schemas: Iterable[ToolSchema]) -> list[dict[str, Any]]:
    """The schemas in OpenAI's form, in their order."""
    return [schema.to_openai_format() for schema in schemas]
