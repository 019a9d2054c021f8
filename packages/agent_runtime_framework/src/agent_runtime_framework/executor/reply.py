"""Reading a model's reply: untrusted data in, a message fit for the history and its tool calls out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agent_runtime_core.errors import LLMBadReply
from agent_runtime_core.messages import MessageDict, ToolCall, text_of, whole_text

__all__ = ["Reply", "read_reply"]


@dataclass(slots=True)
class Reply:
    """A model's reply, read."""

    text: str
    """Its text; empty when it has none."""
    calls: tuple[ToolCall, ...]
    """Its tool calls, ids unique within the reply."""
    message: MessageDict
    """The assistant message for the history."""
    usage: Any
    """The token counts as the client gave them."""
    response: Any
    """What the client gave; its `model` and `finish_reason`, if it has them, are read only where somebody listens."""


def read_reply(response: Any, history: Iterable[MessageDict]) -> Reply:
    """Read what a client returned.

    A tool call that a vendor would refuse to see again (without an id, with an id used twice, with a strange name or
    arguments that are not JSON) enters the history in a mended form; all others exactly as they came.

    Args:
        response: The client's response: an object with `message` (a dict) and maybe `usage`.
        history: The messages before; looked at only when an id has to be made up.

    Raises:
        LLMBadReply: There is no message in it.
    """
    message = getattr(response, "message", None)
    if message.__class__ is not dict and not isinstance(message, Mapping):
        raise LLMBadReply(
            f"the LLM client answered with {type(response).__name__} whose message is {type(message).__name__}; "
            f"a response needs .message, a dict with role and content"
        )
    known = message.get
    content = known("content")
    text: str = "" if content is None else whole_text(content if content.__class__ is str else text_of(content))
    usage = getattr(response, "usage", None)
    given = known("tool_calls")
    if not given:
        return Reply(text, (), {"role": "assistant", "content": text}, usage, response)
    calls: list[ToolCall] = []
    kept: list[Any] = []
    for data in given if given.__class__ is list or isinstance(given, (list, tuple)) else [given]:
        if data.__class__ is dict:
            call = ToolCall(data)
            is_fit = call.problem is None and call.wire_name == call.name and data.get("id") == call.id
        else:
            call = ToolCall(data if isinstance(data, Mapping) else {})
            is_fit = False
        if not is_fit or (calls and any(other.id == call.id for other in calls)):
            data = _mended(call, calls, history)
        kept.append(data)
        calls.append(call)
    entry: MessageDict = {"role": "assistant", "content": text or None, "tool_calls": kept}
    if thoughts := known("thinking_blocks"):  # their vendor wants them back with the result of a call
        entry["thinking_blocks"] = thoughts
    return Reply(text, tuple(calls), entry, usage, response)


def _mended(call: ToolCall, before: list[ToolCall], history: Iterable[MessageDict]) -> dict[str, Any]:
    """Give a call what it lacks, and return the form that enters the history."""
    if call.data.get("id") != call.id or any(other.id == call.id for other in before):
        call.id = _free_id(call.id, {*(other.id for other in before), *_ids(history)})
    return call.to_dict()


def _ids(history: Iterable[MessageDict]) -> Iterable[str]:
    return (ToolCall(call).id for message in history for call in message.get("tool_calls") or ())


def _free_id(wanted: str, taken: set[str]) -> str:
    if wanted not in taken:
        return wanted
    number = 2
    while f"{wanted}_{number}" in taken:
        number += 1
    return f"{wanted}_{number}"
