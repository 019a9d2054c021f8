"""Asking any client, ours or a user's: with or without `stream`, with or without `close`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from inspect import isawaitable
from typing import Any, Protocol

from agent_runtime_core.interfaces.llm import LLMStreamChunk
from agent_runtime_core.messages import MessageDict, text_of

__all__ = ["AnyClient", "chunk_says_something", "close_client", "close_stream", "model_asked", "open_stream"]


class AnyClient(Protocol):
    """The least that a client is."""

    async def generate(self, messages: list[MessageDict], **options: Any) -> Any:
        """The model's answer: an object with `message` (a dict) and maybe `usage`."""
        ...


async def open_stream(
    client: AnyClient, messages: list[MessageDict], options: dict[str, Any]
) -> AsyncIterator[LLMStreamChunk]:
    """The pieces of the client's answer; from a client that cannot stream, its whole answer in two of them.

    The class is asked whether it streams: a test double that answers to every name cannot.
    """
    if not callable(getattr(type(client), "stream", None)):
        return _in_one_piece(client, messages, options)
    stream = client.stream(messages=messages, **options)  # type: ignore[attr-defined]  # asked for in the line above
    return aiter(await stream if isawaitable(stream) else stream)


async def _in_one_piece(
    client: AnyClient, messages: list[MessageDict], options: dict[str, Any]
) -> AsyncIterator[LLMStreamChunk]:
    answer = await client.generate(messages=messages, **options)
    calls = answer.message.get("tool_calls") or None
    text = text_of(answer.message.get("content"))
    thinking = getattr(answer, "thinking", None)
    if text or thinking:
        yield LLMStreamChunk(delta=text, thinking=thinking or None)
    yield LLMStreamChunk(
        tool_calls=calls,
        finish_reason=getattr(answer, "finish_reason", "") or ("tool_calls" if calls else "stop"),
        usage=getattr(answer, "usage", None) or None,
        model=getattr(answer, "model", None) or "",
        thinking_blocks=answer.message.get("thinking_blocks") or None,
    )


async def close_stream(stream: AsyncIterator[LLMStreamChunk]) -> None:
    """Close a stream that may not have been read to its end, so that its connection is closed now."""
    close = getattr(stream, "aclose", None)
    if close is not None:
        await close()


async def close_client(client: Any) -> None:
    """Close a client by `close` or `aclose`, async or not; one that has neither holds nothing."""
    for name in ("close", "aclose"):
        if callable(getattr(type(client), name, None)):
            closing = getattr(client, name)()
            if isawaitable(closing):
                await closing
            return


def chunk_says_something(chunk: Any) -> bool:
    """Whether a chunk, once passed on, cannot be taken back: text, reasoning, tool calls or an end."""
    return bool(chunk.delta or chunk.tool_calls or chunk.finish_reason or getattr(chunk, "thinking", None))


def model_asked(client: Any, options: dict[str, Any]) -> str:
    """The model that a call goes to, as far as it can be told; empty when it cannot."""
    model = options.get("model") or getattr(client, "default_model", None)
    return model if isinstance(model, str) else ""
