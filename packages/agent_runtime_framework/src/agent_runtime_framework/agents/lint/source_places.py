"""Where in the source something is written."""

from __future__ import annotations

import ast
import inspect
import linecache
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from functools import cached_property
from types import FunctionType
from typing import Any, TypeGuard

from agent_runtime_framework.agents.lint.finding import Place

__all__ = ["NOWHERE", "SourcePlaces", "own_functions", "silenced_at"]

NOWHERE: Place = ("", 0)

_OURS = ("agent_runtime_core", "agent_runtime_framework")
_LONGEST_HEAD = 30
_SILENCED = re.compile(r"#.*?\blint:\s*(J\d{3}(?:\s*,\s*J\d{3})*)")


def silenced_at(place: Place) -> frozenset[str]:
    """The codes that a comment `# lint: J101, J102` on this line silences; for a method, on any line of its head."""
    file, line = place
    codes: set[str] = set()
    in_head = file and linecache.getline(file, line).lstrip().startswith("@")
    for number in range(line, line + (_LONGEST_HEAD if in_head else 1)) if file else ():
        text = linecache.getline(file, number)
        if found := _SILENCED.search(text):
            codes.update(each.strip() for each in found.group(1).split(","))
        if text.lstrip().startswith(("def ", "async def ", "class ")):
            break
    return frozenset(codes)


def own_functions(owner: type | None) -> dict[str, FunctionType]:
    """The methods of a class and its bases that are not the framework's, by name."""
    found: dict[str, FunctionType] = {}
    for each in reversed(owner.__mro__ if owner is not None else ()):
        if _is_the_users(each):
            functions = {name: inspect.unwrap(value) for name, value in vars(each).items() if callable(value)}
            found.update({name: value for name, value in functions.items() if _is_own(value)})
    return found


def _is_own(value: object) -> TypeGuard[FunctionType]:
    """Whether this is a function of the user's; a class also holds the framework's defaults."""
    return isinstance(value, FunctionType) and (value.__module__ or "").partition(".")[0] not in _OURS


