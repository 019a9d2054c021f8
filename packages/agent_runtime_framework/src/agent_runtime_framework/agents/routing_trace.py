"""Tool calls that lead a conversation from one journey to another: kept in the history, and shown to no model."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from agent_runtime_core.messages import MessageDict, ToolCall

__all__ = ["mark_routing", "without_routing"]

_MARK = "routing"
"""Where a message's metadata name the calls, or say of a result, that they are about routing."""


def mark_routing(messages: list[MessageDict], start: int, call_ids: Container[str]) -> None:
    """Mark calls of one turn, and their results, as routing; the marked messages are new ones in the same list.

    Args:
        messages: The messages.
        start: The place of the turn's reply.
        call_ids: The calls.
    """
    for place in range(start, len(messages)):
        message = messages[place]
        mark: Any = None
        if calls := message.get("tool_calls"):
            mark = [call.id for call in map(ToolCall, calls) if call.id in call_ids]
        elif message.get("role") == "tool":
            mark = message.get("tool_call_id") in call_ids
        if mark:
            messages[place] = {**message, "metadata": {**message.get("metadata", {}), _MARK: mark}}


def without_routing(messages: Iterable[MessageDict], names: Container[str] = ()) -> list[MessageDict]:
    """The messages without what is marked as routing. A reply that did nothing else is left out with its words.

    Args:
        messages: Messages as they are stored, or as a run has made them.
        names: Tools whose calls are about routing, also where nothing is marked.
    """
    kept: list[MessageDict] = []
    for message in messages:
        if not isinstance(message, dict):  # somebody else has left it there; it is not ours to judge
            kept.append(message)
            continue
        metadata = message.get("metadata")
        mark = metadata.get(_MARK) if isinstance(metadata, dict) else None
        calls = message.get("tool_calls")
        if isinstance(calls, list) and calls:
            if mark is None and not names:
                kept.append(message)
                continue
            left = [call for call in calls if not _is_routing(call, mark, names)]
            if not left:
                continue
            kept.append(message if len(left) == len(calls) else {**message, "tool_calls": left})
        elif message.get("role") != "tool" or not (mark or message.get("name") in names):
            kept.append(message)
    return kept


def _is_routing(data: Any, mark: Any, names: Container[str]) -> bool:
    if not isinstance(data, dict):
        return False
    call = ToolCall(data)
    return call.name in names or (isinstance(mark, list) and call.id in mark)
