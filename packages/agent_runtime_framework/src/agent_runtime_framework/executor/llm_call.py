"""One question to a model: at once, or as a stream whose texts are passed on as they arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from typing import Any, Protocol, TypeGuard, TypeVar

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.messages import MessageDict

__all__ = [
    "Interrupted",
    "LLMClient",
    "OutOfTime",
    "StreamedResponse",
    "StreamingLLMClient",
    "before",
    "checked_client",
    "streams",
]

T = TypeVar("T")


class LLMClient(Protocol):
    """What the engine needs of a model client; one that has `stream`, too, can show its text as it is written."""

    async def generate(
        self, messages: list[MessageDict], *, tools: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> Any:
        """The model's answer: an object with `message` (a dict) and maybe `usage`."""
        ...


ClientT = TypeVar("ClientT", bound="LLMClient | None")


def checked_client(client: ClientT) -> ClientT:
    """The client, if it is one.

    Raises:
        ConfigError: It has no `generate`.
    """
    if client is not None and not callable(getattr(client, "generate", None)):
        raise ConfigError(
            f"the LLM client is {client!r:.100}, which has no generate(); give a client object, such as "
            f"agent_runtime_core.llm.get_llm_client(model='gpt-4o')."
        )
    return client


class StreamingLLMClient(LLMClient, Protocol):
    """A model client that can show its text as it is written."""

    def stream(self, messages: list[MessageDict], *, tools: list[dict[str, Any]] | None = None, **kwargs: Any) -> Any:
        """An async iterator of chunks (see `LLMStreamChunk`), or an awaitable of one."""
        ...


def streams(client: LLMClient) -> TypeGuard[StreamingLLMClient]:
    """Whether a client can stream. Its class is asked: a test double that answers to every name cannot."""
    return callable(getattr(type(client), "stream", None))


class StreamedResponse:
    """The chunks of a stream put together, in the shape of a client's response.

    Args:
        stream: What the client's `stream()` returned: an async iterator, or an awaitable of one.
        deadline: Time of the event loop's clock at which the stream is given up; None for never.
    """

    def __init__(self, stream: Any, deadline: float | None) -> None:
        self._stream = stream
        self._deadline = deadline
        self._pieces: list[str] = []
        self.usage: Any = None
        """The token counts, from the chunk that has them."""
        self.model: Any = None
        """The model that answered, where the last chunk names it."""
        self.finish_reason: Any = None
        """Why the model stopped, from the chunk that says so."""
        self.message: MessageDict = {"role": "assistant", "content": None, "tool_calls": []}
        """The assistant message; complete once `texts()` has ended."""

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._pieces)

    async def texts(self) -> AsyncGenerator[str, None]:
        """The pieces of the text; the client's stream is closed whatever happens.

        Raises:
            OutOfTime: The deadline came first.
        """
        stream = self._stream
        if hasattr(stream, "__await__"):
            stream = await self._in_time(stream)
        try:
            chunks = aiter(stream)
            while True:
                try:
                    chunk = await self._in_time(anext(chunks))
                except StopAsyncIteration:
                    break
                if chunk.tool_calls:
                    self.message["tool_calls"].extend(chunk.tool_calls)
                if getattr(chunk, "thinking_blocks", None):
                    self.message["thinking_blocks"] = chunk.thinking_blocks
                if chunk.usage:
                    self.usage = chunk.usage
                if getattr(chunk, "finish_reason", None):
                    self.finish_reason = chunk.finish_reason
                    self.model = getattr(chunk, "model", None)
                if isinstance(chunk.delta, str) and chunk.delta:
                    self._pieces.append(chunk.delta)
                    yield chunk.delta
        finally:
            if hasattr(stream, "aclose"):
                await stream.aclose()
        self.message["content"] = self.text

    def _in_time(self, answer: Awaitable[T]) -> Awaitable[T]:
        return answer if self._deadline is None else before(self._deadline, answer)


class Interrupted(Exception):
    """Somebody has asked the run to stop while the model was asked; the question was taken back."""


class OutOfTime(Exception):
    """The run's deadline came before the answer; a client's own timeout is another error."""


async def before(deadline: float, answer: Awaitable[T]) -> T:
    """The answer, if it comes before the deadline.

    Raises:
        OutOfTime: It did not; the question was cancelled.
    """
    try:
        async with asyncio.timeout_at(deadline) as clock:
            return await answer
    except TimeoutError:
        if clock.expired():
            raise OutOfTime from None
        raise
