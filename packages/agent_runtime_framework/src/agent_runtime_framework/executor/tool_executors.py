"""Running tools by name: from a dict of functions, or from the methods of an object."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from functools import partialmethod, singledispatchmethod
from typing import Any, Protocol

from agent_runtime_framework.config import should_swallow_exceptions
from agent_runtime_framework.tools.base_tool import BaseTool
from agent_runtime_framework.tools.execution import failure_text, result_text, unknown_tool_text
from agent_runtime_framework.tools.journey_tools import BaseJourneyTools

__all__ = ["CallableToolExecutor", "MethodToolExecutor", "ToolExecutor"]

_INHERITED = (object, BaseTool, BaseJourneyTools)
_BOUND_LATER = (staticmethod, classmethod, partialmethod, singledispatchmethod)


class ToolExecutor(Protocol):
    """Anything that runs tools by name."""

    async def execute(self, name: str, arguments: dict[str, Any]) -> str:
        """Run a tool and return the text that the model reads."""
        ...


class CallableToolExecutor:
    """Runs functions by name; a function that is not async runs in a thread and does not block the event loop.

    Args:
        tools: The functions by tool name.
    """

    def __init__(self, tools: Mapping[str, Callable[..., Any]]) -> None:
        self.tools = tools
        """The functions by tool name."""

    async def execute(self, name: str, arguments: dict[str, Any]) -> str:
        """Call the function and return its result as text.

        An unknown name gives `Error: Unknown tool 'NAME'`. What the function raises gives `Error executing NAME: ...`.

        Raises:
            Exception: What the function raised, when `should_swallow_exceptions()` is False.
        """
        return await _execute(name, self.tools.get(name), arguments)


class MethodToolExecutor:
    """Runs the public methods that a tools object's class defines.

    Names that start with an underscore, attributes that are no methods, and what the base classes bring are no tools.

    Args:
        tools_instance: The object with the methods.
    """

    def __init__(self, tools_instance: Any) -> None:
        self.tools_instance = tools_instance
        """The object with the methods."""

    async def execute(self, name: str, arguments: dict[str, Any]) -> str:
        """Call the method and return its result as text; unknown names and errors as in `CallableToolExecutor`."""
        return await _execute(name, self._method(name), arguments)

    def _method(self, name: str) -> Callable[..., Any] | None:
        if name.startswith("_"):
            return None
        for owner in type(self.tools_instance).__mro__:
            if name in vars(owner):
                defined = vars(owner)[name]
                if owner in _INHERITED or not _is_method(defined):
                    return None
                method: Callable[..., Any] = getattr(self.tools_instance, name)
                return method
        return None


def _is_method(defined: Any) -> bool:
    return isinstance(defined, _BOUND_LATER) or (callable(defined) and not isinstance(defined, type))


async def _execute(name: str, function: Callable[..., Any] | None, arguments: dict[str, Any]) -> str:
    if function is None:
        return unknown_tool_text(name)
    try:
        if inspect.iscoroutinefunction(function):
            result = await function(**arguments)
        else:
            result = await asyncio.to_thread(_called, function, arguments)
            if inspect.isawaitable(result):
                result = await result
        return result_text(result)
    except Exception as error:
        if not should_swallow_exceptions():
            raise
        return failure_text(name, error)


def _called(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    try:
        return function(**arguments)
    except StopIteration as error:  # a future cannot carry it out of its thread: the call would never end
        raise RuntimeError("the tool raised StopIteration") from error
