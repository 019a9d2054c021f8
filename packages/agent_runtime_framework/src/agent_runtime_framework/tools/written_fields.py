"""Which fields of the state a tool sets, by its source."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable
from types import FunctionType
from typing import Any

__all__ = ["written_fields"]

_DEEPEST = 8
"""How many calls deep helpers are followed."""

_CHANGING = frozenset(
    {"add", "append", "clear", "discard", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update"}
)
"""Methods of lists, dicts and sets that change them."""


def written_fields(method: Any, tools_class: type, state_class: type | None) -> tuple[str, ...]:
    """The fields that a tool may set, in the order of the source; empty when there is no source to read.

    Found are assignments to `self.state.field` and to what lies in it, calls that change a list, dict or set there,
    and `setattr` with a name that is written out: in the method and in the methods that it calls on `self` and on the
    state, also where the state has another name. Conditions are not weighed. `step` is none of them.

    Args:
        method: The tool, not bound to an object.
        tools_class: The class whose methods `self.` names.
        state_class: The class whose methods `self.state.` names; None when it is not known.
    """
    reader = _Reader(tools_class, state_class)
    reader.read(method, "tools")
    return tuple(name for name in reader.found if name != "step" and not name.startswith("_"))


class _Reader:
    def __init__(self, tools_class: type, state_class: type | None) -> None:
        self.classes = {"tools": tools_class, "state": state_class}
        self.found: dict[str, None] = {}
        self._read: set[Any] = set()

    def read(self, method: Any, first: str, depth: int = 0) -> None:
        """Read a method whose first parameter is the tools object or the state."""
        method = inspect.unwrap(method) if callable(method) else method
        if not isinstance(method, FunctionType) or method.__code__ in self._read or depth > _DEEPEST:
            return
        self._read.add(method.__code__)
        tree = _tree(method)
        if tree is None or not (parameters := [*tree.args.posonlyargs, *tree.args.args]):
            return
        nodes = sorted(
            (node for statement in tree.body for node in ast.walk(statement)),
            key=lambda node: (getattr(node, "lineno", 0), getattr(node, "col_offset", 0)),
        )
        scope = _Scope(parameters[0].arg, first, nodes)
        for node in nodes:
            self.found.update(dict.fromkeys(scope.fields_set(node)))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = scope.kind(node.func.value)
                owner_class = self.classes.get(owner or "")
                if owner is not None and owner_class is not None:
                    self.read(inspect.getattr_static(owner_class, node.func.attr, None), owner, depth + 1)


class _Scope:
    """One method with the names that stand for the tools object and the state in it."""

    def __init__(self, first_name: str, first: str, nodes: Iterable[ast.AST]) -> None:
        self._kinds = {first_name: first}
        for node in nodes:
            if isinstance(node, ast.Assign) and (kind := self.kind(node.value)) is not None:
                self._kinds.update({each.id: kind for each in node.targets if isinstance(each, ast.Name)})

    def kind(self, node: ast.expr) -> str | None:
        """What an expression stands for: `tools`, `state`, or something else."""
        if isinstance(node, ast.Name):
            return self._kinds.get(node.id)
        if isinstance(node, ast.Attribute) and node.attr == "state" and self.kind(node.value) == "tools":
            return "state"
        return None

    def fields_set(self, node: ast.AST) -> Iterable[str]:
        """The fields that this node by itself sets."""
        name: str | None = None
        if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, (ast.Store, ast.Del)):
            name = self._field_of(node)
        elif isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Attribute) and called.attr in _CHANGING:
                name = self._field_of(called.value)
            elif isinstance(called, ast.Name) and called.id == "setattr" and len(node.args) == 3:
                owner, key = node.args[:2]
                if self.kind(owner) == "state" and isinstance(key, ast.Constant):
                    name = str(key.value)
        return () if name is None else (name,)

    def _field_of(self, node: ast.expr) -> str | None:
        """The field in which something lies: `address` for `self.state.address.lines[0]`."""
        while isinstance(node, (ast.Attribute, ast.Subscript)):
            if isinstance(node, ast.Attribute) and self.kind(node.value) == "state":
                return node.attr
            node = node.value
        return None


def _tree(method: FunctionType) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    try:
        module = ast.parse(textwrap.dedent(inspect.getsource(method)))
    except (OSError, TypeError, SyntaxError):
        return None
    first = module.body[0] if module.body else None
    return first if isinstance(first, (ast.FunctionDef, ast.AsyncFunctionDef)) else None
