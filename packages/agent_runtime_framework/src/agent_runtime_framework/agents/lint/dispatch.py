"""How a journey of the user's own finds the method of a tool call."""

from __future__ import annotations

import ast
import inspect
import textwrap
from types import FunctionType

__all__ = ["Dispatch"]


class Dispatch:
    """What an `execute_tool` does with the name of a tool, by its source.

    Args:
        execute: The method; None when the class has the framework's.
    """

    def __init__(self, execute: FunctionType | None) -> None:
        self._execute = execute
        tree = None if execute is None else _tree(execute)
        self.goes_by_name = execute is None or (tree is not None and _gets_by_name(execute, tree))
        """Whether calls run the methods of their names, but for tools that it names itself."""
        self.moves_itself = tree is not None and _sets_step(tree)
        """Whether it moves the journey on its own."""

    def runs_method_of(self, tool: str) -> bool:
        """Whether a call of this tool runs the method of its name."""
        return self.goes_by_name and (self._execute is None or tool not in self._execute.__code__.co_consts)


def _gets_by_name(execute: FunctionType, tree: ast.Module) -> bool:
    """Whether there is a `getattr(tools, name)` with the name as it came."""
    parameters = execute.__code__.co_varnames[: execute.__code__.co_argcount]
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "getattr"
        and len(node.args) >= 2
        and isinstance(node.args[1], ast.Name)
        and node.args[1].id in parameters
        for node in ast.walk(tree)
    )


def _sets_step(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (
            node.attr == "set_step" or (node.attr == "step" and isinstance(node.ctx, ast.Store))
        ):
            return True
    return False


def _tree(function: FunctionType) -> ast.Module | None:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
