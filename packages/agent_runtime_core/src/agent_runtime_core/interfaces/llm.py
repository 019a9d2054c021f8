"""What a language model client is, and the shapes that it answers with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Self

from agent_runtime_core.messages import MessageDict, ToolCall, text_of

__all__ = ["LLMClient", "LLMResponse", "LLMStreamChunk"]


@dataclass
class LLMResponse:
    """One whole answer of a model."""

    message: MessageDict
    """`{"role": "assistant", "content": str, "tool_calls": [...]}`; `tool_calls` only when there are any.

    A vendor that wants its reasoning back adds `thinking_blocks`: keep them on the message in the history.
    """
    usage: dict[str, Any] = field(default_factory=dict)
    """`prompt_tokens`, `completion_tokens`, `total_tokens`; where the vendor tells them, `cached_tokens` (the part of
    the prompt that came from its cache), `cache_write_tokens` and `reasoning_tokens` (a part of the completion)."""
    model: str = ""
    """The model that answered, as the vendor names it."""
    finish_reason: str = ""
    """Why the model stopped, as the vendor names it."""
    raw_response: Any = None
    """The vendor's own object."""
    thinking: str | None = None
    """The model's reasoning text, where the vendor gives it."""

    @property
    def tool_calls(self) -> list[ToolCall] | None:
        """The tool calls of the message, read; None when there are none."""
        calls = self.message.get("tool_calls")
        return [ToolCall(call) for call in calls] if calls else None

    @property
    def content(self) -> str:
        """The text of the message; empty when there is none."""
        return text_of(self.message.get("content"))


@dataclass
class LLMStreamChunk:
    """One piece of an answer that is being streamed."""

    delta: str = ""
    """The next piece of the text."""
    tool_calls: list[dict[str, Any]] | None = None
    """Whole tool calls in OpenAI's form; a client sends them once, assembled, in its last chunk."""
    finish_reason: str | None = None
    """Set in the last chunk only: why the model stopped."""
    usage: dict[str, Any] | None = None
    """Token counts of the whole call, in the last chunk."""
    thinking: str | None = None
    """The next piece of the model's reasoning, where the vendor gives it."""
    model: str = ""
    """In the last chunk: the model that answered, as the vendor names it."""
    thinking_blocks: list[dict[str, Any]] | None = None
    """In the last chunk: reasoning that the vendor wants back, for the key `thinking_blocks` of the message."""


class LLMClient(ABC):
    """A model to talk to. The framework needs `generate` only; `stream` makes text appear as it is written."""

    @abstractmethod
    async def generate(
        self,
        messages: list[MessageDict],
        *,
        model: str | None = None,
        stream: bool = False,
        tools: list[dict[str, Any]] | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        **kwargs: Any,
    ) -> LLMResponse:
        """Ask the model and wait for its whole answer.

        Args:
            messages: The conversation in OpenAI's shape, system message first.
            model: The model; the client's default when None.
            stream: Kept for callers of older clients; use `stream()`.
            tools: Tools that the model may call, in OpenAI's form.
            temperature: Passed on when given.
            max_tokens: Passed on when given.
            **kwargs: Passed on to the vendor (`tool_choice`, `response_format`, ...).

        Raises:
            LLMError: The call failed; the subclass says how, the vendor's error is its cause.
        """

    @abstractmethod
    def stream(
        self,
        messages: list[MessageDict],
        *,
        model: str | None = None,
        tools: list[dict[str, Any]] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[LLMStreamChunk]:
        """Ask the model and get its answer in pieces; the last chunk has `finish_reason`, tool calls and usage.

        Raises:
            LLMError: The call failed, or the stream ended before the answer did.
        """

    async def close(self) -> None:  # noqa: B027  # nothing to free is a fine answer
        """Free what the client holds; nothing by default. A client is an async context manager, too."""

    async def __aenter__(self) -> Self:
        """The client, closed at the end of the block."""
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close the client."""
        await self.close()
