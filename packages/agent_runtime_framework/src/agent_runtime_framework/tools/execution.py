"""The one place that runs a tool call and decides what a wrong or failing one comes to."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Any

from agent_runtime_core.events import ToolOutcome
from agent_runtime_core.messages import ToolCall, whole_text
from agent_runtime_framework.config import should_swallow_exceptions
from agent_runtime_framework.state.snapshot import StateSnapshot
from agent_runtime_framework.tools.approval import ApprovalPending
from agent_runtime_framework.tools.arguments import argument_problems, exact_arguments
from agent_runtime_framework.tools.notes import JourneyNotes
from agent_runtime_framework.tools.result import ToolResult
from agent_runtime_framework.tools.retry import InvalidArguments, ToolRetry
from agent_runtime_framework.tools.time_limit import ToolTimeout, within

__all__ = ["Offer", "call_tool", "failure_text", "result_text", "unknown_tool_text"]

_LOGGER = logging.getLogger("agent_runtime_framework.tools.execution")

Offer = Mapping[str, Mapping[str, Any]]
"""The tools offered at this moment, by name: each one's `function` part in OpenAI's form."""


async def call_tool(
    call: ToolCall,
    invoke: Callable[[str, dict[str, Any]], Awaitable[Any]],
    *,
    offer: Offer | None,
    timeout_s: float | None,
    state: Any = None,
    notes: JourneyNotes | None = None,
    check: Callable[[Any], object] | None = None,
) -> ToolOutcome:
    """Run one tool call, all or nothing.

    A tool that is not in the offer does not run; nor does one whose arguments could not be read or do not fit its
    schema. If the tool raises, runs out of time or is cancelled, state and notes are given back what they held before.

    Args:
        call: The model's call.
        invoke: Runs the tool by name and arguments.
        offer: What may run now; None when nobody said what is offered: then names and arguments go unchecked.
        timeout_s: Seconds that the tool may take; None for no limit.
        state: The object to undo on failure; None when there is none.
        notes: What else to undo; None when there are none. That a person is asked first stays noted.
        check: Called with the state after the tool; what it raises counts as the tool's own failure.

    Raises:
        Exception: What the tool raised, when `should_swallow_exceptions()` is False (debug mode).
    """
    arguments = call.arguments
    if offer is not None and call.name not in offer:
        return ToolOutcome(unknown_tool_text(call.name, offer), "refused")
    if call.problem is not None:
        return ToolOutcome(f"Error: invalid arguments for {call.name!r}: {call.problem}. Call it again.", "invalid")
    if offer is not None:
        parameters: dict[str, Any] = offer[call.name].get("parameters") or {}
        problems = argument_problems(call.name, parameters, arguments)
        if problems is not None:
            return ToolOutcome(f"Error: invalid arguments for {call.name!r}: {problems}. Call it again.", "invalid")
        for value in arguments.values():
            if value.__class__ is float:
                arguments = exact_arguments(parameters, arguments)
                break
    snapshot = StateSnapshot(state) if state is not None else None
    noted = None if notes is None else notes.memo()
    try:
        work = invoke(call.name, arguments)
        result = await (work if timeout_s is None else within(timeout_s, work))
        if result.__class__ is not str and isawaitable(result):  # an `await` was forgotten: what was meant is clear
            result = await (result if timeout_s is None else within(timeout_s, result))
        if check is not None:
            check(state)
        if isinstance(result, ToolResult):
            return ToolOutcome(result_text(result), "ok" if result.success else "failed")
        return ToolOutcome(result_text(result))
    except BaseException as error:
        if snapshot is not None:
            snapshot.restore()
        if notes is not None and noted is not None and not isinstance(error, ApprovalPending):
            notes.restore(noted)
        if not isinstance(error, Exception):
            raise
        if isinstance(error, ApprovalPending):
            asked = error.approval
            return ToolOutcome(_waits(asked.question), "pending", asked.approval_id, asked.question)
        if isinstance(error, ToolRetry):
            return ToolOutcome(whole_text(f"Error: {error.advice}"), "invalid")
        if isinstance(error, InvalidArguments):
            return ToolOutcome(f"Error: invalid arguments for {call.name!r}: {error}. Call it again.", "invalid")
        if isinstance(error, ToolTimeout):
            _LOGGER.warning("Tool %r took longer than %g s and was stopped", call.name, error.seconds)
            return ToolOutcome(f"Error executing {call.name}: {error}", "failed")
        if not should_swallow_exceptions():
            raise
        return ToolOutcome(failure_text(call.name, error), "failed")


def _waits(question: str) -> str:
    return (
        f"Not run yet: a person has to approve it first, outside of this conversation's text. They are asked: "
        f"{question!r}. Nothing that is written here approves it. Do not call it again."
    )


def unknown_tool_text(name: str, offer: Offer | None = None) -> str:
    """What the model reads when it names a tool that it cannot have; lists what it can, when that is known."""
    if offer is None:
        return f"Error: Unknown tool '{name}'"
    offered = ", ".join(offer) or "none, answer in words"
    return f"Error: Unknown tool '{name[:100]}'. Tools offered now: {offered}."


def failure_text(name: str, error: Exception) -> str:
    """What the model reads when a tool raised; logs the error.

    The record at ERROR holds the type and the places in the code. The message, which may hold a user's words, is
    logged at DEBUG only.
    """
    places = "".join(traceback.format_tb(error.__traceback__))
    _LOGGER.error(
        "Tool %r raised %s (its message is logged at DEBUG)\nTraceback (most recent call last):\n%s",
        name,
        type(error).__name__,
        places,
    )
    _LOGGER.debug("Tool %r raised", name, exc_info=error)
    return whole_text(f"Error executing {name}: {str(error) or type(error).__name__}")


def result_text(result: Any) -> str:
    """A tool's result as the text that the model reads.

    A text stays as it is; a `ToolResult` gives its content, None an empty text, lists and dicts their JSON, and
    anything else its `str()`.
    """
    if isinstance(result, str):
        return whole_text(result)
    if isinstance(result, ToolResult):
        return result_text(result.content)
    if result is None:
        return ""
    if isinstance(result, (bytes, bytearray)):
        return result.decode("utf-8", "replace")
    if isinstance(result, (dict, list, tuple)):
        return whole_text(json.dumps(_with_json_keys(result), ensure_ascii=False, default=str))
    return whole_text(str(result))


def _with_json_keys(value: Any) -> Any:
    """The value with keys that JSON knows: a tool has done its work, and fails no more over a UUID as a key."""
    if isinstance(value, dict):
        return {
            key if isinstance(key, (str, int, float, type(None))) else str(key): _with_json_keys(item)
            for key, item in value.items()
        }
    return [_with_json_keys(item) for item in value] if isinstance(value, (list, tuple)) else value
