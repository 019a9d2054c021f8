"""Putting Anthropic's streamed answer together: text as it comes, tool calls and thinking when they are whole."""

from __future__ import annotations

import json
from typing import Any

from agent_runtime_core.interfaces.llm import LLMStreamChunk
from agent_runtime_core.llm.anthropic_wire import input_text, thinking_block, to_usage
from agent_runtime_core.llm.openai_wire import (
    call_in_openai_form,
    text_attribute,
    whole_number,
    with_ids_of_their_own,
)
from agent_runtime_core.llm.whole_pieces import WholePieces

__all__ = ["StreamedAnswer"]


class StreamedAnswer:
    """One answer while it is being streamed."""

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        """Why the model stopped; None as long as it has not said so."""
        self.has_begun = False
        """Whether anything of an answer has come."""
        self._blocks: list[_Block] = []
        self._at: dict[int, _Block] = {}  # the block that is open at a position: some servers give one to several
        self._usages: list[Any] = []
        self._model = ""
        self._text = WholePieces()
        self._thinking = WholePieces()

    def take(self, event: Any) -> LLMStreamChunk | None:
        """Read one event of the SDK, and give what of it can be shown at once; None when there is nothing."""
        kind = getattr(event, "type", None)
        if kind == "content_block_delta":
            delta = getattr(event, "delta", None)
            if getattr(delta, "type", None) == "text_delta":  # most events: nothing else is looked for in them
                text = getattr(delta, "text", None)
                if not isinstance(text, str):
                    return None
                if self._text.half or not text.isascii():
                    text = self._text.joined(text)
                return LLMStreamChunk(text) if text else None
            block = self._at.setdefault(whole_number(event, "index") or 0, _Block(None))
            thinking = block.take(delta)
            if self._thinking.half or not thinking.isascii():
                thinking = self._thinking.joined(thinking)
            if thinking:
                return LLMStreamChunk(thinking=thinking)
        elif kind == "content_block_start":
            self.has_begun = True
            begun = getattr(event, "content_block", None)
            block = self._at[whole_number(event, "index") or 0] = _Block(begun)
            self._blocks.append(block)
            if block.kind == "text" and text_attribute(begun, "text"):
                return LLMStreamChunk(delta=text_attribute(begun, "text"))
        elif kind == "message_delta":
            self._usages.append(getattr(event, "usage", None))
            self.finish_reason = text_attribute(getattr(event, "delta", None), "stop_reason") or self.finish_reason
        elif kind == "message_start":
            self.has_begun = True
            message = getattr(event, "message", None)
            self._usages.append(getattr(message, "usage", None))
            self._model = text_attribute(message, "model")
        return None

    def last_chunk(self) -> LLMStreamChunk:
        """The chunk that ends the stream: why the model stopped, its tool calls, its thinking and its token counts."""
        calls = [block.as_call() for block in self._blocks if block.kind == "tool_use"]
        thoughts = [thought for block in self._blocks if (thought := block.as_thinking())]
        return LLMStreamChunk(
            delta=self._text.rest(),
            finish_reason=self.finish_reason,
            tool_calls=with_ids_of_their_own(calls) or None,
            usage=to_usage(*self._usages) or None,
            thinking_blocks=thoughts or None,
            model=self._model,
        )


class _Block:
    """One block as far as it has come."""

    def __init__(self, begun: Any) -> None:
        self._begun = begun
        self.kind = text_attribute(begun, "type")
        self._arguments: list[str] = []
        self._thinking = [text_attribute(begun, "thinking")]
        self._signature = text_attribute(begun, "signature")

    def take(self, delta: Any) -> str:
        """Add a piece; what of it is thinking that can be shown."""
        self._arguments.append(text_attribute(delta, "partial_json"))
        thinking = text_attribute(delta, "thinking")
        self._thinking.append(thinking)
        self._signature = text_attribute(delta, "signature") or self._signature
        return thinking

    def as_call(self) -> dict[str, Any]:
        """The block as a tool call in OpenAI's form, its arguments written as in an answer that comes as a whole."""
        written = "".join(self._arguments) or input_text(getattr(self._begun, "input", None))
        try:
            written = json.dumps(json.loads(written), ensure_ascii=False)
        except ValueError:
            pass  # cut by max_tokens: whoever runs the tool sees that it is no JSON
        return call_in_openai_form(text_attribute(self._begun, "id"), text_attribute(self._begun, "name"), written)

    def as_thinking(self) -> dict[str, Any] | None:
        """The block as thinking that can be sent back; None for other blocks."""
        thought = thinking_block(self._begun)
        if thought is not None and self.kind == "thinking":
            return {**thought, "thinking": "".join(self._thinking), "signature": self._signature}
        return thought
