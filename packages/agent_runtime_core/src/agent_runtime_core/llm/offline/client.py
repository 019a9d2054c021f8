"""The client that needs no network and no key: rules instead of a model."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces import LLMClient, LLMResponse, LLMStreamChunk
from agent_runtime_core.llm.offline.conversation import read_situation
from agent_runtime_core.llm.offline.replying import Reply, reply_to
from agent_runtime_core.messages import MessageDict, text_of

__all__ = ["OfflineClient"]

_LOGGER = logging.getLogger("agent_runtime_core.llm.offline")
_MODEL = "offline-rules"
_CHARACTERS_PER_TOKEN = 4


class OfflineClient(LLMClient):
    """Drives a conversation by rules: no network, no key, no AI, the same answer to the same messages.

    It reads the offered tools' schemas and the user's last message, fills parameters by type, format, choice,
    pattern and simple phrases, calls a tool when all required values are there, and asks for the missing one
    otherwise. It is made for trying a journey out, for demonstrations and for load tests. Everything that an answer
    depends on is in `messages` and `tools`; nothing is kept between calls.

    Args:
        default_model: The name that answers carry as their model; `offline-rules` when None.
        announce: Whether to say in the log, as a warning, that this is no AI.

    Raises:
        ConfigError: A keyword that this client does not have, such as `api_key`.
    """

    def __init__(self, default_model: str | None = None, *, announce: bool = True, **unknown: Any) -> None:
        if unknown:
            raise ConfigError(
                f"the offline client has no option {', '.join(map(repr, sorted(unknown)))}: it takes default_model and "
                f"announce only, and needs neither a key nor an address. Leave it out, or choose another provider."
            )
        self.default_model = default_model or _MODEL
        if announce:
            _LOGGER.warning(
                "offline client: rules, no AI. It fills the tools' parameters from plain answers; for a real model "
                "choose another provider."
            )

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
        """Answer by rules.

        Args:
            messages: The conversation in OpenAI's shape; what is not a message is passed over.
            model: The name that the answer carries.
            stream: Without effect; use `stream()`.
            tools: The tools that may be called, in OpenAI's form.
            temperature: Without effect: there is nothing random here.
            max_tokens: Without effect: answers are short.
            **kwargs: `tool_choice` is kept: `none`, `auto`, `required` or one tool by name. The rest is without effect.
        """
        reply = reply_to(read_situation(messages), tools, kwargs.get("tool_choice"))
        message: MessageDict = {"role": "assistant", "content": reply.text}
        if reply.call is not None:
            message["tool_calls"] = [reply.call]
        return LLMResponse(
            message,
            usage=_usage(messages, tools, reply),
            model=model or self.default_model,
            finish_reason=_finish_reason(reply),
        )

    async def stream(
        self,
        messages: list[MessageDict],
        *,
        model: str | None = None,
        tools: list[dict[str, Any]] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[LLMStreamChunk]:
        """Answer as `generate` does, word by word; the last chunk has reason, tool calls and usage."""
        reply = reply_to(read_situation(messages), tools, kwargs.get("tool_choice"))
        for word in re.findall(r"\s*\S+(?:\s+$)?|^\s+$", reply.text):
            yield LLMStreamChunk(delta=word)
        yield LLMStreamChunk(
            tool_calls=[reply.call] if reply.call is not None else None,
            finish_reason=_finish_reason(reply),
            usage=_usage(messages, tools, reply),
        )


def _finish_reason(reply: Reply) -> str:
    return "stop" if reply.call is None else "tool_calls"


def _usage(messages: Any, tools: Any, reply: Reply) -> dict[str, int]:
    """A rough count by one rule: four characters are a token, of texts, calls and schemas alike."""
    listed = messages if isinstance(messages, list) else []
    asked = sum(_length(message) for message in listed if isinstance(message, Mapping))
    prompt = _tokens(asked + (_json_length(tools) if tools else 0))
    completion = _tokens(len(reply.text) + (_json_length(reply.call) if reply.call else 0))
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _length(message: Mapping[str, Any]) -> int:
    calls = message.get("tool_calls")
    return len(text_of(message.get("content"))) + (_json_length(calls) if calls else 0)


def _json_length(value: Any) -> int:
    return len(json.dumps(value, default=str, skipkeys=True))


def _tokens(characters: int) -> int:
    return -(-characters // _CHARACTERS_PER_TOKEN)
