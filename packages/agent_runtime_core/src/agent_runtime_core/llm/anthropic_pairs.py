"""Tool calls and their results belong together; Anthropic refuses one without the other."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from agent_runtime_core.llm.anthropic_content import Block
from agent_runtime_core.messages import MessageDict, ToolCall, text_of

__all__ = ["without_orphaned_blocks", "without_orphaned_calls"]

_logger = logging.getLogger(__name__)


def without_orphaned_calls(messages: Sequence[MessageDict]) -> list[MessageDict]:
    """The messages without the tool calls that no result answers; what was given stays as it is.

    An assistant message that has nothing left, neither a call nor a text, is dropped.
    """
    if not any(message.get("tool_calls") for message in messages):
        return list(messages)
    answered = {message.get("tool_call_id") for message in messages if message.get("role") == "tool"}
    kept: list[MessageDict] = []
    dropped = 0
    for message in messages:
        calls = message.get("tool_calls")
        if message.get("role") != "assistant" or not calls:
            kept.append(message)
            continue
        with_result = [call for call in calls if _id_of(call) in answered]
        dropped += len(calls) - len(with_result)
        if len(with_result) == len(calls):
            kept.append(message)
        elif with_result:
            kept.append({**message, "tool_calls": with_result})
        elif text_of(message.get("content")):
            kept.append({"role": "assistant", "content": message["content"]})
    _warn(dropped, "tool_use", "no tool message answers them")
    return kept


def without_orphaned_blocks(turns: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The turns with every `tool_use` answered in the turn right after it, and no `tool_result` without its call."""
    calls = results = 0
    kept: list[dict[str, Any]] = []
    for position, turn in enumerate(turns):
        blocks: list[Block] = turn["content"]
        if turn["role"] == "assistant":
            after = turns[position + 1]["content"] if position + 1 < len(turns) else []
            partners = _ids(after, "tool_result", "tool_use_id")
            fitting = [block for block in blocks if block.get("type") != "tool_use" or block["id"] in partners]
            calls += len(blocks) - len(fitting)
        else:
            before = kept[-1]["content"] if kept and kept[-1]["role"] == "assistant" else []
            partners = _ids(before, "tool_use", "id")
            fitting = []
            for block in blocks:
                if block.get("type") == "tool_result":
                    if block["tool_use_id"] not in partners:
                        results += 1
                        continue
                    partners.discard(block["tool_use_id"])  # a second result of the same call is one too many
                fitting.append(block)
        if all(block.get("type") in ("thinking", "redacted_thinking") for block in fitting):
            continue  # thinking alone is no message
        if kept and kept[-1]["role"] == turn["role"]:  # the turn between them is gone
            kept[-1] = {**kept[-1], "content": [*kept[-1]["content"], *fitting]}
        else:
            kept.append({**turn, "content": fitting})
    _warn(calls, "tool_use", "the next message does not answer them")
    _warn(results, "tool_result", "the message before holds no such call")
    return kept


def _warn(number: int, kind: str, why: str) -> None:
    if number:
        _logger.warning("left out %d orphaned %s blocks: %s", number, kind, why)


def _id_of(call: Any) -> Any:
    return ToolCall(call).id if isinstance(call, Mapping) else None


def _ids(blocks: Sequence[Block], kind: str, key: str) -> set[str]:
    return {block[key] for block in blocks if block.get("type") == kind}
