"""Cache breakpoints: up to where Anthropic keeps a request, so that the next one pays less for the same beginning."""

from __future__ import annotations

from typing import Any

__all__ = ["with_breakpoints"]

_BREAKPOINT = {"type": "ephemeral"}  # four of them at most, or Anthropic refuses
_NOT_CACHED_THEMSELVES = ("thinking", "redacted_thinking")


def with_breakpoints(fields: dict[str, Any]) -> dict[str, Any]:
    """The request with breakpoints after its tools, its first and its last system message, and its history.

    Anthropic reads a request in this order: tools, system, messages. Each breakpoint keeps all before it, so a new
    tool list costs everything, and a new last system message only what comes after the first. Nothing is changed
    in a request that has breakpoints of its own: who sets one, sets all.
    """
    if _has_breakpoints(fields):
        return fields
    marked = dict(fields)
    if marked.get("tools"):
        marked["tools"] = _marked_at(marked["tools"], -1)
    system = marked.get("system")
    if system:
        marked["system"] = _marked_at(system, 0)
        if len(system) > 1:
            marked["system"] = _marked_at(marked["system"], -1)
    *before, last = marked["messages"]
    place = _last_place(last["content"])
    if place is not None:
        marked["messages"] = [*before, {**last, "content": _marked_at(last["content"], place)}]
    return marked


def _has_breakpoints(fields: dict[str, Any]) -> bool:
    if "cache_control" in fields:
        return True
    blocks = [*fields.get("tools", ()), *fields.get("system", ())]
    for turn in fields["messages"]:
        blocks.extend(turn["content"])
    return any(block.get("cache_control") for block in blocks)


def _last_place(blocks: list[dict[str, Any]]) -> int | None:
    places = [place for place, block in enumerate(blocks) if block.get("type") not in _NOT_CACHED_THEMSELVES]
    return places[-1] if places else None


def _marked_at(blocks: list[dict[str, Any]], place: int) -> list[dict[str, Any]]:
    marked = list(blocks)
    marked[place] = {**marked[place], "cache_control": _BREAKPOINT}
    return marked
