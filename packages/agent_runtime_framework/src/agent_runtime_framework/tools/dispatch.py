"""Runs a declared tool: typed arguments in, the declared move out."""

from __future__ import annotations

import asyncio
import copy
import logging
from typing import Any

from agent_runtime_core.errors import ConfigError, JourneyError
from agent_runtime_framework.state.snapshot import StateSnapshot
from agent_runtime_framework.tools.approval import Approval, ApprovalPending, question_text
from agent_runtime_framework.tools.notes import JourneyNotes
from agent_runtime_framework.tools.result import ToolResult
from agent_runtime_framework.tools.retry import ToolRetry
from agent_runtime_framework.tools.spec import ToolSpec
from agent_runtime_framework.tools.time_limit import within

__all__ = ["UndeclaredMove", "run_tool"]

_LOGGER = logging.getLogger("agent_runtime_framework.tools.dispatch")

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0


class UndeclaredMove(JourneyError):
    """A tool has moved the journey to a step that it did not declare; the move is undone."""


async def run_tool(spec: ToolSpec, tools: Any, arguments: dict[str, Any], notes: JourneyNotes | None = None) -> Any:
    """Run a tool and make the move that it declares.

    Args:
        spec: The tool.
        tools: The object it is a method of; its `state` is the journey's.
        arguments: What the model gave, checked against the schema.
        notes: What the journey has done so far; None when nobody keeps it.

    Raises:
        InvalidArguments: An argument is not what the signature wants.
        UndeclaredMove: The tool has moved to a step that it did not declare.
        Exception: What the tool raised, when no try is left.
    """
    if spec.once and notes is not None and spec.name in notes.once:
        return f"{notes.once[spec.name]}\n(This was done before in this conversation. It was not done again.)"
    typed = spec.signature.typed(arguments)
    state = tools.state
    if spec.confirm is not None:
        _ask_first(spec, state, arguments, typed, notes)
    before = state.get_step()
    if spec.retries:
        result = await _tried_again(spec, tools, typed)
    else:
        result = await _called(spec, tools, typed)
    _move(spec, state, before, result)
    if spec.once and notes is not None and not (isinstance(result, ToolResult) and not result.success):
        from agent_runtime_framework.tools.execution import result_text

        notes.once[spec.name] = result_text(result)
    return result


def _ask_first(
    spec: ToolSpec, state: Any, arguments: dict[str, Any], typed: dict[str, Any], notes: JourneyNotes | None
) -> None:
    """Go on only when a person has said yes to this very call; a yes is good for one run.

    Raises:
        ApprovalPending: Nobody has, so far.
    """
    if notes is None:
        raise ConfigError(
            f"tool {spec.name!r} asks a person first, which needs a conversation that the agent keeps: use send() or "
            f"stream(), and the default execute_tool() and create_tools()."
        )
    approval = notes.waiting(spec.name, arguments)
    if approval is not None and approval.granted_by is not None:
        del notes.approvals[approval.approval_id]
        return
    if approval is None or approval.is_over():
        if approval is not None:
            del notes.approvals[approval.approval_id]
        question = question_text(spec.confirm, state, typed)
        approval = Approval.asked(spec.name, arguments, question, notes.approval_lifetime)
        notes.approvals[approval.approval_id] = approval
    raise ApprovalPending(approval)


def _move(spec: ToolSpec, state: Any, before: Any, result: Any) -> None:
    """Make the declared move, or make sure that the one that was made is declared."""
    after = state.get_step()
    if after == before:
        if len(spec.to) == 1 and not (isinstance(result, ToolResult) and not result.success):
            state.set_step(spec.to[0])
    elif after not in spec.to:
        declared = ", ".join(map(str, spec.to)) or "to stay"
        raise UndeclaredMove(
            f"tool {spec.name!r} ({spec.file}:{spec.line}) has moved from {before!s} to {after!s}, and declares "
            f"{declared}. The move was undone; write @tool(to=...) with every step it may lead to."
        )


async def _tried_again(spec: ToolSpec, tools: Any, typed: dict[str, Any]) -> Any:
    """Call the tool, and again when it raises; each time with the state as it was."""
    snapshot = StateSnapshot(tools.state)
    pause = _FIRST_PAUSE_S
    for attempt in range(spec.retries):
        try:
            return await _called(spec, tools, typed)
        except (ToolRetry, UndeclaredMove):
            raise
        except Exception as error:
            snapshot.restore()
            snapshot = StateSnapshot(tools.state)
            _LOGGER.warning(
                "Tool %r raised %s at try %d of %d; it is tried again",
                spec.name,
                type(error).__name__,
                attempt + 1,
                spec.retries + 1,
            )
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_S)
    return await _called(spec, tools, typed)


async def _called(spec: ToolSpec, tools: Any, typed: dict[str, Any]) -> Any:
    work = spec.function(tools, **typed) if spec.is_async else _in_thread(spec, tools, typed)
    return await (work if spec.timeout_s is None else within(spec.timeout_s, work))


async def _in_thread(spec: ToolSpec, tools: Any, typed: dict[str, Any]) -> Any:
    """Run a plain function in a thread, on a copy of the state: one that runs out of time cannot be stopped there.

    What it has changed comes back when it ends in time.
    """
    live = tools.state
    own = copy.copy(tools)
    own.state = copy.deepcopy(live)
    result = await asyncio.to_thread(spec.function, own, **typed)
    StateSnapshot(own.state).give_to(live)
    return result
