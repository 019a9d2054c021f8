"""Running the Python blocks of a page, one after the other, as one reader would type them."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import logging
import os
import sys
from collections.abc import Coroutine, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from agent_runtime_core import config as core_config
from agent_runtime_framework import config as framework_config
from tests.docs.markdown_page import Block, Page

__all__ = ["PLACEHOLDER", "PageRun"]

T = TypeVar("T")

PLACEHOLDER = "..."
"""The key in the table of free names for what a page writes as `...` between the parentheses of a call."""

_OURS = ("AGENT_RUNTIME_", "OPENAI_", "ANTHROPIC_")
_LOGGERS = ("agent_runtime_core", "agent_runtime_framework")


class PageRun:
    """One reader at work: a namespace, an event loop, a directory and a process-wide configuration of their own.

    Between two blocks the process is as it was before; what a block has configured is there again for the next one
    of its page.

    Args:
        page: The page.
        directory: The present directory of its blocks.
        free_names: Names that the page uses without saying where they come from.
    """

    def __init__(self, page: Page, directory: Path, free_names: Mapping[str, Any]) -> None:
        self.page = page
        self.printed: dict[Block, str] = {}
        """What each block has printed that was run to its end."""
        self._failed: Block | None = None
        self._directory = directory
        self._main = ModuleType("__main__")
        self.names: dict[str, Any] = self._main.__dict__
        """The page's namespace."""
        self.names.update(free_names)
        self._loop = asyncio.Runner()
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        self._configs: tuple[Any, Any] = (None, None)
        self._levels = dict.fromkeys(_LOGGERS, logging.NOTSET)

    def run(self, block: Block) -> str:
        """Run the page up to the end of this block, and return what the block prints.

        Raises:
            Exception: What a block raises.
            RuntimeError: A block before this one has failed.
        """
        for each in self.page.runnable:
            if self._failed is not None:
                raise RuntimeError(f"{block.name} needs {self._failed.name}, which has failed")
            if each not in self.printed:
                self._failed = each
                self.printed[each] = self._run(each)
                self._failed = None
            if each == block:
                return self.printed[each]
        raise LookupError(f"{block.name} is no block that runs")

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine, in the page's event loop and among what the page has configured."""
        with self._world():
            return self._loop.run(work)

    def close(self) -> None:
        """Give the event loop back."""
        self._loop.close()

    def _run(self, block: Block) -> str:
        tree = ast.parse(block.text, str(block.page))
        ast.increment_lineno(tree, block.line)
        if PLACEHOLDER in self.names:
            tree = ast.fix_missing_locations(_Filled().visit(tree))
        code = compile(tree, str(block.page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        output = io.StringIO()
        with self._world(), contextlib.redirect_stdout(output):
            result = eval(code, self.names)  # the documentation is our own code
            if inspect.iscoroutine(result):
                self._loop.run(result)
        return output.getvalue()

    @contextlib.contextmanager
    def _world(self) -> Iterator[None]:
        """What the page finds around itself, for as long as a block runs."""
        before = dict(os.environ), _configurations(), _levels(), sys.modules["__main__"], Path.cwd()
        _set_environment(self._environment)
        _configure(*self._configs)
        _set_levels(self._levels)
        sys.modules["__main__"] = self._main
        os.chdir(self._directory)
        try:
            yield
        finally:
            self._environment, self._configs, self._levels = dict(os.environ), _configurations(), _levels()
            environment, configurations, levels, sys.modules["__main__"], directory = before
            os.chdir(directory)
            _set_environment(environment)
            _configure(*configurations)
            _set_levels(levels)


class _Filled(ast.NodeTransformer):
    """Puts the page's placeholder where a call is written `f(...)`."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        for place, argument in enumerate(node.args):
            if isinstance(argument, ast.Constant) and argument.value is ...:
                name = ast.Name("globals", ast.Load())
                namespace = ast.Call(name, [], [])
                filled = ast.Subscript(namespace, ast.Constant(PLACEHOLDER), ast.Load())
                node.args[place] = ast.copy_location(filled, argument)
        return node


def _configurations() -> tuple[Any, Any]:
    return core_config._config, framework_config._current


def _configure(core: Any, framework: Any) -> None:
    core_config._config, framework_config._current = core, framework


def _levels() -> dict[str, int]:
    return {name: logging.getLogger(name).level for name in _LOGGERS}


def _set_levels(levels: Mapping[str, int]) -> None:
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def _set_environment(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
