"""Keeping a list of messages sendable: calls and results stay paired, whatever was cut."""

from __future__ import annotations

from collections.abc import Sequence

from agent_runtime_core.messages import MessageDict, ToolCall

__all__ = ["is_sendable", "sendable"]

_INTERRUPTED = "Error: this call was interrupted before it finished; its result is unknown."


def is_sendable(messages: Sequence[MessageDict]) -> bool:
    """Whether every vendor accepts these messages: each tool call has its one result right behind it."""
    return sendable(messages) == list(messages)


def sendable(messages: Sequence[MessageDict]) -> list[MessageDict]:
    """The messages, mended where a cut has parted a call from its result.

    A result whose call is gone is left out. A call whose result is gone gets one that says so. Everything else
    stays as it is and in its order; the given list and its messages are not changed.
    """
    mended: list[MessageDict] = []
    waiting: dict[str, str] = {}  # calls of the last assistant message that have no result yet: id -> tool name
    for message in messages:
        role = message.get("role")
        if role == "tool":
            call_id = message.get("tool_call_id")
            if isinstance(call_id, str) and waiting.pop(call_id, None) is not None:
                mended.append(message)
            continue
        if waiting:
            mended.extend(_interrupted(waiting))
            waiting = {}
        mended.append(message)
        calls = message.get("tool_calls") if role == "assistant" else None
        if calls:
            waiting = {call.id: call.name for call in map(ToolCall, calls)}
    mended.extend(_interrupted(waiting))
    return mended


def _interrupted(waiting: dict[str, str]) -> list[MessageDict]:
    return [
        {"role": "tool", "content": _INTERRUPTED, "tool_call_id": call_id, "name": name}
        for call_id, name in waiting.items()
    ]
