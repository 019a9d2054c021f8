"""Reasoning that a vendor wants back, as LiteLLM gives it: whole, or in the pieces of a stream."""

from __future__ import annotations

from typing import Any

from agent_runtime_core.llm.openai_wire import items, whole_number

__all__ = ["StreamedThinking", "thinking_blocks_of"]


def thinking_blocks_of(message: Any) -> list[dict[str, Any]]:
    """The blocks of a message, or the pieces of blocks in a delta; empty where there are none."""
    return [dict(block) for block in items(message, "thinking_blocks") if isinstance(block, dict)]


class StreamedThinking:
    """The blocks of one answer while it is being streamed: each piece says by its `index` where it belongs."""

    def __init__(self) -> None:
        self._blocks: dict[int, dict[str, Any]] = {}

    def take(self, chunk: Any) -> None:
        """Add what one chunk has of them."""
        for choice in items(chunk, "choices"):
            if whole_number(choice, "index"):
                continue  # a second answer
            for piece in thinking_blocks_of(getattr(choice, "delta", None)):
                self._add(piece)

    def _add(self, piece: dict[str, Any]) -> None:
        index = piece.pop("index", None)
        last = max(self._blocks, default=0)
        block = self._blocks.setdefault(index if isinstance(index, int) else last, {})
        for name, value in piece.items():
            if name == "thinking" and isinstance(value, str):
                block[name] = block.get(name, "") + value
            elif value:
                block[name] = value

    def whole(self) -> list[dict[str, Any]]:
        """The blocks in their order, as a whole answer has them."""
        return [self._blocks[index] for index in sorted(self._blocks)]
