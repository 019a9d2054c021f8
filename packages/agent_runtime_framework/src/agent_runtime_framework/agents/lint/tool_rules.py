"""Rules on tools: they are offered, go where they say, and have names of their own."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

from agent_runtime_framework.agents.lint.finding import Place
from agent_runtime_framework.agents.lint.journey_view import JourneyView
from agent_runtime_framework.agents.lint.side_effects import side_effect_of
from agent_runtime_framework.agents.lint.source_places import own_functions
from agent_runtime_framework.agents.lint.step_view import ToolView
from agent_runtime_framework.tools import BaseJourneyTools, ToolSpec

__all__ = ["tool_findings"]

_NO_TOOLS = frozenset({"aclose", "close"})


def tool_findings(view: JourneyView) -> Iterator[tuple[str, Place, str]]:
    """Code, place and sentence of each finding about tools and their moves."""
    yield from _not_offered(view)
    for tool in view.tools.values():
        place = _place(view, tool)
        if tool.spec is not None:
            yield from _moves(view, tool, tool.spec)
            for requirement in tool.spec.requires:
                if isinstance(requirement, str) and not _has(view, requirement):
                    why = f"Tool {tool.name} requires {requirement!r}, which {view.state_class.__name__} does not have."
                    yield "J206", place, why
        effect = None if tool.spec is not None and tool.spec.once else side_effect_of(tool.name, tool.function)
        if effect is not None:
            yield "J205", place, f"Tool {tool.name} seems to act on the world outside ({effect}), and may run twice."
    yield from _twice(view)
    yield from _steps_that_are_none(view)


def _place(view: JourneyView, tool: ToolView) -> Place:
    return view.places.of_function(tool.function) if tool.function is not None else view.places.of_schema(tool.name)


def _not_offered(view: JourneyView) -> Iterator[tuple[str, Place, str]]:
    if any(failure.method == "get_tool_schemas" for each in view.steps.values() for failure in each.failures):
        return
    offered = {name for each in view.steps.values() for name in each.tools}
    functions = own_functions(view.tools_class)
    in_use = {
        used
        for owner in (view.tools_class, view.agent_class)
        for name, function in own_functions(owner).items()
        for used in _names_used(function.__code__)
        if used != name
    }
    for name, function in functions.items():
        is_public = not name.startswith("_") and name not in _NO_TOOLS and not hasattr(BaseJourneyTools, name)
        is_meant = is_public and inspect.iscoroutinefunction(function) and view.dispatch.goes_by_name
        is_tool = name in view.tools or is_meant
        if is_tool and name not in offered and (name in view.tools or name not in in_use):
            yield "J201", view.places.of_function(function), f"No step offers {name}."


def _names_used(code: Any) -> Iterator[str]:
    yield from code.co_names
    for each in code.co_consts:
        if inspect.iscode(each):
            yield from _names_used(each)
        elif isinstance(each, str) and each.isidentifier():
            yield each  # getattr(self, "name")


def _moves(view: JourneyView, tool: ToolView, spec: ToolSpec) -> Iterator[tuple[str, Place, str]]:
    """What the source of a declared tool does, against its declaration."""
    moves = tool.moves
    if moves is None:
        return
    told: set[Any] = set()
    for each in moves.places:
        stays = spec.steps is not None and set(spec.steps) == {each.step}
        if each.step is not None and each.step not in spec.to and not stays and each.step not in told:
            told.add(each.step)
            declared = ", ".join(_name(step) for step in spec.to) or "to stay"
            yield (
                "J202",
                (each.file, each.line),
                f"Tool {tool.name} moves to {_name(each.step)} here, and declares {declared}.",
            )
    if len(spec.to) > 1 and moves.is_complete:
        for step in spec.to:
            if step not in moves.steps:
                why = f"Tool {tool.name} declares a move to {_name(step)}, and its source never makes it."
                yield "J203", (spec.file, spec.line), why


def _has(view: JourneyView, name: str) -> bool:
    return hasattr(view.state_class, name) or name in view.state_fields


def _twice(view: JourneyView) -> Iterator[tuple[str, Place, str]]:
    for each in view.steps.values():
        for name in sorted(each.twice):
            yield "J204", view.places.of_schema(name), f"Step {each.name} offers two tools named {name}."
    file, body = view.places.class_body(view.tools_class)
    first: dict[str, int] = {}
    for node in body.body if body is not None else ():
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
            if any(isinstance(each, ast.Attribute) or _is_overload(each) for each in node.decorator_list):
                continue  # `@name.setter` and `@overload` are no second tool
            if node.name in first:
                place = (file, node.lineno)
                yield (
                    "J204",
                    place,
                    f"{node.name} takes the place of the method of this name in line {first[node.name]}.",
                )
            first.setdefault(node.name, node.lineno)


def _is_overload(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "overload"


def _steps_that_are_none(view: JourneyView) -> Iterator[tuple[str, Place, str]]:
    """Members of the step enum that the tools name and it does not have."""
    enum = view.step_class
    values = {member.value for member in enum}
    for owner in (view.tools_class, view.state_class):
        file, body = view.places.class_body(owner)
        for node in ast.walk(body) if body is not None else ():
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == enum.__name__:
                if not hasattr(enum, node.attr):
                    yield "J207", (file, node.lineno), f"{enum.__name__} has no member {node.attr}."
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                target = node.targets[0]
                given = node.value.value
                if isinstance(target, ast.Attribute) and target.attr == "step" and isinstance(given, str):
                    if given not in values:
                        yield "J207", (file, node.lineno), f"{enum.__name__} has no member of the value {given!r}."


def _name(step: Any) -> str:
    return str(getattr(step, "name", step))
