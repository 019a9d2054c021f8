"""Guesses whether a tool acts on the world outside: pays, sends, deletes, books."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from types import FunctionType
from typing import Any, Final

__all__ = ["ACTING_MODULES", "ACTING_VERBS", "READING_CALLS", "side_effect_of"]

ACTING_VERBS: Final = (
    "bill",
    "book",
    "buy",
    "charge",
    "debit",
    "mail",
    "pay",
    "publish",
    "purchase",
    "refund",
    "send",
    "ship",
    "transfer",
    "withdraw",
)
"""First words of a tool's name, or of a method that it calls on something else than itself."""

ACTING_MODULES: Final = ("aiohttp", "aiosmtplib", "boto3", "httpx", "requests", "smtplib", "stripe", "twilio")
"""Packages through which a tool reaches the world."""

READING_CALLS: Final = ("get", "head", "options")
"""Calls of those packages that only read."""


def side_effect_of(name: str, function: Callable[..., Any] | None) -> str | None:
    """What makes a tool look as if it acted on the world, in a few words; None when nothing does.

    It is a guess by names: the tool's own, those of the methods it calls, and the packages it uses. What a function
    of the user's own does that the tool calls is not looked at.

    Args:
        name: The tool's name.
        function: Its method.
    """
    verb = _verb(name)
    if verb is not None:
        return f"its name begins with {verb!r}"
    function = inspect.unwrap(function) if function is not None else None
    tree = _tree(function)
    if tree is None or not isinstance(function, FunctionType):
        return None
    modules = _modules(function, tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            root, called = _root(node.func), node.func.attr
            package = modules.get(root or "")
            if package is not None and called not in READING_CALLS:
                return f"it calls {ast.unparse(node.func)[:60]}"
            on_itself = isinstance(node.func.value, ast.Name) and node.func.value.id == "self"
            if not on_itself and _verb(called) is not None:
                return f"it calls {ast.unparse(node.func)[:60]}"
    return None


def _verb(name: str) -> str | None:
    first = name.strip("_").partition("_")[0]
    return first if first in ACTING_VERBS else None


def _modules(function: FunctionType, tree: ast.AST) -> dict[str, str]:
    """The names by which a function knows packages that act, or something of theirs."""
    found: dict[str, str] = {}
    for name, value in function.__globals__.items():
        module = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
        package = module.partition(".")[0] if isinstance(module, str) else ""
        if package in ACTING_MODULES:
            found[name] = package
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                package = (getattr(node, "module", None) or alias.name).partition(".")[0]
                if package in ACTING_MODULES:
                    found[alias.asname or alias.name.partition(".")[0]] = package
    return found


def _root(node: ast.expr) -> str | None:
    """The name that a chain of attributes and calls begins with."""
    while isinstance(node, (ast.Attribute, ast.Call)):
        node = node.value if isinstance(node, ast.Attribute) else node.func
    return node.id if isinstance(node, ast.Name) else None


def _tree(function: Any) -> ast.Module | None:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
