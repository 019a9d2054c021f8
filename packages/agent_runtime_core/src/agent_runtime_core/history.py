"""Keeping a list of messages sendable: calls and results stay paired, whatever was cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent_runtime_core.messages import MessageDict, ToolCall

__all__ = ["is_sendable", "sendable"]

_INTERRUPTED = "Error: this call was interrupted before it finished; its result is unknown."

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


def is_sendable(messages: Sequence[MessageDict]) -> bool:
    """Whether every vendor accepts these messages: each tool call has its one result right behind it."""
    waiting: dict[str, str] = {}
    for message in messages:
        if message.__class__ is not dict:
            return sendable(messages) == list(messages)
        role = message.get("role")
        if role == "tool":
            call_id = message.get("tool_call_id")
            if not isinstance(call_id, str) or waiting.pop(call_id, None) is None:
                return False
            continue
        if waiting:
            return False
        calls = message.get("tool_calls") if role == "assistant" else None
        if not _is_message(role, message.get("content"), calls):
            return False
        if calls:
            if calls.__class__ is not list or not all(call.__class__ is dict for call in calls):
                return sendable(messages) == list(messages)
            waiting = dict(map(_id_and_name, calls))
    return not waiting


def sendable(messages: Sequence[MessageDict]) -> list[MessageDict]:
    """The messages, mended where a cut has parted a call from its result, or where somebody has damaged one.

    A result whose call is gone is left out. A call whose result is gone gets one that says so. What no vendor takes
    for a message is left out: another role than theirs, a content that is neither text nor parts, an assistant that
    says and calls nothing; of its tool calls, those that are no dicts. Everything else stays as it is and in its
    order; the given list and its messages are not changed.
    """
    mended: list[MessageDict] = []
    waiting: dict[str, str] = {}  # calls of the last assistant message that have no result yet: id -> tool name
    for message in messages:
        role = message.get("role") if message.__class__ is dict or isinstance(message, Mapping) else None
        if role == "tool":
            call_id = message.get("tool_call_id")
            if isinstance(call_id, str) and waiting.pop(call_id, None) is not None:
                mended.append(message)
            continue
        calls = message.get("tool_calls") if role == "assistant" else None
        if calls and not (calls.__class__ is list and all(call.__class__ is dict for call in calls)):
            calls = [call for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else []
            message = {**message, "tool_calls": calls} if calls else _without_calls(message)
        if not _is_message(role, message.get("content") if role is not None else None, calls):
            continue
        if waiting:
            mended.extend(_interrupted(waiting))
            waiting = {}
        mended.append(message)
        if calls:
            waiting = dict(map(_id_and_name, calls))
    if waiting:
        mended.extend(_interrupted(waiting))
    return mended


def _is_message(role: object, content: object, calls: object) -> bool:
    """Whether some vendor would take it."""
    if content.__class__ is str or isinstance(content, (str, list)):
        return isinstance(role, str) and role in _ROLES
    return role == "assistant" and content is None and bool(calls)


def _without_calls(message: MessageDict) -> MessageDict:
    return {name: value for name, value in message.items() if name != "tool_calls"}


def _id_and_name(call: Mapping[str, Any]) -> tuple[str, str]:
    """What a call goes by; `ToolCall` knows what a run calls one that came without an id."""
    call_id, function = call.get("id"), call.get("function")
    if call_id.__class__ is str and call_id and function.__class__ is dict:
        name = function.get("name")
        if name.__class__ is str:
            return call_id, name
    read = ToolCall(call)
    return read.id, read.name


def _interrupted(waiting: dict[str, str]) -> list[MessageDict]:
    return [
        {"role": "tool", "content": _INTERRUPTED, "tool_call_id": call_id, "name": name}
        for call_id, name in waiting.items()
    ]
