"""Which moves a tool makes, by its source: for tools that do not declare them, and to check those that do."""

from __future__ import annotations

import ast
import builtins
import inspect
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from types import FunctionType, ModuleType
from typing import Any

from agent_runtime_framework.agents.source_code import assignments, closure, is_super, tree_of
from agent_runtime_framework.agents.source_values import ANYTHING, Mark, Table, Thing, Values, union
from agent_runtime_framework.state import BaseJourneyState
from agent_runtime_framework.tools import BaseJourneyTools

__all__ = ["SourceMove", "SourceMoves", "moves_in_source", "state_class_of"]

_DEEPEST = 8
"""How many calls deep helper functions are followed."""


@dataclass(frozen=True, slots=True, order=True)
class SourceMove:
    """A place in the source that sets the step."""

    file: str
    """The file."""
    line: int
    """The line of the assignment or the call."""
    step: Any
    """The step that is set; None where the source does not tell which."""


@dataclass(frozen=True, slots=True)
class SourceMoves:
    """The moves that a tool's source makes, whatever the conditions around them."""

    places: tuple[SourceMove, ...]
    """Where the step is set, each step at each place once, in the order of the source."""
    is_readable: bool = True
    """Whether the tool's own source was there to be read."""

    @property
    def steps(self) -> tuple[Any, ...]:
        """The steps it may move to, each once, in the order of the source."""
        return tuple(dict.fromkeys(place.step for place in self.places if place.step is not None))

    @property
    def unclear(self) -> tuple[SourceMove, ...]:
        """The places that set a step of which the source does not tell which."""
        return tuple(place for place in self.places if place.step is None)

    @property
    def is_complete(self) -> bool:
        """Whether there is no move that could not be read."""
        return self.is_readable and not self.unclear


def moves_in_source(
    method: Callable[..., Any],
    tools_class: type,
    step_class: type[Enum],
    state_class: type | None = None,
) -> SourceMoves:
    """Read the moves that a tool makes.

    Found are assignments to the state's `step`, `set_step()` and `setattr()`, also through other names of the state,
    of the enum and of its members, in conditional expressions and through tables; in the method itself and in what it
    calls: methods of the tools, of the state, functions of the module, and in what those return. Conditions are not
    weighed: a move that happens sometimes is a move.

    Args:
        method: The tool, not bound to an object.
        tools_class: The class whose methods `self.` names.
        step_class: The journey's steps.
        state_class: The class of the state; that of the tools' type argument when None.
    """
    method = inspect.unwrap(method)
    reader = _Reader(tools_class, step_class, state_class or state_class_of(tools_class))
    if not isinstance(method, FunctionType) or not reader.read(method, [frozenset({Mark.TOOLS})], {}):
        return SourceMoves((), is_readable=False)
    return SourceMoves(tuple(dict.fromkeys(reader.found)))


def state_class_of(tools_class: type) -> type | None:
    """The state class that a tools class names as its type argument, or None."""
    for owner in tools_class.__mro__:
        for generic in vars(owner).get("__orig_bases__", ()):
            origin = typing.get_origin(generic)
            if inspect.isclass(origin) and issubclass(origin, BaseJourneyTools):
                given = typing.get_args(generic)[0]
                given = typing.get_origin(given) or given
                return given if inspect.isclass(given) and issubclass(given, BaseJourneyState) else None
    return None


class _Reader:
    """Collects moves over a method and all that it calls.

    Args:
        tools_class: The class behind `Mark.TOOLS`.
        step_class: The steps.
        state_class: The class behind `Mark.STATE`, if it is known.
    """

    def __init__(self, tools_class: type, step_class: type[Enum], state_class: type | None) -> None:
        self.step_class = step_class
        self.classes: dict[Any, type | None] = {Mark.TOOLS: tools_class, Mark.STATE: state_class}
        self.found: list[SourceMove] = []
        self._reading: list[Any] = []  # functions on the way down, with what they were given
        self._trees: dict[Any, ast.FunctionDef | ast.AsyncFunctionDef | None] = {}

    def read(self, function: FunctionType, given: Iterable[Values], named: Mapping[str, Values]) -> bool:
        """Read a function that is called with these arguments; False when there is no source to read."""
        scope = self._scope(function, given, named)
        if scope is not None:
            with self._inside(scope) as is_new:
                if is_new:
                    scope.read()
        return scope is not None

    def result(self, function: FunctionType, given: Iterable[Values], named: Mapping[str, Values]) -> Values:
        """What a function returns when it is called with these arguments."""
        scope = self._scope(function, given, named)
        if scope is None:
            return ANYTHING
        with self._inside(scope) as is_new:
            return scope.returned() if is_new else frozenset()

    def _scope(self, function: FunctionType, given: Iterable[Values], named: Mapping[str, Values]) -> _Scope | None:
        code = function.__code__
        if code not in self._trees:
            self._trees[code] = tree_of(function)
        tree = self._trees[code]
        return None if tree is None else _Scope(self, function, tree, list(given), named)

    @contextmanager
    def _inside(self, scope: _Scope) -> Iterator[bool]:
        """Go into a function; False where that has been done on the way here, or it is too far down."""
        if scope.key in self._reading or len(self._reading) >= _DEEPEST:
            yield False
            return
        self._reading.append(scope.key)
        try:
            yield True
        finally:
            self._reading.pop()


