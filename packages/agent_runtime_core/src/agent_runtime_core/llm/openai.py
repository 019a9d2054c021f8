"""The client for OpenAI, and for every server that speaks its chat completions protocol."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any

from agent_runtime_core.config import get_config
from agent_runtime_core.errors import LLMBadReply, MissingDependency
from agent_runtime_core.interfaces.llm import LLMResponse, LLMStreamChunk
from agent_runtime_core.llm.errors import OpenAIConfigurationError
from agent_runtime_core.llm.keys import usable_key
from agent_runtime_core.llm.openai_errors import raise_told, translated
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
from agent_runtime_core.llm.sdk_client import SDKClient, address_to_use, check_options, server_name
from agent_runtime_core.llm.stream_end import why_unfinished
from agent_runtime_core.llm.structured_output import openai_response_format
from agent_runtime_core.messages import MessageDict

_sdk: Any
AsyncOpenAI: Any
try:
    import openai as _sdk
    from openai import AsyncOpenAI
except ImportError:  # said when a client is made: this module can be imported without the SDK
    _sdk = AsyncOpenAI = None

__all__ = ["AsyncOpenAI", "OpenAIClient", "OpenAIConfigurationError"]

_OPENAI_HOST = "api.openai.com"
_OTHER_CREDENTIALS = (
    "provider",
    "workload_identity",
    "admin_api_key",
)  # the SDK takes these instead of a key
_WHAT_TO_SET = (
    "Set the variable OPENAI_API_KEY, call configure(openai_api_key=...), or pass api_key=... to the client. "
    'Without a key: get_llm_client(provider="offline") (rules, no AI, no network), or base_url=... for a '
    "server of your own that speaks OpenAI's protocol."
)


class OpenAIClient(SDKClient):
    """Talks to OpenAI, or to another server of the same protocol.

    It may be used in one event loop after another, and in several threads with a loop each; every loop has its own
    connections. (With an `http_client` of yours it is for one loop.) Close it with `await client.close()`, or use it
    in `async with`.

    Args:
        api_key: The key; when None, that of the configuration, then `OPENAI_API_KEY`. A server that is not
            OpenAI's needs none.
        default_model: The model when a call names none; when None, that of the configuration.
        organization: OpenAI's organisation, when the key belongs to several.
        base_url: The server's address, usually ending in `/v1`; when None, `OPENAI_BASE_URL`, then OpenAI.
        **kwargs: Passed to `openai.AsyncOpenAI`: `timeout` (seconds), `max_retries`, `http_client`, ...

    Raises:
        MissingDependency: The package `openai` is not installed.
        OpenAIConfigurationError: There is no key, or one that cannot be sent.
        ConfigError: `base_url` does not begin with `http://` or `https://`, or an option is unknown.
    """

    def __init__(
        self,
        api_key: Any = None,
        default_model: str | None = None,
        organization: str | None = None,
        base_url: Any = None,
        **kwargs: Any,
    ) -> None:
        config = get_config()
        api_key = usable_key(api_key or config.get_openai_api_key(), OpenAIConfigurationError, _WHAT_TO_SET)
        if AsyncOpenAI is None:
            raise MissingDependency(
                "openai package is required for OpenAIClient. "
                "Install it: pip install 'agent_runtime_core[openai]'."
                + ("" if api_key else f" It will need a key, too. {_WHAT_TO_SET}")
            )
        check_options(OpenAIClient, AsyncOpenAI, kwargs)
        base_url = address_to_use(base_url, variable="OPENAI_BASE_URL", default=f"https://{_OPENAI_HOST}/v1")
        self._server = server_name(base_url, default=_OPENAI_HOST, variable="OPENAI_BASE_URL")
        own = self._server == _OPENAI_HOST or self._server.endswith(f".{_OPENAI_HOST}")  # regions come in front
        self.provider = "openai" if own else self._server
        """Who answers, for traces and prices: `openai`, or the host of another server."""
        if not api_key and not any(kwargs.get(name) for name in _OTHER_CREDENTIALS):
            if own:
                raise OpenAIConfigurationError(f"OpenAI API key is not configured. {_WHAT_TO_SET}")
            api_key = "not-needed"  # the SDK insists on one
        self.default_model: str = default_model or config.default_model
        options = {"api_key": api_key, "organization": organization, "base_url": base_url, **kwargs}
        super().__init__(lambda: AsyncOpenAI(**options), one_for_all=kwargs.get("http_client") is not None)

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
            **kwargs: `thinking=True` lets a reasoning model reason, as hard as `reasoning_effort` says
                (`low`, `medium`, `high`; medium when not given); `thinking=False` sends no effort.
                `response_format` may be a pydantic model: the answer is JSON of its shape. Everything else that is
                not None is passed to the request (`tool_choice`, `extra_body`, ...).

        Raises:
            LLMRejected: The request was refused: the key, the model's name, the messages or the tools.
            LLMRateLimited: Too many requests; `retry_after_s` says how long to wait, when the server said so.
            LLMTimeout: No answer in time.
            LLMUnavailable: No connection, or the server failed.
            LLMBadReply: The answer is not one of this protocol.
        """
        model = model or self.default_model
        request = self._request(
            messages, model=model, tools=tools, temperature=temperature, max_tokens=max_tokens, **kwargs
        )
        with self._our_errors(model, messages):
            response = await self._here().chat.completions.create(**request)
            raise_told(response, _sdk)
        choices = items(response, "choices")
        message = getattr(choices[0], "message", None) if choices else None
        if message is None:
            raise self._bad_reply(model, "The answer holds no message: is base_url the right address?")
        return LLMResponse(
            message=to_message(message),
            usage=dict(to_usage(getattr(response, "usage", None))),
            model=text_attribute(response, "model") or model,
            finish_reason=text_attribute(choices[0], "finish_reason"),
            raw_response=response,
            thinking=thinking_of(message) or None,
        )

    async def stream(
        self,
        messages: list[MessageDict],
        *,
        model: str | None = None,
        tools: list[dict[str, Any]] | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[LLMStreamChunk, None]:
        """Ask the model and get its answer in pieces.

        Text comes as it is written. The last chunk has `finish_reason`, all tool calls and the token counts.
        When the generator is closed early, or its task is cancelled, the connection is closed, so that the
        server can stop writing.

        Args:
            messages: As for `generate`.
            model: As for `generate`.
            tools: As for `generate`.
            **kwargs: As for `generate`, `temperature` and `max_tokens` included.

        Raises:
            LLMError: As for `generate`. A stream that ends before the model has said why it stopped is an
                `LLMBadReply`, whatever text came before.
        """
        model = model or self.default_model
        kwargs.setdefault("stream_options", {"include_usage": True})  # None leaves it out, for a server that minds
        request = self._request(messages, model=model, tools=tools, **kwargs)
        with self._our_errors(model, messages):
            chunks = await self._here().chat.completions.create(stream=True, **request)
        answer = StreamedAnswer()
        try:
            with self._our_errors(model, messages, streaming=True):
                async for chunk in chunks:
                    for piece in answer.take(chunk):
                        yield piece
        finally:
            await chunks.close()
        if answer.finish_reason is None:
            raise self._bad_reply(model, why_unfinished(chunks, begun=answer.has_begun))
        yield answer.last_chunk()

    @staticmethod
    def _request(messages: list[MessageDict], *, response_format: Any = None, **options: Any) -> dict[str, Any]:
        if response_format is not None:
            options["response_format"] = openai_response_format(response_format, _sdk.pydantic_function_tool)
        return request_fields(messages, **options)

    @contextmanager
    def _our_errors(self, model: str, messages: list[MessageDict], *, streaming: bool = False) -> Iterator[None]:
        """The one border at which the vendor's errors become ours."""
        try:
            yield
        except Exception as error:  # which of them are the vendor's is decided in one place; the others go on
            if _sdk is None:
                raise
            secret = text_attribute(self._client, "api_key")
            ours = translated(
                error,
                _sdk,
                model=model,
                server=self._server,
                provider=self.provider,
                secret=secret,
                streaming=streaming,
            )
            if ours is None:
                raise
            raise unquoted(ours, messages) from error

    def _bad_reply(self, model: str, what: str) -> LLMBadReply:
        return LLMBadReply(f"{what} ({self._server}, model {model!r})", provider=self.provider, model=model)
