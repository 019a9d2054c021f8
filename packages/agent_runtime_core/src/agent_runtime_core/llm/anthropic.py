"""The client for Anthropic."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from agent_runtime_core.config import get_config
from agent_runtime_core.errors import LLMBadReply, MissingDependency
from agent_runtime_core.interfaces.llm import LLMResponse, LLMStreamChunk
from agent_runtime_core.llm.anthropic_errors import raise_told, translated
from agent_runtime_core.llm.anthropic_pairs import without_orphaned_calls
from agent_runtime_core.llm.anthropic_stream import StreamedAnswer
from agent_runtime_core.llm.anthropic_wire import request_fields, to_message, to_usage, whole_thinking
from agent_runtime_core.llm.errors import AnthropicConfigurationError
from agent_runtime_core.llm.keys import usable_key
from agent_runtime_core.llm.models_config import DEFAULT_ANTHROPIC_MODEL, get_provider_for_model
from agent_runtime_core.llm.openai_wire import text_attribute
from agent_runtime_core.llm.quoted_words import unquoted
from agent_runtime_core.llm.sdk_client import SDKClient, address_to_use, check_options, server_name
from agent_runtime_core.llm.stream_end import why_unfinished
from agent_runtime_core.llm.structured_output import wanted_schema
from agent_runtime_core.messages import MessageDict

_sdk: Any
AsyncAnthropic: Any
try:
    import anthropic as _sdk
    from anthropic import AsyncAnthropic
except ImportError:  # said when a client is made: this module can be imported without the SDK
    _sdk = AsyncAnthropic = None

__all__ = ["AnthropicClient", "AnthropicConfigurationError", "AsyncAnthropic"]

_ANTHROPIC_HOST = "api.anthropic.com"
_OTHER_CREDENTIALS = ("auth_token", "credentials", "config", "profile")  # the SDK takes these instead of a key
_SAMPLING = ("temperature", "top_p", "top_k")
_WHAT_TO_SET = (
    "Set the variable ANTHROPIC_API_KEY, call configure(anthropic_api_key=...), or pass api_key=... to the client. "
    'Without a key: get_llm_client(provider="offline") (rules, no AI, no network).'
)


class AnthropicClient(SDKClient):
    """Talks to Anthropic; takes and gives messages and tools in OpenAI's shape, as every client here does.

    It may be used in one event loop after another, and in several threads with a loop each; every loop has its own
    connections. (With an `http_client` of yours it is for one loop.) Close it with `await client.close()`, or use it
    in `async with`.

    Args:
        api_key: The key; when None, that of the configuration, then `ANTHROPIC_API_KEY`.
        default_model: The model when a call names none; when None, that of the configuration, unless it is one of
            OpenAI's: then `models_config.DEFAULT_ANTHROPIC_MODEL`.
        prompt_cache: Whether requests carry cache breakpoints, so that Anthropic keeps tools, system prompt and
            history for the next request.
        **kwargs: Passed to `anthropic.AsyncAnthropic`: `base_url`, `timeout` (seconds), `max_retries`, ...

    Raises:
        MissingDependency: The package `anthropic` is not installed.
        AnthropicConfigurationError: There is no key, or one that cannot be sent.
        ConfigError: `base_url` does not begin with `http://` or `https://`, or an option is unknown.
    """

    def __init__(
        self, api_key: Any = None, default_model: str | None = None, *, prompt_cache: bool = True, **kwargs: Any
    ) -> None:
        config = get_config()
        with_key = not any(kwargs.get(name) for name in _OTHER_CREDENTIALS)
        if with_key:
            found = api_key or config.get_anthropic_api_key()
            api_key = usable_key(found, AnthropicConfigurationError, _WHAT_TO_SET)
        if AsyncAnthropic is None:
            raise MissingDependency(
                "anthropic package is required for AnthropicClient. "
                "Install it: pip install 'agent_runtime_core[anthropic]'."
                + ("" if api_key else f" It will need a key, too. {_WHAT_TO_SET}")
            )
        if with_key and not api_key:
            raise AnthropicConfigurationError(f"Anthropic API key is not configured. {_WHAT_TO_SET}")
        check_options(AnthropicClient, AsyncAnthropic, kwargs)
        address = address_to_use(
            kwargs.pop("base_url", None), variable="ANTHROPIC_BASE_URL", default=f"https://{_ANTHROPIC_HOST}"
        )
        self._server = server_name(address, default=_ANTHROPIC_HOST, variable="ANTHROPIC_BASE_URL")
        if address is not None:
            kwargs["base_url"] = address
        self.provider = "anthropic" if self._server == _ANTHROPIC_HOST else self._server
        """Who answers, for traces and prices: `anthropic`, or the host of another server."""
        configured = config.default_model
        if get_provider_for_model(configured) == "openai":
            configured = DEFAULT_ANTHROPIC_MODEL
        self.default_model: str = default_model or configured
        self.prompt_cache = prompt_cache
        options = {"api_key": api_key, **kwargs} if api_key else kwargs
        super().__init__(lambda: AsyncAnthropic(**options), one_for_all=kwargs.get("http_client") is not None)

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
            messages: The conversation in OpenAI's shape; tool calls in either wire form. System messages are put
                together, empty texts and tool calls without a result are left out.
            model: The model; `default_model` when None.
            stream: Makes no difference: the answer comes as a whole. `stream()` gives it in pieces.
            tools: Tools that the model may call, in OpenAI's form.
            temperature: Passed on when given.
            max_tokens: The longest answer, in tokens; 4096 when None.
            **kwargs: `tool_choice`, `parallel_tool_calls`, `stop` and `response_format` (a pydantic model, or a
                JSON Schema) in OpenAI's form. `thinking=True` lets the model reason within `thinking_budget`
                tokens (10000 when not given; temperature is then 1.0); or `thinking={...}` in Anthropic's own form.
                `prompt_cache` for this request. Everything else that is not None is passed to the request.

        Raises:
            ConfigError: `response_format` names no schema, or one that Anthropic cannot answer in.
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
        create = self._here().messages.create
        with self._our_errors(model, messages):
            response = await create(**_as_known(request, create))
            raise_told(response, _sdk)
        blocks = getattr(response, "content", None)
        if not isinstance(blocks, (list, tuple)):
            raise self._bad_reply(model, "The answer holds no message: is base_url the right address?")
        message = to_message(blocks)
        return LLMResponse(
            message=message,
            usage=dict(to_usage(getattr(response, "usage", None))),
            model=text_attribute(response, "model") or model,
            finish_reason=text_attribute(response, "stop_reason"),
            raw_response=response,
            thinking=whole_thinking(message),
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

        Text comes as it is written. The last chunk has `finish_reason`, all tool calls, the thinking that has to be
        sent back (`thinking_blocks`) and the token counts. When the generator is closed early, or its task is
        cancelled, the connection is closed, so that the server can stop writing.

        Args:
            messages: As for `generate`.
            model: As for `generate`.
            tools: As for `generate`.
            **kwargs: As for `generate`, `temperature` and `max_tokens` included.

        Raises:
            ConfigError: As for `generate`.
            LLMError: As for `generate`. A stream that ends before the model has said why it stopped is an
                `LLMBadReply`, whatever text came before.
        """
        model = model or self.default_model
        request = self._request(messages, model=model, tools=tools, **kwargs)
        create = self._here().messages.create
        with self._our_errors(model, messages):
            events = await create(stream=True, **_as_known(request, create))
        answer = StreamedAnswer()
        try:
            with self._our_errors(model, messages, streaming=True):
                async for event in events:
                    piece = answer.take(event)
                    if piece is not None:
                        yield piece
        finally:
            await events.close()
        if answer.finish_reason is None:
            raise self._bad_reply(model, why_unfinished(events, begun=answer.has_begun))
        yield answer.last_chunk()

    @staticmethod
    def _validate_tool_call_pairs(messages: list[MessageDict]) -> list[MessageDict]:
        """The messages without the tool calls that no result answers (a log record says how many there were)."""
        return without_orphaned_calls(messages)

    def _request(self, messages: list[MessageDict], *, prompt_cache: bool | None = None, **options: Any) -> Any:
        cached = self.prompt_cache if prompt_cache is None else prompt_cache
        wanted = options.pop("response_format", None)
        if wanted is not None:
            options["answer_schema"] = wanted_schema(wanted, _sdk.transform_schema)
        return request_fields(messages, prompt_cache=cached, **options)

    @contextmanager
    def _our_errors(self, model: str, messages: list[MessageDict], *, streaming: bool = False) -> Iterator[None]:
        """The one border at which the vendor's errors become ours."""
        try:
            yield
        except Exception as error:  # which of them are the vendor's is decided in one place; the others go on
            if _sdk is None:
                raise
            secret = text_attribute(self._client, "api_key") or text_attribute(self._client, "auth_token")
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


def _as_known(request: dict[str, Any], create: Any) -> dict[str, Any]:
    """The request with the sampling fields where the SDK takes them: newer ones have no parameters for them."""
    given = [name for name in _SAMPLING if name in request]
    if not given:
        return request
    known = _parameters(getattr(create, "__func__", create))
    if known is None:
        return request
    apart = {name: request[name] for name in given if name not in known}
    rest = {name: value for name, value in request.items() if name not in apart}
    return {**rest, "extra_body": {**apart, **(request.get("extra_body") or {})}} if apart else rest


@lru_cache(maxsize=8)
def _parameters(function: Any) -> frozenset[str] | None:
    """The names of a function's parameters, None when it takes any; kept, because looking takes a while."""
    known = inspect.signature(function).parameters
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in known.values()):
        return None
    return frozenset(known)
