"""Hooks: a user's listeners, called from the events of a run. They observe and cannot break it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from agent_runtime_core.events import (
    LLMCallFinished,
    LLMCallStarted,
    RunEvent,
    RunFailed,
    RunFinished,
    ToolCallFinished,
    ToolCallStarted,
)
from agent_runtime_framework.config import is_debug

__all__ = ["CompositeHooks", "ExecutorHooks", "LoggingHooks", "observed"]

_LOGGER = logging.getLogger("agent_runtime_framework.executor.hooks")
_SHOWN_RESULT = 200


class ExecutorHooks:
    """Base of a listener: override what you want to hear of. All arguments are passed by position, and are copies.

    What a hook raises is logged and the run goes on; in debug mode it is raised. The run waits for a hook.
    """

    async def on_iteration_start(self, iteration: int) -> None:
        """A turn begins; the first is 0."""

    async def on_llm_call(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None) -> None:
        """The model is about to be asked."""

    async def on_tool_calls(self, tool_calls: list[dict[str, Any]]) -> None:
        """The model has answered with tool calls, none of which ran yet."""

    async def on_tool_start(self, name: str, arguments: dict[str, Any]) -> None:
        """A tool call is taken up; it may still be refused."""

    async def on_tool_end(self, name: str, result: str) -> None:
        """A tool call has its result, the text that the model reads."""

    async def on_complete(self, response: str, stopped_reason: str) -> None:
        """The run has ended. A run that raised does not get here."""


class LoggingHooks(ExecutorHooks):
    """Logs one line per event; arguments and texts of the conversation only at DEBUG.

    Args:
        level: The level of the lines.
        logger_name: The logger; `agent_runtime_framework.executor.hooks` when None.
    """

    def __init__(self, level: int = logging.INFO, logger_name: str | None = None) -> None:
        self.level = level
        """The level of the lines."""
        self.logger = logging.getLogger(logger_name) if logger_name else _LOGGER
        """Where they go."""

    async def on_iteration_start(self, iteration: int) -> None:
        """Log the turn's number."""
        self.logger.log(self.level, "Iteration %d started", iteration)

    async def on_llm_call(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None) -> None:
        """Log how much the model gets."""
        self.logger.log(self.level, "LLM call with %d messages and %d tools", len(messages), len(tools or ()))

    async def on_tool_calls(self, tool_calls: list[dict[str, Any]]) -> None:
        """Log how many tools the model calls."""
        self.logger.log(self.level, "LLM asked for %d tool call(s)", len(tool_calls))

    async def on_tool_start(self, name: str, arguments: dict[str, Any]) -> None:
        """Log the tool's name."""
        self.logger.log(self.level, "Tool %s started", name)
        self.logger.debug("Tool %s arguments: %s", name, arguments)

    async def on_tool_end(self, name: str, result: str) -> None:
        """Log that the tool has ended and how long its result is."""
        self.logger.log(self.level, "Tool %s ended with %d characters", name, len(result))
        shown = f"{result[:_SHOWN_RESULT]}..." if len(result) > _SHOWN_RESULT else result
        self.logger.debug("Tool %s result: %s", name, shown)

    async def on_complete(self, response: str, stopped_reason: str) -> None:
        """Log the reason."""
        self.logger.log(self.level, "Run complete: %s", stopped_reason)


class CompositeHooks(ExecutorHooks):
    """Several listeners as one: each event goes to every hook, in order; one that raises does not stop the next.

    Args:
        hooks: The listeners.
    """

    def __init__(self, hooks: Sequence[ExecutorHooks] = ()) -> None:
        self.hooks = list(hooks)
        """The listeners."""

    def add(self, hook: ExecutorHooks) -> CompositeHooks:
        """Add a listener and return this object."""
        self.hooks.append(hook)
        return self

    async def _each(self, name: str, *arguments: Any) -> None:
        for hook in self.hooks:
            await _call(hook, name, *arguments)

    async def on_iteration_start(self, iteration: int) -> None:
        """Forward to every hook."""
        await self._each("on_iteration_start", iteration)

    async def on_llm_call(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None) -> None:
        """Forward to every hook."""
        await self._each("on_llm_call", messages, tools)

    async def on_tool_calls(self, tool_calls: list[dict[str, Any]]) -> None:
        """Forward to every hook."""
        await self._each("on_tool_calls", tool_calls)

    async def on_tool_start(self, name: str, arguments: dict[str, Any]) -> None:
        """Forward to every hook."""
        await self._each("on_tool_start", name, arguments)

    async def on_tool_end(self, name: str, result: str) -> None:
        """Forward to every hook."""
        await self._each("on_tool_end", name, result)

    async def on_complete(self, response: str, stopped_reason: str) -> None:
        """Forward to every hook."""
        await self._each("on_complete", response, stopped_reason)


async def observed(
    events: AsyncGenerator[RunEvent, None], hooks: ExecutorHooks | None
) -> AsyncGenerator[RunEvent, None]:
    """The same events, told to the hooks on their way; a run that breaks ends with `RunFailed`, then raises.

    This is the outermost layer of every run.
    """
    try:
        async with aclosing(events):
            async for event in events:
                if hooks is not None:
                    await _tell(hooks, event)
                yield event
    except Exception as error:  # whatever breaks a run is told as its last event, and raised unchanged
        yield RunFailed(error=error)
        raise


async def _tell(hooks: ExecutorHooks, event: RunEvent) -> None:
    """Call the hooks that belong to an event."""
    match event:
        case LLMCallStarted():
            await _call(hooks, "on_iteration_start", event.turn)
            await _call(hooks, "on_llm_call", _copied(event.messages), _copied(event.tools))
        case LLMCallFinished() if event.calls:
            await _call(hooks, "on_tool_calls", _copied(event.message["tool_calls"]))
        case ToolCallStarted():
            await _call(hooks, "on_tool_start", event.call.name, _copied(event.call.arguments))
        case ToolCallFinished():
            await _call(hooks, "on_tool_end", event.call.name, event.outcome.content)
        case RunFinished():
            await _call(hooks, "on_complete", event.response, event.reason)
        case _:
            pass


def _copied(value: Any) -> Any:
    """The value with dicts and lists of its own, all the way down."""
    if isinstance(value, dict):
        return {key: _copied(item) if isinstance(item, (dict, list)) else item for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


async def _call(hooks: ExecutorHooks, name: str, *arguments: Any) -> None:
    try:
        await getattr(hooks, name)(*arguments)
    except (Exception, asyncio.CancelledError) as error:  # a listener's own trouble: it must not become the run's
        task = asyncio.current_task()
        if is_debug() or (isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling()):
            raise
        _LOGGER.error("Hook %s.%s raised %s; the run goes on", type(hooks).__name__, name, type(error).__name__)
        _LOGGER.debug("Hook %s.%s raised", type(hooks).__name__, name, exc_info=error)
