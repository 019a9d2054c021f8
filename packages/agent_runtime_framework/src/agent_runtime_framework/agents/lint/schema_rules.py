"""Rules on what the model is told of a tool, against the method that runs."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any

from agent_runtime_framework.agents.lint.finding import Place
from agent_runtime_framework.agents.lint.journey_view import JourneyView
from agent_runtime_framework.agents.lint.step_view import ToolView

__all__ = ["schema_findings"]

_JSON_TYPES: dict[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
}


def schema_findings(view: JourneyView) -> Iterator[tuple[str, Place, str]]:
    """Code, place and sentence of each finding about the schemas of tools."""
    for tool in view.variants:
        if tool.spec is None:
            yield from _against_method(view, tool)
        if not tool.description.strip():
            yield "J306", _place(view, tool), f"The model is not told what {tool.name} does."
        for name, schema in tool.properties.items():
            if not isinstance(schema, dict) or not schema.get("description"):
                yield "J305", _place(view, tool, name), f"The model is not told what {name} of {tool.name} is."


def _place(view: JourneyView, tool: ToolView, parameter: str | None = None) -> Place:
    if tool.spec is not None:
        return tool.spec.file, tool.spec.line
    return view.places.of_schema(tool.name, parameter)


def _against_method(view: JourneyView, tool: ToolView) -> Iterator[tuple[str, Place, str]]:
    """The schema of a tool that is not declared with `@tool`, against the method of its name."""
    if view.tools_class is None or not view.dispatch.runs_method_of(tool.name):
        return
    if tool.function is None:
        yield "J301", _place(view, tool), f"{view.tools_class.__name__} has no method {tool.name}."
        return
    try:
        takes = dict(list(inspect.signature(tool.function).parameters.items())[1:])
    except (TypeError, ValueError):
        return
    method = f"{view.tools_class.__name__}.{tool.name}"
    takes_any = any(each.kind is each.VAR_KEYWORD for each in takes.values())
    required = tool.parameters.get("required")
    required = required if isinstance(required, list) else []
    for name in tool.properties:
        if name not in takes and not takes_any:
            yield "J302", _place(view, tool, name), f"{method} does not take {name}, which the schema offers."
    for name, each in takes.items():
        if each.default is each.empty and each.kind in {each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY}:
            if name not in tool.properties:
                yield "J303", _place(view, tool), f"{method} needs {name}, which the schema does not have."
            elif name not in required:
                yield "J303", _place(view, tool, name), f"{method} needs {name}, which the schema lets the model omit."
    for name, wanted in _types(tool.function).items():
        schema = tool.properties.get(name)
        given = schema.get("type") if isinstance(schema, dict) else None
        for told in given if isinstance(given, list) else [given]:
            if isinstance(told, str) and told not in wanted:
                why = f"The schema says that {name} of {tool.name} is {told}, and {method} takes {' or '.join(wanted)}."
                yield "J304", _place(view, tool, name), why
                break


def _types(function: Callable[..., Any]) -> dict[str, tuple[str, ...]]:
    """The JSON types that a method's parameters take, as far as their annotations tell plainly."""
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # an annotation may name what is not there at run time
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for name, hint in hints.items():
        is_union = typing.get_origin(hint) in {typing.Union, types.UnionType}
        parts = typing.get_args(hint) if is_union else (hint,)
        names = [
            "null" if part is type(None) else _JSON_TYPES.get(typing.get_origin(part) or part, "") for part in parts
        ]
        if all(names):
            found[name] = tuple(names) + (("integer",) if "number" in names else ())
    return found
