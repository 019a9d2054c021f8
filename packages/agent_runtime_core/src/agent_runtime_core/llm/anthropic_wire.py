"""Requests on their way to Anthropic, and its answers on their way back.

Nothing here imports the vendor's SDK: its objects are read by the names of their attributes, and a value of another
type than expected counts as absent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from agent_runtime_core.llm.anthropic_cache import with_breakpoints
from agent_runtime_core.llm.anthropic_messages import (
    closing_blocks,
    system_blocks,
    turns_of,
    used_tools,
    with_closing_blocks,
)
from agent_runtime_core.llm.openai_wire import (
    call_in_openai_form,
    text_attribute,
    whole_number,
    with_ids_of_their_own,
)
from agent_runtime_core.messages import MessageDict, Usage, whole_text

__all__ = [
    "DEFAULT_MAX_TOKENS",
    "input_text",
    "request_fields",
    "thinking_block",
    "to_message",
    "to_usage",
    "whole_thinking",
]

DEFAULT_MAX_TOKENS = 4096
"""The longest answer when none is asked for: Anthropic insists on a number."""

_CHOICES = {"auto": "auto", "required": "any", "any": "any", "none": "none"}
_OF_OPENAI_ONLY = ("stream_options", "n", "parallel_tool_calls", "stop")


def request_fields(
    messages: Sequence[MessageDict],
    *,
    model: str,
    tools: list[dict[str, Any]] | None,
    prompt_cache: bool,
    temperature: float | None = None,
    max_tokens: int | None = None,
    thinking: Any = None,
    thinking_budget: int | None = None,
    tool_choice: Any = None,
    reasoning_effort: str | None = None,
    answer_schema: dict[str, Any] | None = None,
    **others: Any,
) -> dict[str, Any]:
    """The fields of a request; what is None or empty is left out. `answer_schema` is the shape of a JSON answer."""
    turns = turns_of(messages)
    fields: dict[str, Any] = {"model": model, "max_tokens": max_tokens or DEFAULT_MAX_TOKENS, "messages": turns}
    system = system_blocks(messages)
    if system:
        fields["system"] = system
    offered = [_tool(tool) for tool in tools or ()]
    if not offered:
        # Without tools nothing can be called. But a history with tool calls is only taken together with tools.
        offered = [{"name": name, "input_schema": {"type": "object"}} for name in used_tools(turns)]
        tool_choice = "none"
    if offered:
        fields["tools"] = offered
        choice = _tool_choice(tool_choice, parallel=others.get("parallel_tool_calls"))
        if choice:
            fields["tool_choice"] = choice
    if temperature is not None:
        fields["temperature"] = temperature
    if thinking and _may_think(turns):
        _think(fields, thinking, thinking_budget)
    _answer_as_wanted(fields, reasoning_effort, answer_schema, others)
    fields.update((name, value) for name, value in others.items() if value is not None and name not in _OF_OPENAI_ONLY)
    if prompt_cache:
        fields = with_breakpoints(fields)  # before the closing blocks: they are not there any more the next time
    ended = with_closing_blocks(fields["messages"], closing_blocks(messages))
    fields["messages"] = [_shortened(turn) for turn in ended]
    return fields


def _shortened(turn: dict[str, Any]) -> dict[str, Any]:
    """A turn of one plain text with the text itself as its content, which spares the SDK a walk through its block.

    Anthropic's reference calls the two forms equivalent, and a breakpoint is no part of what it ends. So a turn that
    is a block with a breakpoint in one request, and a text in the next, leaves the cached beginning as it is.
    """
    blocks = turn["content"]
    if len(blocks) == 1:
        block = blocks[0]
        if len(block) == 2 and block.get("type") == "text":
            return {"role": turn["role"], "content": block["text"]}
    return turn


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    """A tool in Anthropic's form; one that is in it already passes."""
    function = tool.get("function")
    if not isinstance(function, Mapping):
        return dict(tool)
    out: dict[str, Any] = {"name": function.get("name", "")}
    if function.get("description"):
        out["description"] = function["description"]
    out["input_schema"] = function.get("parameters") or {"type": "object", "properties": {}}
    if function.get("strict") is not None:
        out["strict"] = function["strict"]
    return out


def _tool_choice(choice: Any, *, parallel: Any) -> dict[str, Any]:
    """Anthropic's form of a tool choice; empty when the model may choose, as it does by default."""
    out: dict[str, Any] = {}
    if isinstance(choice, str):
        out = {"type": _CHOICES.get(choice, choice)}
    elif isinstance(choice, Mapping):
        function = choice.get("function")
        out = {"type": "tool", "name": function.get("name")} if isinstance(function, Mapping) else dict(choice)
    if parallel is False and out.get("type") != "none":
        out = {"type": "auto", **out, "disable_parallel_tool_use": True}
    return out