class SourcePlaces:
    """The source of a journey's classes.

    Args:
        agent_class: The agent's class.
        others: The classes of its state, tools and steps, as far as they are known.
    """

    def __init__(self, agent_class: type, others: Iterable[type | None]) -> None:
        self._agent_class = agent_class
        self._classes = [agent_class, *(each for each in others if each is not None)]

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        """The files in which the classes are written, parsed."""
        names: dict[str, None] = {}
        for owner in self._classes:
            for function in own_functions(owner).values():
                names[function.__code__.co_filename] = None
            for each in owner.__mro__:
                module = sys.modules.get(each.__module__)
                if _is_the_users(each) and getattr(module, "__file__", None):
                    names[str(getattr(module, "__file__", ""))] = None
        found: dict[str, ast.Module] = {}
        for name in names:
            try:
                lines = linecache.getlines(name)
                if lines:
                    found[name] = ast.parse("".join(lines))
            except (SyntaxError, ValueError):
                continue
        return found

    def agent(self) -> Place:
        """The agent's class, or the nearest base that is written somewhere."""
        places = (self.of_class(each) for each in self._agent_class.__mro__ if _is_the_users(each))
        return next((place for place in places if place != NOWHERE), NOWHERE)

    def of_class(self, owner: type | None) -> Place:
        """A class."""
        file, node = self._class(owner)
        return (file, node.lineno) if node is not None else NOWHERE

    def of_function(self, function: Callable[..., Any] | None) -> Place:
        """A function or method; the agent's class when it is none of the user's."""
        function = inspect.unwrap(function) if function is not None else None
        if isinstance(function, FunctionType) and not function.__module__.startswith("agent_runtime_framework."):
            return function.__code__.co_filename, function.__code__.co_firstlineno
        return self.agent()

    def of_method(self, name: str) -> Place:
        """A method of the agent."""
        return self.of_function(own_functions(self._agent_class).get(name))

    def of_step(self, step: Any) -> Place:
        """A member of the step enum."""
        file, node = self._class(type(step)) if isinstance(step, Enum) else ("", None)
        for statement in node.body if node is not None else ():
            if isinstance(statement, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == step.name for target in statement.targets
            ):
                return file, statement.lineno
        return self.agent()

    def of_prompt(self, step: Any) -> Place:
        """The prompt of a step: its entry in a dict of prompts, or else the method that gives prompts."""
        name = getattr(step, "name", None)
        for file, tree in self.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.Dict):
                    for key, value in zip(node.keys, node.values, strict=True):
                        if isinstance(key, ast.Attribute) and key.attr == name and _is_text(value):
                            return file, key.lineno
        return self.of_method("get_system_prompt")

    def of_schema(self, tool: str, parameter: str | None = None) -> Place:
        """Where a tool's schema is built, or the parameter in it; else the method that offers tools."""
        whole: Place | None = None
        for file, node in self._nodes(ast.Call):
            if _names_schema(node, tool):
                whole = whole or (file, node.lineno)
                part = _parameter_in(node, parameter)
                if part is not None:
                    return file, part
            elif (
                isinstance(node.func, ast.Attribute) and node.func.attr == "param" and _names_schema(_root(node), tool)
            ):
                if node.args and _text(node.args[0]) == parameter:
                    return file, node.args[0].lineno
        return whole or self.of_method("get_tool_schemas")

    def _nodes(self, kind: type[ast.Call]) -> Iterator[tuple[str, ast.Call]]:
        for file, tree in self.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, kind):
                    yield file, node

    def class_body(self, owner: type | None) -> tuple[str, ast.ClassDef | None]:
        """The file and the definition of a class; None without its source."""
        return self._class(owner)

    def _class(self, owner: type | None) -> tuple[str, ast.ClassDef | None]:
        if owner is None:
            return NOWHERE[0], None
        lines = [function.__code__.co_firstlineno for function in own_functions(owner).values()]
        best: tuple[int, str, ast.ClassDef] | None = None
        for file, tree in self.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and node.name == owner.__name__:
                    inside = sum(node.lineno <= line <= (node.end_lineno or 0) for line in lines)
                    if issubclass(owner, Enum):
                        inside = sum(isinstance(each, ast.Assign) for each in node.body)
                        inside = -abs(inside - len(owner))
                    if best is None or inside > best[0]:
                        best = (inside, file, node)
        return (best[1], best[2]) if best is not None else (NOWHERE[0], None)


def _is_the_users(owner: type) -> bool:
    package = owner.__module__.partition(".")[0]
    return package not in _OURS and package not in sys.stdlib_module_names


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        called = node.func
        is_template = (called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")) == "PromptTemplate"
        return is_template or (isinstance(called, ast.Attribute) and _is_text(called.value))
    if isinstance(node, ast.BinOp):
        return _is_text(node.left) or _is_text(node.right)
    return isinstance(node, ast.JoinedStr) or _text(node) is not None


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _names_schema(node: ast.Call | None, tool: str) -> bool:
    if node is None:
        return False
    called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if called not in {"ToolSchemaBuilder", "ToolSchema"}:
        return False
    given = node.args[0] if node.args else next((each.value for each in node.keywords if each.arg == "name"), None)
    return _text(given) == tool


def _root(node: ast.Call) -> ast.Call | None:
    """The call that a chain of calls begins with."""
    called: ast.expr = node
    while isinstance(called, ast.Call) and isinstance(called.func, ast.Attribute):
        called = called.func.value
    return called if isinstance(called, ast.Call) else None


def _parameter_in(node: ast.Call, parameter: str | None) -> int | None:
    """The line of a `ToolParameter(...)` within a `ToolSchema(...)`."""
    for each in ast.walk(node):
        if each is not node and isinstance(each, ast.Call) and parameter is not None:
            given = each.args[0] if each.args else next((k.value for k in each.keywords if k.arg == "name"), None)
            if _text(given) == parameter:
                return each.lineno
    return None
