"""A model for tests that serves a list of responses, then a default one."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from agent_runtime_core.interfaces import LLMClient, LLMResponse, LLMStreamChunk
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.testing.pieces import in_pieces

__all__ = ["MockLLMClient", "MockLLMResponse"]


@dataclass
class MockLLMResponse:
    """One response of a `MockLLMClient`."""

    content: str
    """The text."""
    tool_calls: list[dict[str, Any]] | None = None
    """Tool calls in OpenAI's form."""
    finish_reason: str = "stop"
    """Why the model stopped."""


class MockLLMClient(LLMClient):
    """Serves its responses in order, then the default one; `ScriptedLLM` does more and says so in fewer words.

    Args:
        responses: The responses.
        response_fn: Makes each response from the messages; it wins over the list.
        default_response: The text when the list is over.
    """

    def __init__(
        self,
        responses: Iterable[MockLLMResponse] | None = None,
        response_fn: Callable[[list[MessageDict]], MockLLMResponse] | None = None,
        default_response: str = "Mock response",
    ) -> None:
        self.responses = list(responses or ())
        """The list that is served."""
        self.response_fn = response_fn
        """Makes each response, when there is one."""
        self.default_response = default_response
        """The text when the list is over."""
        self._calls: list[dict[str, Any]] = []
        self._served = 0

    async def generate(
        self,
        messages: list[MessageDict],
        *,
        model: str | None = None,
        stream: bool = False,
        tools: list[dict[str, Any]] | None = None,
        **kwargs: Any,
    ) -> LLMResponse:
        """The next response."""
        return self._next(messages, model, tools, kwargs)

    async def stream(
        self,
        messages: list[MessageDict],
        *,
        model: str | None = None,
        tools: list[dict[str, Any]] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[LLMStreamChunk]:
        """The next response word by word; the last chunk has `finish_reason`, the tool calls and the usage."""
        for chunk in in_pieces(self._next(messages, model, tools, kwargs)):
            yield chunk

    def get_calls(self) -> list[dict[str, Any]]:
        """What was asked, one dict a call: `messages`, `model`, `tools`, `kwargs`."""
        return list(self._calls)

    def get_call_count(self) -> int:
        """How often the model was asked."""
        return len(self._calls)

    def reset(self) -> None:
        """Forget the calls and serve the list from its beginning."""
        self._calls.clear()
        self._served = 0

    def _next(self, messages: list[MessageDict], model: str | None, tools: Any, kwargs: dict[str, Any]) -> LLMResponse:
        self._calls.append({"messages": copy.deepcopy(messages), "model": model, "tools": tools, "kwargs": kwargs})
        response = self._response(messages)
        message: MessageDict = {"role": "assistant", "content": response.content}
        if response.tool_calls:
            message["tool_calls"] = response.tool_calls
        return LLMResponse(
            message,
            usage={"prompt_tokens": 10, "completion_tokens": 20},
            model=model or "mock-model",
            finish_reason=response.finish_reason,
        )

    def _response(self, messages: list[MessageDict]) -> MockLLMResponse:
        if self.response_fn is not None:
            return self.response_fn(messages)
        if self._served < len(self.responses):
            self._served += 1
            return self.responses[self._served - 1]
        return MockLLMResponse(self.default_response)
