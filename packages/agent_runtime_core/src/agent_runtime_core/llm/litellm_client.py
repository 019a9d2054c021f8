"""The client for LiteLLM, a library that speaks to a hundred vendors.

At its import LiteLLM fetches a list of prices from the network, unless `LITELLM_LOCAL_MODEL_COST_MAP` is `True` in the
environment. This module sets it before the import where it is not set: nothing leaves the machine before a request.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any

from agent_runtime_core.config import get_config
from agent_runtime_core.errors import ConfigError, LLMBadReply, MissingDependency
from agent_runtime_core.interfaces.llm import LLMClient, LLMResponse, LLMStreamChunk
from agent_runtime_core.llm.keys import usable_key
from agent_runtime_core.llm.litellm_errors import translated
from agent_runtime_core.llm.litellm_thinking import StreamedThinking, thinking_blocks_of
from agent_runtime_core.llm.openai_stream import StreamedAnswer
from agent_runtime_core.llm.openai_wire import (
    items,
    request_fields,
    text_attribute,
    thinking_of,
    to_message,
    to_usage,
)
from agent_runtime_core.llm.quoted_words import unquoted
from agent_runtime_core.llm.real_calls import check_real_call
from agent_runtime_core.llm.sdk_client import server_name
from agent_runtime_core.llm.stream_end import is_made_up, why_unfinished
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.redaction.secrets import names_secret

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
litellm: Any
try:
    import litellm
except ImportError:  # said when a client is made: this module can be imported without the library
    litellm = None

__all__ = ["LiteLLMClient"]

_PREFIX = "litellm/"


class LiteLLMClient(LLMClient):
    """Talks to whom LiteLLM can talk to. Keys are LiteLLM's affair: each vendor's own variable, or `api_key=`.

    Args:
        default_model: The model when a call names none, as LiteLLM writes it (`vendor/model`); when None, that of
            the configuration.
        **kwargs: Sent with each request: `api_key`, `api_base`, `timeout` (seconds), `num_retries`, ... What a call
            gives wins. `base_url` is the same as `api_base`.

    Raises:
        MissingDependency: The package `litellm` is not installed.
        ConfigError: `api_key` cannot be sent.
    """

    def __init__(self, default_model: str | None = None, **kwargs: Any) -> None:
        if litellm is None:
            raise MissingDependency(
                "litellm package is required for LiteLLMClient. Install it: pip install 'agent_runtime_core[litellm]'."
            )
        _silence()
        if kwargs.get("api_key") is not None:
            kwargs["api_key"] = usable_key(kwargs["api_key"], ConfigError, "Pass it as api_key=.")
        self.default_model: str = default_model or get_config().default_model
        self._options = kwargs

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
            messages: The conversation; tool calls in either wire form, `metadata` and unknown keys stay here.
            model: The model; `default_model` when None.
            stream: Makes no difference: the answer comes as a whole. `stream()` gives it in pieces.
            tools: Tools that the model may call, in OpenAI's form.
            temperature: Passed on when given.
            max_tokens: The longest answer, in tokens.
            **kwargs: As for `OpenAIClient.generate`; what is not None is passed to `litellm.acompletion`.

        Raises:
            ConfigError: `api_base` does not begin with `http://` or `https://`.
            LLMError: The call failed; the subclass says how, LiteLLM's error is its cause.
        """
        request = self._request(
            messages, model=model, tools=tools, temperature=temperature, max_tokens=max_tokens, **kwargs
        )
        with self._our_errors(request):
            response = await litellm.acompletion(**request)
        choices = items(response, "choices")
        answer = getattr(choices[0], "message", None) if choices else None
        if answer is None:
            raise self._bad_reply(request, "The answer holds no message: is api_base the right address?")
        message = to_message(answer)
        thoughts = thinking_blocks_of(answer)
        if thoughts:
            message["thinking_blocks"] = thoughts
        return LLMResponse(
            message=message,
            usage=dict(to_usage(getattr(response, "usage", None))),
            model=text_attribute(response, "model") or request["model"],
            finish_reason=text_attribute(choices[0], "finish_reason"),
            raw_response=response,
            thinking=thinking_of(answer) or None,
        )

    async def stream(
        self,
        messages: list[MessageDict],
        *,
        model: str | None = None,
        tools: list[dict[str, Any]] | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[LLMStreamChunk, None]:
        """Ask the model and get its answer in pieces; the last chunk has `finish_reason`, tool calls and usage.

        Args:
            messages: As for `generate`.
            model: As for `generate`.
            tools: As for `generate`.
            **kwargs: As for `generate`, `temperature` and `max_tokens` included.

        Raises:
            LLMError: As for `generate`. A stream that ends before the model has said why it stopped is an
                `LLMBadReply`, whatever text came before.
        """
        kwargs.setdefault("stream_options", {"include_usage": True})
        request = self._request(messages, model=model, tools=tools, **kwargs)
        with self._our_errors(request):
            chunks = await litellm.acompletion(stream=True, **request)
        answer, thinking, shown = StreamedAnswer(), StreamedThinking(), False
        try:
            with self._our_errors(request, streaming=True):
                async for chunk in chunks:
                    thinking.take(chunk)
                    for piece in answer.take(chunk):
                        shown = True
                        yield piece
        finally:
            await chunks.aclose()
        last = answer.last_chunk()
        if answer.finish_reason is None or is_made_up(chunks):
            begun = shown or bool(last.tool_calls)
            raise self._bad_reply(request, why_unfinished(chunks, begun=begun, setting="api_base"))
        last.thinking_blocks = thinking.whole() or None
        yield last

    def _request(self, messages: list[MessageDict], *, model: str | None, **options: Any) -> dict[str, Any]:
        wanted = model or self.default_model
        fields = request_fields(messages, model=wanted.removeprefix(_PREFIX), **{**self._options, **options})
        address = fields.get("api_base") or fields.get("base_url")
        check_real_call(server_name(address, default=f"LiteLLM, {wanted}", variable="api_base"))
        if fields.get("tools"):
            # Else LiteLLM looks for tools of its gateway, for which it needs a package that it does not install.
            fields.setdefault("_skip_mcp_handler", True)
        for given, sent in zip(messages, fields["messages"], strict=True):
            if given.get("thinking_blocks"):
                sent["thinking_blocks"] = given["thinking_blocks"]
        return fields

    @contextmanager
    def _our_errors(self, request: dict[str, Any], *, streaming: bool = False) -> Iterator[None]:
        """The one border at which LiteLLM's errors become ours."""
        try:
            yield
        except Exception as error:  # which of them are LiteLLM's is decided in one place; the others go on
            given = {**request, "api_key": request.get("api_key") or litellm.api_key}
            secrets = [value for name, value in given.items() if isinstance(value, str) and names_secret(name)]
            ours = translated(
                error,
                model=request["model"],
                secrets=secrets,
                streaming=streaming,
            )
            if ours is None:
                raise
            raise unquoted(ours, request["messages"]) from error

    def _bad_reply(self, request: dict[str, Any], what: str) -> LLMBadReply:
        model = request["model"]
        return LLMBadReply(f"{what} (LiteLLM, model {model!r})", provider="litellm", model=model)


def _silence() -> None:
    """LiteLLM prints advice on each error, and its loggers write the requests: both stay off unless asked for."""
    litellm.suppress_debug_info = True
    for name in ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router"):
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.CRITICAL)
