"""Functions as syntax trees, and what their statements assign."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable
from types import FunctionType
from typing import Any

__all__ = ["assignments", "closure", "is_super", "tree_of"]


def assignments(node: ast.AST) -> Iterable[tuple[ast.expr, ast.expr | None]]:
    """The targets that a statement sets, each with its value; None where that is not one expression."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _pairs(target, value)
        case ast.AnnAssign(target=target, value=value) if value is not None:
            yield target, value
        case ast.NamedExpr(target=target, value=value):
            yield target, value
        case ast.AugAssign(target=target):
            yield target, None
        case ast.For(target=target, iter=table) | ast.AsyncFor(target=target, iter=table):
            yield target, ast.copy_location(ast.Subscript(table, ast.Constant(0), ast.Load()), table)


def _pairs(target: ast.expr, value: ast.expr) -> Iterable[tuple[ast.expr, ast.expr | None]]:
    if not isinstance(target, (ast.Tuple, ast.List)):
        yield target, value
    elif isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
        for each, part in zip(target.elts, value.elts, strict=True):
            yield from _pairs(each, part)
    else:
        for each in target.elts:
            yield each, None


def is_super(node: ast.expr) -> bool:
    """Whether an expression is a call of `super()`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def closure(function: FunctionType) -> dict[str, Any]:
    """What a function has taken from the functions around it, by name."""
    names = function.__code__.co_freevars
    cells = function.__closure__ or ()
    held: dict[str, Any] = {}
    for name, cell in zip(names, cells, strict=False):
        try:
            held[name] = cell.cell_contents
        except ValueError:  # not filled yet
            continue
    return held


def tree_of(function: FunctionType) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The function's definition, its first decorator on line 1; None when there is no source."""
    try:
        module = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    definition = module.body[0] if module.body else None
    return definition if isinstance(definition, (ast.FunctionDef, ast.AsyncFunctionDef)) else None
