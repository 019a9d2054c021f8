"""One answer of a model in two forms: in pieces, as it is streamed, and as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from agent_runtime_core.interfaces.llm import LLMResponse, LLMStreamChunk
from agent_runtime_core.messages import MessageDict

__all__ = ["in_pieces", "put_together"]

_WORD = re.compile(r"\s*\S+|\s+$")


def in_pieces(answer: LLMResponse) -> Iterator[LLMStreamChunk]:
    """A whole answer as it is streamed: its reasoning, its text word by word, and a last chunk with all the rest."""
    if answer.thinking:
        yield LLMStreamChunk(thinking=answer.thinking)
    for word in _WORD.findall(answer.content):
        yield LLMStreamChunk(delta=word)
    calls = answer.message.get("tool_calls") or None
    yield LLMStreamChunk(
        tool_calls=calls,
        finish_reason=answer.finish_reason or ("tool_calls" if calls else "stop"),
        usage=answer.usage or None,
        model=answer.model,
        thinking_blocks=answer.message.get("thinking_blocks") or None,
    )


def put_together(chunks: Iterable[LLMStreamChunk]) -> LLMResponse:
    """The whole answer that was streamed in these chunks."""
    answer = LLMResponse({"role": "assistant", "content": ""})
    message: MessageDict = answer.message
    for chunk in chunks:
        message["content"] += chunk.delta
        if chunk.thinking:
            answer.thinking = (answer.thinking or "") + chunk.thinking
        if chunk.tool_calls:
            message.setdefault("tool_calls", []).extend(chunk.tool_calls)
        if chunk.thinking_blocks:
            message["thinking_blocks"] = chunk.thinking_blocks
        answer.usage = chunk.usage or answer.usage
        answer.model = chunk.model or answer.model
        answer.finish_reason = chunk.finish_reason or answer.finish_reason
    return answer
