"""How much of a request is, byte for byte, the beginning of the next: that part comes from the vendor's cache."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["PromptPrefix", "common_prefix"]


@dataclass(frozen=True, kw_only=True)
class PromptPrefix:
    """What two requests have in common from their beginning on, in the order in which vendors read them."""

    tools: int
    """How many tools are the same, counted from the first."""
    same_tools: bool
    """Whether the whole tool list is the same. Where it is not, a cache ends there: `messages` is 0 then."""
    messages: int
    """How many messages are the same, counted from the first."""
    characters: int
    """The length of that part as JSON."""
    total_characters: int
    """The length of the second request as JSON."""

    @property
    def share(self) -> float:
        """The part of the second request that a cache can give, from 0 to 1."""
        return self.characters / self.total_characters if self.total_characters else 0.0


def common_prefix(request_a: Mapping[str, Any], request_b: Mapping[str, Any]) -> PromptPrefix:
    """What `request_b` shares with the earlier `request_a` from its beginning on.

    Vendors read the tools first, then the messages, and cache whole beginnings. The order of the keys counts, as it
    does for them; a message counts as a whole.

    Args:
        request_a: The earlier request: `messages`, and `tools` if it has any. An entry of `ScriptedLLM.calls` is one.
        request_b: The later request.
    """
    tools_a, tools_b = _written(request_a.get("tools")), _written(request_b.get("tools"))
    tools = _same(tools_a, tools_b)
    same_tools = tools_a == tools_b
    messages_b = _written(request_b.get("messages"))
    messages = _same(_written(request_a.get("messages")), messages_b) if same_tools else 0
    return PromptPrefix(
        tools=tools,
        same_tools=same_tools,
        messages=messages,
        characters=sum(map(len, tools_b[:tools])) + sum(map(len, messages_b[:messages])),
        total_characters=sum(map(len, tools_b)) + sum(map(len, messages_b)),
    )


def _written(entries: Sequence[Any] | None) -> list[str]:
    return [json.dumps(entry, ensure_ascii=False, default=str) for entry in entries or ()]


def _same(before: Sequence[str], after: Sequence[str]) -> int:
    count = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            break
        count += 1
    return count