class _Scope:
    """One function with what its names stand for."""

    def __init__(
        self,
        reader: _Reader,
        function: FunctionType,
        tree: ast.FunctionDef | ast.AsyncFunctionDef,
        given: list[Values],
        named: Mapping[str, Values],
    ) -> None:
        self._reader = reader
        self._function = function
        self.key = (function.__code__, tuple(given), tuple(sorted(named.items(), key=lambda item: item[0])))
        self._around: dict[str, Any] = {**vars(builtins), **function.__globals__, **closure(function)}
        self._names: dict[str, Values] = {}
        self._assigned: dict[str, list[ast.expr]] = {}
        self._resolving: set[str] = set()
        arguments = tree.args
        positional = [argument.arg for argument in [*arguments.posonlyargs, *arguments.args]]
        everything = [*positional, *(argument.arg for argument in arguments.kwonlyargs)]
        self._names.update(dict.fromkeys(everything, ANYTHING))
        defaults: list[tuple[str, ast.expr | None]] = [
            *zip(reversed(positional), reversed(arguments.defaults), strict=False),
            *zip((argument.arg for argument in arguments.kwonlyargs), arguments.kw_defaults, strict=True),
        ]
        for name, default in defaults:
            if default is not None:
                self._names[name] = self.value(default)
        self._names.update(zip(positional, given, strict=False))
        self._names.update({name: value for name, value in named.items() if name in self._names})

        self._nodes = [node for statement in tree.body for node in ast.walk(statement)]
        for node in self._nodes:
            for target, value in assignments(node):
                if isinstance(target, ast.Name):
                    self._assigned.setdefault(target.id, []).append(ast.Constant(None) if value is None else value)

    def returned(self) -> Values:
        """What the function gives back."""
        values = [node.value for node in self._nodes if isinstance(node, ast.Return) and node.value is not None]
        return union(map(self.value, values)) if values else ANYTHING

    def read(self) -> None:
        """Find the moves of the function's body, in the order of the source."""
        for node in sorted(self._nodes, key=lambda node: (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))):
            for target, value in assignments(node):
                if isinstance(target, ast.Attribute) and target.attr == "step" and self._is_state(target.value):
                    self._found(target, ANYTHING if value is None else self.value(value))
            if isinstance(node, ast.Call):
                self._call(node)

    def _call(self, node: ast.Call) -> None:
        """A call may set the step itself, or hand the state to a function that does."""
        called = node.func
        if isinstance(called, ast.Attribute) and called.attr == "set_step" and self._is_state(called.value):
            chosen = node.args[0] if node.args else next((each.value for each in node.keywords), None)
            self._found(node, ANYTHING if chosen is None else self.value(chosen))
            return
        if isinstance(called, ast.Name) and called.id == "setattr" and len(node.args) == 3:
            state, name, chosen = node.args
            if isinstance(name, ast.Constant) and name.value == "step" and self._is_state(state):
                self._found(node, self.value(chosen))
            return
        given, named = self._arguments(node)
        touches = {Mark.STATE, Mark.TOOLS}
        for function, bound in self._functions(called):
            if any(value & touches for value in [*bound, *given, *named.values()]):
                self._reader.read(function, [*bound, *given], named)

    def _arguments(self, node: ast.Call) -> tuple[list[Values], dict[str, Values]]:
        given = [ANYTHING if isinstance(each, ast.Starred) else self.value(each) for each in node.args]
        return given, {each.arg: self.value(each.value) for each in node.keywords if each.arg is not None}

    def _functions(self, called: ast.expr) -> Iterable[tuple[FunctionType, list[Values]]]:
        """The functions that an expression names: of the module, of the tools or the state; with their `self`."""
        if isinstance(called, ast.Name) and isinstance(helper := self._around.get(called.id), FunctionType):
            yield helper, []
        if not isinstance(called, ast.Attribute):
            return
        owner: type | None
        if is_super(called.value):
            first = next(iter(self._names.values()), ANYTHING)
            for mark in first & self._reader.classes.keys():
                owner = self._reader.classes[mark]
                for base in owner.__mro__ if owner is not None else ():
                    method = vars(base).get(called.attr)
                    is_own = isinstance(method, FunctionType) and method.__code__ is self._function.__code__
                    if isinstance(method, FunctionType) and not is_own:
                        yield method, [frozenset({mark})]
                        break
            return
        for mark in self.value(called.value) & self._reader.classes.keys():
            owner = self._reader.classes[mark]
            method = inspect.getattr_static(owner, called.attr, None) if owner is not None else None
            bound: list[Values] = [] if isinstance(method, staticmethod) else [frozenset({mark})]
            function = inspect.unwrap(getattr(method, "__func__", method)) if callable(method) else None
            if isinstance(function, FunctionType):
                yield function, bound

    def _found(self, node: ast.expr, values: Values) -> None:
        """Note what the step is set to."""
        steps = [value for value in values if isinstance(value, self._reader.step_class)]
        order = list(self._reader.step_class)
        place = (self._function.__code__.co_filename, self._function.__code__.co_firstlineno + node.lineno - 1)
        self._reader.found.extend(SourceMove(*place, step) for step in sorted(steps, key=order.index))
        if len(steps) < len(values) or not values:
            self._reader.found.append(SourceMove(*place, None))

    def _is_state(self, node: ast.expr) -> bool:
        return Mark.STATE in self.value(node)

    def value(self, node: ast.expr) -> Values:
        """What an expression may come to."""
        match node:
            case ast.Name(id=name):
                return self._name(name)
            case ast.Attribute(value=owner, attr=attribute):
                return union(self._attribute(each, attribute) for each in self.value(owner))
            case ast.IfExp(body=body, orelse=orelse):
                return self.value(body) | self.value(orelse)
            case ast.BoolOp(values=values):
                return union(map(self.value, values))
            case ast.NamedExpr(value=inner) | ast.Await(value=inner):
                return self.value(inner)
            case ast.Dict(values=values):
                return frozenset({Table(union(map(self.value, values)))})
            case ast.List(elts=values) | ast.Tuple(elts=values):
                return frozenset({Table(union(map(self.value, values)))})
            case ast.Subscript(value=table, slice=key):
                return union(self._item(each, key) for each in self.value(table))
            case ast.Call():
                return self._result(node)
        return ANYTHING

    def _name(self, name: str) -> Values:
        assigned = self._assigned.get(name)
        values = self._names.get(name)
        if assigned and name not in self._resolving:
            self._resolving.add(name)
            try:
                return union(map(self.value, assigned)) | (values or frozenset())
            finally:
                self._resolving.discard(name)
        if values is not None:
            return values
        return ANYTHING if assigned or name not in self._around else self._object(self._around[name])

    def _attribute(self, owner: Any, attribute: str) -> Values:
        if owner is Mark.TOOLS and attribute == "state":
            return frozenset({Mark.STATE})
        if owner in (Mark.TOOLS, Mark.STATE):
            owner = Thing(self._reader.classes[owner])
        if isinstance(owner, Thing) and (inspect.isclass(owner.value) or isinstance(owner.value, ModuleType)):
            found = inspect.getattr_static(owner.value, attribute, None)
            if inspect.isclass(owner.value) and issubclass(owner.value, Enum):
                found = owner.value.__members__.get(attribute)
            return ANYTHING if found is None else self._object(found)
        return ANYTHING

    def _item(self, table: Any, key: ast.expr) -> Values:
        if isinstance(table, Table):
            return table.values
        if isinstance(table, Thing) and table.value is self._reader.step_class and isinstance(key, ast.Constant):
            step = self._reader.step_class.__members__.get(str(key.value))
            return ANYTHING if step is None else frozenset({step})
        return ANYTHING

    def _result(self, node: ast.Call) -> Values:
        """What a call gives: a step made of its value, an entry of a table, or what nobody knows."""
        called = node.func
        if isinstance(called, ast.Attribute) and called.attr == "get" and 1 <= len(node.args) <= 2:
            tables = [each for each in self.value(called.value) if isinstance(each, Table)]
            if tables:
                return union(table.values for table in tables) | union(map(self.value, node.args[1:]))
        if len(node.args) == 1 and isinstance(node.args[0], ast.Constant):
            for each in self.value(called):
                if isinstance(each, Thing) and each.value is self._reader.step_class:
                    try:
                        return frozenset({self._reader.step_class(node.args[0].value)})
                    except ValueError:
                        return ANYTHING
        functions = list(self._functions(called))
        if not functions:
            return ANYTHING
        given, named = self._arguments(node)
        return union(self._reader.result(function, [*bound, *given], named) for function, bound in functions)

    def _object(self, found: Any) -> Values:
        """A thing of the program, as far as it matters here."""
        if isinstance(found, self._reader.step_class):
            return frozenset({found})
        if isinstance(found, Mapping):
            return frozenset({Table(union(map(self._object, found.values())))})
        if isinstance(found, (list, tuple)):
            return frozenset({Table(union(map(self._object, found)))})
        return frozenset({Thing(found)}) if inspect.isclass(found) or inspect.ismodule(found) else ANYTHING
