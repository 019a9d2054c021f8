"""Every module says what it is for, and every package says what it offers."""

from __future__ import annotations

import ast
import importlib
from types import ModuleType

import pytest

VAGUE_NAMES = {"base", "common", "helpers", "misc", "util", "utils"}
PROMISED_NAMES = {"django_agent_runtime.models.base"}
"""Projects import from there."""


def test_every_module_opens_with_a_docstring(module: str, source: str) -> None:
    docstring = ast.get_docstring(ast.parse(source))

    assert docstring, f"{module} does not say what it is for"
    assert docstring.splitlines()[0].endswith("."), f"{module}: the first line is one sentence"


def test_every_module_has_a_telling_name(module: str) -> None:
    assert module.rsplit(".", 1)[-1] not in VAGUE_NAMES or module in PROMISED_NAMES


def test_every_package_offers_exactly_what_it_lists(package: str, source: str) -> None:
    # Given
    imported = importlib.import_module(package)
    offered = getattr(imported, "__all__", None)
    assert offered is not None, f"{package} has no __all__"

    # Then: each listed name is there, once (ruff's RUF022 keeps the list sorted)
    missing = [name for name in offered if not hasattr(imported, name)]
    assert missing == []
    assert len(set(offered)) == len(offered)

    # And: each name that the package imports for its users is listed
    unlisted = public_names(imported, source) - set(offered)
    assert unlisted == set()


def test_a_package_init_holds_no_logic(package: str, source: str) -> None:
    for statement in ast.parse(source).body:
        match statement:
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
                pass
            case ast.Assign() | ast.AnnAssign():
                pass
            case ast.FunctionDef(name="__getattr__" | "__dir__"):  # lazy re-exports keep imports light
                pass
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                pass
            case _:
                pytest.fail(f"{package}, line {statement.lineno}: an __init__ re-exports, nothing else")


def public_names(imported: ModuleType, source: str) -> set[str]:
    """The names without underscore that the package's own statements import from inside our packages."""
    names: set[str] = set()
    for statement in ast.walk(ast.parse(source)):
        if isinstance(statement, ast.ImportFrom) and "agent_runtime" in (statement.module or "").split(".")[0]:
            names |= {alias.asname or alias.name for alias in statement.names}
    return {name for name in names if not name.startswith("_")}
