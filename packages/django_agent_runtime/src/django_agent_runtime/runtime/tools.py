"""Tools made of functions that use the ORM: plain ones run in the thread in which it may be used."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async

from agent_runtime_core.interfaces import Tool

__all__ = ["django_tool", "django_tool_with_context"]

Decorator = Callable[[Callable[..., Any]], Tool]


def django_tool(
    name: str,
    description: str,
    parameters: dict[str, Any],
    has_side_effects: bool = False,
    requires_confirmation: bool = False,
    metadata: dict[str, Any] | None = None,
) -> Decorator:
    """Turn a function into a `Tool`.

    Args:
        name: What the model calls it by.
        description: What it does, and when to call it.
        parameters: The JSON Schema of its arguments, an object.
        has_side_effects: Whether it changes anything outside.
        requires_confirmation: Whether a person should agree before it runs.
        metadata: Notes; `original_function` and `is_django_tool` are added.
    """

    def decorate(function: Callable[..., Any]) -> Tool:
        return Tool(
            name=name,
            description=description,
            parameters=parameters,
            handler=_asynchronous(function),
            has_side_effects=has_side_effects,
            requires_confirmation=requires_confirmation,
            metadata={**(metadata or {}), "original_function": function, "is_django_tool": True},
        )

    return decorate


def django_tool_with_context(
    name: str,
    description: str,
    parameters: dict[str, Any],
    has_side_effects: bool = False,
    requires_confirmation: bool = False,
    metadata: dict[str, Any] | None = None,
) -> Decorator:
    """As `django_tool`, for a function whose first parameter is the run's context.

    Raises:
        ValueError: The function takes no parameter; or, at a call, there is no context.
    """
    decorate_plain = django_tool(name, description, parameters, has_side_effects, requires_confirmation, metadata)

    def decorate(function: Callable[..., Any]) -> Tool:
        if not inspect.signature(function).parameters:
            raise ValueError(f"the tool {name!r} gets the run's context, and its function takes no parameter")
        tool = decorate_plain(function)
        run = tool.handler

        async def handler(*, ctx: Any = None, **arguments: Any) -> Any:
            if ctx is None:
                raise ValueError(f"the tool {name!r} was called without the context of a run; give it as ctx")
            return await run(ctx, **arguments)

        tool.handler = handler
        tool.metadata["requires_context"] = True
        return tool

    return decorate


def _asynchronous(function: Callable[..., Any]) -> Callable[..., Any]:
    return function if iscoroutinefunction(function) else sync_to_async(function)
