"""A model for tests that is a function of what it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from agent_runtime_core.interfaces import LLMClient, LLMResponse, LLMStreamChunk
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.testing.llm import ScriptedLLM

__all__ = ["FunctionLLM"]


class FunctionLLM(LLMClient):
    """Answers with what a function makes of messages and tools, however often it is asked.

    Args:
        function: Gets `(messages, tools)`, async or not, and returns what a script may hold (see `ScriptedReply`): a
            text, an assistant message, an `LLMResponse` or an exception to raise.
    """

    def __init__(self, function: Callable[[list[MessageDict], list[dict[str, Any]] | None], Any]) -> None:
        self.function = function
        """What answers."""

    async def generate(
        self, messages: list[MessageDict], *, tools: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> LLMResponse:
        """What the function makes of it.

        Raises:
            Exception: The function raises or returns one.
        """
        return await self._once().generate(messages, tools=tools, **kwargs)

    async def stream(
        self, messages: list[MessageDict], *, tools: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> AsyncIterator[LLMStreamChunk]:
        """What the function makes of it, its text word by word."""
        async for chunk in self._once().stream(messages, tools=tools, **kwargs):
            yield chunk

    def _once(self) -> ScriptedLLM:
        return ScriptedLLM([self.function])
