"""One question to a model: its texts as they arrive, then the whole reply."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from typing import Any, Protocol, TypeVar

from agent_runtime_core.messages import MessageDict, text_of

__all__ = ["LLMCall", "LLMClient", "StreamedResponse"]

T = TypeVar("T")


class LLMClient(Protocol):
    """What the engine needs of a model client; one that has `stream`, too, can show its text as it is written."""

    async def generate(
        self, messages: list[MessageDict], *, tools: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> Any:
        """The model's answer: an object with `message` (a dict) and maybe `usage`."""
        ...


class StreamedResponse:
    """The chunks of a stream put together, in the shape of a client's response."""

    def __init__(self) -> None:
        self.usage: Any = None
        """The token counts, from the chunk that has them."""
        self.message: MessageDict = {"role": "assistant", "content": "", "tool_calls": []}
        """The assistant message so far."""
        self._texts: list[str] = []

    def add(self, chunk: Any) -> str:
        """Take one chunk and return its text."""
        if chunk.tool_calls:
            self.message["tool_calls"].extend(chunk.tool_calls)
        if chunk.usage:
            self.usage = chunk.usage
        text = chunk.delta
        if not isinstance(text, str) or not text:
            return ""
        self._texts.append(text)
        return text

    def finish(self) -> StreamedResponse:
        """The response, its text joined."""
        self.message["content"] = "".join(self._texts)
        return self


class LLMCall:
    """One question to a model.

    Args:
        client: The model.
        messages: What it gets.
        tools: The tools it may call, or None.
        options: Further keywords for the client.
        streaming: Whether to use the client's `stream`, where its class has one.
        deadline: Time of the event loop's clock at which the question is given up; None for never.
    """

    __slots__ = ("_arguments", "_client", "_deadline", "_streaming", "out_of_time", "response")

    def __init__(
        self,
        client: LLMClient,
        messages: Sequence[MessageDict],
        tools: list[dict[str, Any]] | None,
        options: dict[str, Any],
        *,
        streaming: bool,
        deadline: float | None,
    ) -> None:
        self._client = client
        self._arguments = {"messages": messages, "tools": tools, **options}
        # Asked of the class: a test double that answers to every name would seem to stream.
        self._streaming = streaming and callable(getattr(type(client), "stream", None))
        self._deadline = deadline
        self.response: Any = None
        """The client's response once `texts()` has ended."""
        self.out_of_time = False
        """Whether the deadline came before the reply."""

    async def texts(self) -> AsyncGenerator[str, None]:
        """The pieces of the model's text; a client that does not stream gives one. Closes the client's stream."""
        try:
            if not self._streaming:
                self.response = await self._in_time(self._client.generate(**self._arguments))
                text = _text_in(self.response)
                if text:
                    yield text
                return
            streamed = StreamedResponse()
            stream = self._client.stream(**self._arguments)  # type: ignore[attr-defined]  # checked in __init__
            if hasattr(stream, "__await__"):
                stream = await self._in_time(stream)
            try:
                chunks = aiter(stream)
                while True:
                    try:
                        chunk = await self._in_time(anext(chunks))
                    except StopAsyncIteration:
                        break
                    text = streamed.add(chunk)
                    if text:
                        yield text
            finally:
                if hasattr(stream, "aclose"):
                    await stream.aclose()
            self.response = streamed.finish()
        except _OutOfTime:
            self.out_of_time = True

    async def _in_time(self, answer: Awaitable[T]) -> T:
        if self._deadline is None:
            return await answer
        try:
            async with asyncio.timeout_at(self._deadline) as clock:
                return await answer
        except TimeoutError:
            if clock.expired():
                raise _OutOfTime from None
            raise


class _OutOfTime(Exception):
    """The run's deadline came; a client's own timeout is another error."""


def _text_in(response: Any) -> str:
    message = getattr(response, "message", None)
    return text_of(message.get("content")) if isinstance(message, dict) else ""
