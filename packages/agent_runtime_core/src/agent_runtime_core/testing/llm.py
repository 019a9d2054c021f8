"""A scripted model for tests: it gives the replies that the test wrote down and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from inspect import isawaitable
from typing import Any

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces.llm import LLMClient, LLMResponse, LLMStreamChunk
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.testing.pieces import in_pieces

__all__ = ["ScriptedLLM", "ScriptedReply", "tool_call_reply"]

ScriptedReply = (
    str | dict[str, Any] | LLMResponse | Exception | Callable[[list[MessageDict], list[dict[str, Any]] | None], Any]
)
"""One entry of a script: a text, an assistant message, a whole response, an error to raise, or a function of
`(messages, tools)`, async or not, that returns one of these."""


def tool_call_reply(name: str, /, *more: tuple[str, dict[str, Any]], **arguments: Any) -> dict[str, Any]:
    """An assistant message that calls a tool: `tool_call_reply("save_name", name="Ada")`.

    Args:
        name: The tool.
        *more: Further calls of the same reply, as `(name, arguments)`.
        **arguments: The arguments of the first call.
    """
    calls = [(name, arguments), *more]
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": f"call_{number}_{each}",
                "type": "function",
                "function": {"name": each, "arguments": json.dumps(given)},
            }
            for number, (each, given) in enumerate(calls, 1)
        ],
    }


class ScriptedLLM(LLMClient):
    """A model client that needs no network: it serves its script in order.

    After the last entry it answers with an empty text, or raises when `strict`.

    Args:
        replies: The script, see `ScriptedReply`.
        strict: Whether a call beyond the script is an error.

    Raises:
        ConfigError: The script is no list, or has an entry that is no reply.
    """

    def __init__(self, replies: Iterable[Any] = (), *, strict: bool = False) -> None:
        if isinstance(replies, (str, Mapping)):
            raise ConfigError(f"a script is a list of replies: ScriptedLLM([...]), not a {type(replies).__name__}")
        self.replies = list(replies)
        """The whole script."""
        self.strict = strict
        """Whether a call beyond the script is an error."""
        for number, reply in enumerate(self.replies, 1):
            if not (isinstance(reply, (str, Mapping, LLMResponse, Exception)) or callable(reply)):
                raise ConfigError(
                    f"reply {number} of the script is a {type(reply).__name__}, and must be a text, a message, "
                    "an LLMResponse, an exception or a function"
                )
        self.calls: list[dict[str, Any]] = []
        """What the model was asked, one dict a call: `messages`, `tools`, `kwargs`."""

    @property
    def call_count(self) -> int:
        """How often the model was asked."""
        return len(self.calls)

    async def generate(
        self, messages: list[MessageDict], *, tools: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> LLMResponse:
        """The next reply of the script.

        Raises:
            Exception: The script holds an error at this place.
            AssertionError: The script is over and the client is strict.
        """
        return await self._answer(messages, tools, kwargs)

    async def stream(
        self, messages: list[MessageDict], *, tools: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> AsyncIterator[LLMStreamChunk]:
        """The next reply of the script, its text word by word; the last chunk has all the rest."""
        for chunk in in_pieces(await self._answer(messages, tools, kwargs)):
            yield chunk

    async def _answer(
        self, messages: list[MessageDict], tools: list[dict[str, Any]] | None, kwargs: dict[str, Any]
    ) -> LLMResponse:
        answer = self._next(messages, tools, kwargs)
        return self._read(await answer) if isawaitable(answer) else answer

    def _next(self, messages: list[MessageDict], tools: list[dict[str, Any]] | None, kwargs: dict[str, Any]) -> Any:
        """The next answer, or an awaitable of what is to be read as one."""
        position = len(self.calls)
        self.calls.append({"messages": messages, "tools": tools, "kwargs": kwargs})
        if position >= len(self.replies):
            if self.strict:
                raise AssertionError(f"the script has {len(self.replies)} replies; the model was asked once more")
            return self._read("")
        reply = self.replies[position]
        if callable(reply) and not isinstance(reply, (Exception, LLMResponse)):
            reply = reply(messages, tools)
        return reply if isawaitable(reply) else self._read(reply)

    @staticmethod
    def _read(reply: Any) -> LLMResponse:
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, LLMResponse):
            return reply
        message = {"role": "assistant", "content": reply} if isinstance(reply, str) else reply
        if message.get("content") is None:
            message = {**message, "content": ""}  # as every client gives it
        return LLMResponse(
            message,
            usage={"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30},
            model="scripted",
            finish_reason="tool_calls" if message.get("tool_calls") else "stop",
        )