def _may_think(turns: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the model may think: not when it is in the middle of tool calls that it began without thinking.

    Anthropic refuses such a request, and the next one after the user has spoken can think again.
    """
    for turn in reversed(turns):
        kinds = {block.get("type") for block in turn["content"]}
        if turn["role"] == "user" and "tool_result" not in kinds:
            return True
        if turn["role"] == "assistant":
            return turn["content"][0].get("type") in ("thinking", "redacted_thinking")
    return True


def _think(fields: dict[str, Any], thinking: Any, budget: int | None) -> None:
    if isinstance(thinking, Mapping):  # in Anthropic's own form
        fields["thinking"] = dict(thinking)
    else:
        fields["thinking"] = {"type": "enabled", "budget_tokens": 10_000 if budget is None else budget}
        fields["temperature"] = 1.0  # the only one that goes with thinking
    least = fields["thinking"].get("budget_tokens") or 0
    if fields["max_tokens"] <= least:
        fields["max_tokens"] += least  # the budget counts as output: the answer comes on top


def _answer_as_wanted(
    fields: dict[str, Any], effort: str | None, schema: dict[str, Any] | None, others: dict[str, Any]
) -> None:
    """What OpenAI's requests say about the answer, in Anthropic's words."""
    output = dict(others.pop("output_config", None) or {})
    if effort:
        output.setdefault("effort", effort)
    if schema is not None:
        output["format"] = {"type": "json_schema", "schema": schema}
    if output:
        fields["output_config"] = output
    stop = others.get("stop")
    if stop:
        fields["stop_sequences"] = [stop] if isinstance(stop, str) else list(stop)


def to_message(blocks: Sequence[Any]) -> MessageDict:
    """The SDK's blocks in the normal form: `content` as text, `tool_calls` and `thinking_blocks` when there are any."""
    texts = [text_attribute(block, "text") for block in blocks if text_attribute(block, "type") == "text"]
    out: MessageDict = {"role": "assistant", "content": whole_text("".join(texts))}
    calls = [
        call_in_openai_form(
            text_attribute(block, "id"),
            text_attribute(block, "name"),
            input_text(getattr(block, "input", None)),
        )
        for block in blocks
        if text_attribute(block, "type") == "tool_use"
    ]
    thoughts = [thought for block in blocks if (thought := thinking_block(block))]
    if calls:
        out["tool_calls"] = with_ids_of_their_own(calls)
    if thoughts:
        out["thinking_blocks"] = thoughts
    return out


def input_text(given: Any) -> str:
    """What a tool is called with, as JSON text; some servers send a text instead of an object."""
    return given if isinstance(given, str) else json.dumps(given or {}, ensure_ascii=False)


def thinking_block(block: Any) -> dict[str, Any] | None:
    """A block of thinking as it has to be sent back, signature included; None for other blocks."""
    kind = text_attribute(block, "type")
    if kind == "thinking":
        thinking, signature = text_attribute(block, "thinking"), text_attribute(block, "signature")
        return {"type": kind, "thinking": thinking, "signature": signature}
    return {"type": kind, "data": text_attribute(block, "data")} if kind == "redacted_thinking" else None


def whole_thinking(message: MessageDict) -> str | None:
    """The reasoning text of a message in the normal form; None when there is none."""
    return "".join(block.get("thinking", "") for block in message.get("thinking_blocks", ())) or None


def to_usage(*sources: Any) -> Usage:
    """The SDK's token counts in the normal form; the last source that knows a number wins. `{}` when none does.

    Anthropic counts what it reads from its cache and writes to it apart; here the prompt is all that was sent.
    """
    counts: dict[str, int] = {}
    for source in sources:
        for name in ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"):
            number = whole_number(source, name)
            if number is not None:
                counts[name] = number
        thought = whole_number(getattr(source, "output_tokens_details", None), "thinking_tokens")
        if thought is not None:
            counts["thinking_tokens"] = thought
    if not counts:
        return {}
    cached, written = counts.get("cache_read_input_tokens"), counts.get("cache_creation_input_tokens")
    prompt = counts.get("input_tokens", 0) + (cached or 0) + (written or 0)
    completion = counts.get("output_tokens", 0)
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    if cached is not None:
        usage["cached_tokens"] = cached
    if written:
        usage["cache_write_tokens"] = written
    if "thinking_tokens" in counts:
        usage["reasoning_tokens"] = counts["thinking_tokens"]
    return usage
