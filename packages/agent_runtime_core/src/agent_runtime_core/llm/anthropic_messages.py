"""A conversation in OpenAI's shape as Anthropic takes it: a system prompt, and turns of user and assistant."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent_runtime_core.llm.anthropic_content import Block, content_blocks
from agent_runtime_core.llm.anthropic_pairs import without_orphaned_blocks, without_orphaned_calls
from agent_runtime_core.messages import MessageDict, ToolCall, whole_text

__all__ = ["BEGINNING", "closing_blocks", "system_blocks", "turns_of", "used_tools", "with_closing_blocks"]

BEGINNING = "(The conversation begins.)"
"""What stands in for the user when a conversation begins with the assistant: Anthropic wants the user first."""

_SYSTEM_ROLES = ("system", "developer")
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_-]")


def system_blocks(messages: Sequence[MessageDict]) -> list[Block]:
    """All system messages but those behind the conversation, each a block."""
    return [
        block
        for message in messages[: _end_of_conversation(messages)]
        if message.get("role") in _SYSTEM_ROLES
        for block in content_blocks(message.get("content"))
    ]


def closing_blocks(messages: Sequence[MessageDict]) -> list[Block]:
    """The system messages behind the conversation, their texts marked as the application's.

    What changes with every request stands there, so that all before it stays as it was, and comes from the cache.
    """
    blocks = (
        block
        for message in messages[_end_of_conversation(messages) :]
        for block in content_blocks(message.get("content"))
    )
    return [
        {**block, "text": f"<system>\n{block['text']}\n</system>"} if block.get("type") == "text" else block
        for block in blocks
    ]


def with_closing_blocks(turns: Sequence[dict[str, Any]], blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """The turns with these blocks at the end of what the user says last."""
    if not blocks:
        return list(turns)
    *before, last = turns
    if last["role"] == "user":
        return [*before, {**last, "content": [*last["content"], *blocks]}]
    return [*turns, {"role": "user", "content": list(blocks)}]


def _end_of_conversation(messages: Sequence[MessageDict]) -> int:
    """The number of messages up to the last one that is not the system's; all of them when there is none."""
    for place in range(len(messages), 0, -1):
        if messages[place - 1].get("role") not in _SYSTEM_ROLES:
            return place
    return len(messages)


def turns_of(messages: Sequence[MessageDict]) -> list[dict[str, Any]]:
    """The turns: roles alternate, the user is first, every tool call has its result in the turn after it."""
    ids = _CallIds()
    turns: list[dict[str, Any]] = []
    for message in without_orphaned_calls(messages):
        role = message.get("role")
        if role in _SYSTEM_ROLES:
            continue
        if role == "assistant":
            if turns and turns[-1]["role"] == "user":
                ids.forget_open_calls()
            _add(turns, "assistant", _assistant_blocks(message, ids))
        elif role == "tool":
            _add(turns, "user", [_result_block(message, ids)])
        else:
            _add(turns, "user", content_blocks(message.get("content")))
    if any(block.get("type") != "text" for turn in turns for block in turn["content"]):  # texts have no partners
        turns = without_orphaned_blocks([_results_first(turn) for turn in turns])
    if turns and turns[-1]["role"] == "assistant":
        turns[-1] = _without_space_at_the_end(turns[-1])
    if not turns or turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [{"type": "text", "text": BEGINNING}]})
    return turns


def used_tools(turns: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of the tools that the turns call, in the order of their first call."""
    names = (block["name"] for turn in turns for block in turn["content"] if block.get("type") == "tool_use")
    return list(dict.fromkeys(names))


def _add(turns: list[dict[str, Any]], role: str, blocks: list[Block]) -> None:
    """Add the blocks to the last turn when it has the same role, else as a turn of their own."""
    if not blocks:
        return
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"].extend(blocks)
    else:
        turns.append({"role": role, "content": list(blocks)})


def _assistant_blocks(message: MessageDict, ids: _CallIds) -> list[Block]:
    thinking = message.get("thinking_blocks")
    blocks = [dict(block) for block in thinking if isinstance(block, Mapping)] if isinstance(thinking, list) else []
    blocks.extend(content_blocks(message.get("content")))
    for data in message.get("tool_calls") or ():
        call = ToolCall(data)
        arguments = {} if call.problem else _whole_arguments(call)
        blocks.append({"type": "tool_use", "id": ids.of_call(call.id), "name": call.wire_name, "input": arguments})
    return blocks


def _result_block(message: MessageDict, ids: _CallIds) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": ids.of_result(message.get("tool_call_id"))}
    content = message.get("content")
    block["content"] = whole_text(content) if isinstance(content, str) else content_blocks(content)
    return block


def _whole_arguments(call: ToolCall) -> dict[str, Any]:
    """The arguments without half characters, which JSON can write down and nobody can send."""
    raw = call.raw_arguments
    if isinstance(raw, str) and raw.isascii() and "\\ud" not in raw.lower():
        return call.arguments
    arguments: dict[str, Any] = json.loads(whole_text(json.dumps(call.arguments, ensure_ascii=False)))
    return arguments


def _results_first(turn: dict[str, Any]) -> dict[str, Any]:
    """The turn with its tool results before all else, where Anthropic looks for them."""
    blocks = sorted(turn["content"], key=lambda block: block.get("type") != "tool_result")
    return {**turn, "content": blocks}


def _without_space_at_the_end(turn: dict[str, Any]) -> dict[str, Any]:
    *before, last = turn["content"]
    if last.get("type") != "text":
        return turn
    return {**turn, "content": [*before, {**last, "text": last["text"].rstrip()}]}


class _CallIds:
    """Ids of tool calls as Anthropic takes them: each once in a conversation, of letters, digits, `_` and `-`.

    Some servers count from one in every reply; the same history always gives the same ids, so that caches hold.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._open: list[tuple[str, str]] = []  # calls that wait for their results: id as given, id on the wire

    def of_call(self, given: str) -> str:
        """The id on the wire of a call."""
        wanted = _NOT_IN_IDS.sub("_", given)
        free, number = wanted, 1
        while free in self._taken:
            number += 1
            free = f"{wanted}_{number}"
        self._taken.add(free)
        self._open.append((given, free))
        return free

    def of_result(self, given: Any) -> str:
        """The id on the wire of the call that a result answers; without an id, of the oldest that waits for one."""
        for position, (call_id, on_the_wire) in enumerate(self._open):
            if call_id == given or not given:
                del self._open[position]
                return on_the_wire
        return _NOT_IN_IDS.sub("_", str(given or "unknown"))

    def forget_open_calls(self) -> None:
        """A new turn of the assistant begins: what no result has answered by now will not be answered any more."""
        self._open.clear()
