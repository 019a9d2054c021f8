"""Messages on their way to a server that speaks OpenAI's protocol, and its answers on their way back.

Nothing here imports the vendor's SDK: its objects are read by the names of their attributes, and a value of
another type than expected counts as absent, because not every server keeps to the protocol.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.messages import MessageDict, ToolCall, Usage, text_of, whole_text

__all__ = [
    "arguments_text",
    "call_in_openai_form",
    "items",
    "request_fields",
    "text_attribute",
    "thinking_of",
    "to_message",
    "to_usage",
    "whole_number",
    "with_ids_of_their_own",
]

_REASONING_MODEL = re.compile(r"o\d|gpt-([5-9]|\d\d)")


def request_fields(
    messages: Sequence[MessageDict],
    *,
    model: str,
    tools: list[dict[str, Any]] | None,
    thinking: bool | None = None,
    reasoning_effort: str | None = None,
    max_tokens: int | None = None,
    **others: Any,
) -> dict[str, Any]:
    """The fields of a request; what is None or empty is left out."""
    fields: dict[str, Any] = {"model": model, "messages": [_outgoing(message) for message in messages]}
    if tools:
        fields["tools"] = tools
    if max_tokens is not None:
        # OpenAI's reasoning models refuse the old name; other servers know only that one.
        fields["max_completion_tokens" if _REASONING_MODEL.match(model) else "max_tokens"] = max_tokens
    if thinking:
        reasoning_effort = reasoning_effort or "medium"
    if reasoning_effort and thinking is not False:
        fields["reasoning_effort"] = reasoning_effort
    fields.update((name, value) for name, value in others.items() if value is not None)
    return fields


def _outgoing(message: MessageDict) -> MessageDict:
    """A message with the keys that OpenAI knows, and tool calls in its form.

    Raises:
        ConfigError: It has no role, or bytes for its content.
    """
    calls = message.get("tool_calls")
    content = message.get("content")
    if isinstance(content, Mapping):
        content = json.dumps(content, ensure_ascii=False, default=str)
    elif content is None:
        content = None if calls else ""
    elif isinstance(content, (bytes, bytearray)):
        raise ConfigError("The content of a message is bytes: decode it to a text, or send it as a content part")
    elif not isinstance(content, (str, list)):
        content = str(content)
    if isinstance(content, str):
        content = whole_text(content)
    elif isinstance(content, list):
        content = [_whole_part(part) for part in content]
    role = message.get("role")
    if not role:
        raise ConfigError(
            "A message has no role: each is a dict with 'role' (system, user, assistant, tool) and 'content'"
        )
    out: MessageDict = {"role": role, "content": content}
    for key in ("name", "tool_call_id"):
        if message.get(key):
            out[key] = message[key]
    if calls:
        out["tool_calls"] = [_outgoing_call(call) for call in calls]
    return out


def _whole_part(part: Any) -> Any:
    """A content part whose text can be sent; one that already can be stays as it is."""
    text = part.get("text") if isinstance(part, dict) else None
    return part if not isinstance(text, str) or text.isascii() else {**part, "text": whole_text(text)}


def _outgoing_call(data: Mapping[str, Any]) -> dict[str, Any]:
    """A tool call in OpenAI's form. Arguments that are no JSON object go out as `{}`, which no server fails on."""
    call = ToolCall(data)
    arguments = "{}"
    if call.problem is None:
        raw = call.raw_arguments
        if isinstance(raw, str):  # as the model wrote it: other spacing would be another prompt, and miss its cache
            arguments = raw if raw.strip() else "{}"
        else:
            arguments = json.dumps(call.arguments, ensure_ascii=False)
    return call_in_openai_form(call.id, call.wire_name, whole_text(arguments))


def call_in_openai_form(call_id: str | None, name: str, arguments: str) -> dict[str, Any]:
    """A tool call in OpenAI's form; one without an id, as some servers send it, gets one."""
    function = {"name": name, "arguments": arguments or "{}"}
    return {"id": call_id or f"call_{uuid4().hex[:24]}", "type": "function", "function": function}


def with_ids_of_their_own(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The calls of one answer; one that has the id of another gets its own, or they would share their results."""
    taken: set[str] = set()
    for call in calls:
        if call["id"] in taken:
            call["id"] = f"call_{uuid4().hex[:24]}"
        taken.add(call["id"])
    return calls


def to_message(message: Any) -> MessageDict:
    """The SDK's message in the normal form: `role`, `content` as text, `tool_calls` when there are any."""
    # A refusal is what the model says to the user instead of an answer.
    content = text_of(_text_or_parts(getattr(message, "content", None))) or text_attribute(message, "refusal")
    out: MessageDict = {"role": "assistant", "content": whole_text(content)}
    calls = items(message, "tool_calls")
    if calls:
        out["tool_calls"] = with_ids_of_their_own([_incoming_call(call) for call in calls])
    return out


def _text_or_parts(content: Any) -> Any:
    return content if isinstance(content, (str, list)) else None


def _incoming_call(call: Any) -> dict[str, Any]:
    function = getattr(call, "function", None)
    arguments = getattr(function, "arguments", None)
    return call_in_openai_form(text_attribute(call, "id"), text_attribute(function, "name"), arguments_text(arguments))


def arguments_text(arguments: Any) -> str:
    """Arguments as JSON text; some servers send an object instead. Empty when there are none."""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, ensure_ascii=False) if isinstance(arguments, Mapping) else ""


def thinking_of(message: Any) -> str:
    """The reasoning text that some servers put beside the answer; empty when there is none."""
    # Asking one of the SDK's objects for an attribute that it lacks takes ten times as long as these look-ups.
    for known in (getattr(message, "__dict__", None), getattr(message, "model_extra", None)):
        if known.__class__ is dict:
            for name in ("reasoning_content", "reasoning"):
                text = known.get(name)
                if text and isinstance(text, str):
                    return text
    return ""


def to_usage(usage: Any) -> Usage:
    """The SDK's token counts as plain numbers; `{}` when there are none."""
    prompt, completion = whole_number(usage, "prompt_tokens"), whole_number(usage, "completion_tokens")
    total = whole_number(usage, "total_tokens")
    if prompt is None and completion is None and total is None:
        return {}
    prompt, completion = prompt or 0, completion or 0
    counts = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion if total is None else total,
    }
    details = (("cached_tokens", "prompt_tokens_details"), ("reasoning_tokens", "completion_tokens_details"))
    for name, group in details:
        count = whole_number(getattr(usage, group, None), name)
        if count is not None:
            counts[name] = count
    return counts


def whole_number(source: Any, name: str) -> int | None:
    """The attribute when it is a whole number (a count, a position: never below 0), else None."""
    value = getattr(source, name, None)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def text_attribute(source: Any, name: str) -> str:
    """The attribute when it is a text, else the empty text."""
    value = getattr(source, name, None)
    return value if isinstance(value, str) else ""


def items(source: Any, name: str) -> Sequence[Any]:
    """The attribute when it is a list, else nothing."""
    value = getattr(source, name, None)
    return value if isinstance(value, (list, tuple)) else ()
