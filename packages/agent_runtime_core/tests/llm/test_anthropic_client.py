"""The Anthropic client's answers and errors, whole and streamed, against a server that sends raw bytes."""

import asyncio
from contextlib import aclosing
from typing import Any

import anthropic
import httpx2
import pytest

from agent_runtime_core.config import configure
from agent_runtime_core.errors import (
    ConfigError,
    LLMBadReply,
    LLMRateLimited,
    LLMRejected,
    LLMTimeout,
    LLMUnavailable,
    MissingDependency,
)
from agent_runtime_core.llm import anthropic as module
from agent_runtime_core.llm.anthropic import AnthropicClient, AnthropicConfigurationError

USER = {"role": "user", "content": "Hello"}
KEY = "sk-ant-very-secret"
USAGE = {
    "input_tokens": 10,
    "cache_read_input_tokens": 80,
    "cache_creation_input_tokens": 10,
    "output_tokens": 5,
    "output_tokens_details": {"thinking_tokens": 3},
}
COUNTED = {
    "prompt_tokens": 100,
    "completion_tokens": 5,
    "total_tokens": 105,
    "cached_tokens": 80,
    "cache_write_tokens": 10,
    "reasoning_tokens": 3,
}
THOUGHT = {"type": "thinking", "thinking": "hm, hm", "signature": "sig"}
HIDDEN = {"type": "redacted_thinking", "data": "xyz"}


@pytest.fixture
async def client(model_server):
    address = model_server.base_url.removesuffix("/v1")
    async with AnthropicClient(KEY, base_url=address, max_retries=0) as client:
        yield client


def answer(*blocks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-6",
        "content": list(blocks),
        "stop_reason": "end_turn",
        "usage": USAGE,
        **fields,
    }


def begin(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def more(index: int, kind: str, **delta: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **delta}}


START = {"type": "message_start", "message": answer(stop_reason=None, usage={**USAGE, "output_tokens": 1})}
STOP = {"type": "message_stop"}


def end(reason: str) -> dict[str, Any]:
    usage = {"output_tokens": 5, "output_tokens_details": {"thinking_tokens": 3}}
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}


async def read_into(seen: list[Any], client: AnthropicClient) -> None:
    async for each in client.stream([USER]):
        seen.append(each)


# --- Answers


async def test_text_thinking_and_calls_come_in_the_normal_form(model_server, client):
    call = {"type": "tool_use", "id": "toolu_1", "name": "save_name", "input": {"name": "Zoë"}}
    model_server.reply(answer(THOUGHT, HIDDEN, {"type": "text", "text": "One moment."}, call, stop_reason="tool_use"))

    response = await client.generate([USER])

    assert response.message == {
        "role": "assistant",
        "content": "One moment.",
        "tool_calls": [
            {
                "id": "toolu_1",
                "type": "function",
                "function": {"name": "save_name", "arguments": '{"name": "Zoë"}'},
            }
        ],
        "thinking_blocks": [THOUGHT, HIDDEN],
    }
    assert response.usage == COUNTED
    assert (response.model, response.finish_reason) == ("claude-sonnet-4-6", "tool_use")
    assert response.thinking == "hm, hm"
    assert any(KEY in value for value in model_server.headers[0].values())


async def test_a_streamed_answer_is_the_same_as_a_whole_one(model_server, client):
    # Given a stream of thinking, text and two calls, one of them without arguments
    model_server.stream(
        START,
        begin(0, type="thinking", thinking="", signature=""),
        more(0, "thinking_delta", thinking="hm, "),
        more(0, "thinking_delta", thinking="hm"),
        more(0, "signature_delta", signature="sig"),
        {"type": "content_block_stop", "index": 0},
        {"type": "ping"},
        begin(1, **HIDDEN),
        begin(2, type="text", text=""),
        more(2, "text_delta", text="One "),
        more(2, "text_delta", text="moment."),
        begin(3, type="tool_use", id="toolu_1", name="save_name", input={}),
        more(3, "input_json_delta", partial_json=""),
        more(3, "input_json_delta", partial_json='{"name":'),
        more(3, "input_json_delta", partial_json='"Zo\\u00eb"}'),
        begin(4, type="tool_use", id="toolu_2", name="finish", input={}),
        more(4, "something_new", partial=True),
        {"type": "an_event_of_next_year"},
        end("tool_use"),
        STOP,
        ending="short",
    )

    # When it is read
    *pieces, last = [chunk async for chunk in client.stream([USER])]

    # Then text and thinking came as they were written, the rest at the end
    assert [chunk.delta for chunk in pieces if chunk.delta] == ["One ", "moment."]
    assert "".join(chunk.thinking or "" for chunk in pieces) == "hm, hm"
    assert last.tool_calls is not None
    assert [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in last.tool_calls] == [
        ("toolu_1", "save_name", '{"name": "Zoë"}'),
        ("toolu_2", "finish", "{}"),
    ]
    assert last.thinking_blocks == [THOUGHT, HIDDEN]
    assert (last.finish_reason, last.usage, last.model) == ("tool_use", COUNTED, "claude-sonnet-4-6")
    assert model_server.requests[0]["stream"] is True


async def test_arguments_that_were_cut_stay_as_they_are(model_server, client):
    model_server.stream(
        START,
        begin(0, type="tool_use", id="t", name="save_name", input={}),
        more(0, "input_json_delta", partial_json='{"name": "A'),
        end("max_tokens"),
        ending="short",
    )

    *_, last = [chunk async for chunk in client.stream([USER])]

    assert last.tool_calls is not None
    assert last.tool_calls[0]["function"]["arguments"] == '{"name": "A'
    assert last.finish_reason == "max_tokens"


async def test_an_answer_without_usage_or_with_strange_values_is_read_as_far_as_it_goes(model_server, client):
    odd = [{"type": "text", "text": None}, {"type": "a_new_kind", "x": 1}, {"type": "text", "text": "Hi"}]
    model_server.reply({"type": "message", "content": odd, "usage": {"input_tokens": "many"}})

    response = await client.generate([USER])

    assert (response.content, response.usage, response.finish_reason) == ("Hi", {}, "")
    assert response.model == client.default_model


# --- Answers that are none


@pytest.mark.parametrize("ending", ["short", "cut"])
async def test_a_stream_that_ends_early_is_an_error_after_its_text(model_server, client, ending):
    model_server.stream(START, begin(0, type="text", text=""), more(0, "text_delta", text="Hel"), ending=ending)
    seen: list[Any] = []

    with pytest.raises(LLMBadReply) as caught:
        await read_into(seen, client)

    assert [chunk.delta for chunk in seen] == ["Hel"]
    assert caught.value.provider == client.provider
    if ending == "cut":
        assert isinstance(caught.value.__cause__, httpx2.RemoteProtocolError)


@pytest.mark.parametrize(
    ("kind", "ours"),
    [
        ("overloaded_error", LLMUnavailable),
        ("rate_limit_error", LLMRateLimited),
        ("invalid_request_error", LLMRejected),
        ("a_new_error", LLMBadReply),
    ],
)
async def test_an_error_inside_of_a_stream_is_told_by_its_kind(model_server, client, kind, ours):
    model_server.stream(START, {"type": "error", "error": {"type": kind, "message": "No."}}, ending="short")

    with pytest.raises(ours, match=r"No\."):
        await read_into([], client)


@pytest.mark.parametrize("body", ["<html>Welcome</html>", {"hello": "world"}, {"content": "Hi"}])
async def test_a_server_that_is_none_of_this_kind_is_found_out(model_server, client, body):
    model_server.reply(body, headers={"content-type": "text/html"} if isinstance(body, str) else {})

    with pytest.raises(LLMBadReply):
        await client.generate([USER])


# --- Errors


@pytest.mark.parametrize(
    ("status", "ours", "words"),
    [
        (400, LLMRejected, "Check the model's name"),
        (401, LLMRejected, "ANTHROPIC_API_KEY"),
        (404, LLMRejected, "without /v1"),
        (408, LLMTimeout, "Try again"),
        (429, LLMRateLimited, "Try again in 7 s"),
        (500, LLMUnavailable, "Try again later"),
        (529, LLMUnavailable, "Try again later"),
    ],
)
async def test_a_status_becomes_our_error_without_the_key(model_server, client, status, ours, words):
    body = {"type": "error", "error": {"type": "x", "message": f"Bad key {KEY}, or so"}}
    model_server.reply(body, status=status, headers={"retry-after": "7", "request-id": "req_1"})

    with pytest.raises(ours) as caught:
        await client.generate([USER], model="claude-x")

    error = caught.value
    assert (error.provider, error.model, error.status, error.request_id) == (
        client.provider,
        "claude-x",
        status,
        "req_1",
    )
    assert words in str(error)
    assert KEY not in str(error)
    assert isinstance(error.__cause__, anthropic.APIStatusError)
    if status == 429:
        assert error.retry_after_s == 7


@pytest.mark.parametrize(
    ("raised", "ours"), [(httpx2.ConnectError("refused"), LLMUnavailable), (httpx2.ReadTimeout("late"), LLMTimeout)]
)
async def test_no_connection_and_no_answer_in_time_are_told_apart(raised, ours):
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise raised

    transport = httpx2.AsyncClient(transport=httpx2.MockTransport(refuse))
    async with AnthropicClient(KEY, http_client=transport, max_retries=0) as client:
        with pytest.raises(ours, match=r"api\.anthropic\.com"):
            await client.generate([USER])


async def test_an_answer_that_may_take_too_long_is_to_be_streamed(client):
    with pytest.raises(LLMRejected, match=r"stream\(\)"):
        await client.generate([USER], max_tokens=100_000)


async def test_a_mistake_of_the_caller_stays_what_it_is(client):
    with pytest.raises(TypeError, match="no_such_option"):
        await client.generate([USER], no_such_option=1)


# --- Closing


async def test_leaving_a_stream_early_closes_the_connection(model_server, client):
    model_server.stream(START, begin(0, type="text", text=""), more(0, "text_delta", text="Hel"), ending="open")

    async with aclosing(client.stream([USER])) as chunks:
        assert (await anext(chunks)).delta == "Hel"

    await asyncio.wait_for(model_server.left.wait(), 5)


def test_a_client_works_in_one_event_loop_after_another():
    made: list[Any] = []

    def reply(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=answer({"type": "text", "text": "Hi"}))

    class Vendor(anthropic.AsyncAnthropic):
        def __init__(self, **options: Any) -> None:
            made.append(self)
            super().__init__(http_client=httpx2.AsyncClient(transport=httpx2.MockTransport(reply)), **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "AsyncAnthropic", Vendor)
        client = AnthropicClient("test-key")

        async def ask() -> str:
            async with client:
                return (await client.generate([USER])).content

        assert [asyncio.run(ask()) for _ in range(2)] == ["Hi", "Hi"]
    assert len(made) == 2


# --- What it is made of


def test_the_key_is_looked_up_in_the_argument_the_configuration_and_the_environment(monkeypatch):
    with pytest.raises(AnthropicConfigurationError) as caught:
        AnthropicClient()
    for way_out in ("ANTHROPIC_API_KEY", "configure(anthropic_api_key=", "api_key="):
        assert way_out in str(caught.value)

    monkeypatch.setenv("ANTHROPIC_API_KEY", "from-environment")
    assert AnthropicClient()._client.api_key == "from-environment"
    configure(anthropic_api_key="from-configuration")
    assert AnthropicClient()._client.api_key == "from-configuration"
    assert AnthropicClient("given")._client.api_key == "given"


def test_a_token_counts_as_a_key():
    assert AnthropicClient(auth_token="token-1")._client.auth_token == "token-1"


def test_the_default_model_is_never_openais():
    assert AnthropicClient("test-key").default_model == "claude-sonnet-4-6"
    configure(default_model="claude-opus-4-6")
    assert AnthropicClient("test-key").default_model == "claude-opus-4-6"
    configure(default_model="a-model-behind-a-proxy")
    assert AnthropicClient("test-key").default_model == "a-model-behind-a-proxy"
    assert AnthropicClient("test-key", "mine").default_model == "mine"


def test_an_address_needs_its_scheme():
    with pytest.raises(ConfigError, match="ANTHROPIC_BASE_URL"):
        AnthropicClient("test-key", base_url="localhost:8080")


def test_without_the_package_its_extra_is_named(monkeypatch):
    monkeypatch.setattr(module, "AsyncAnthropic", None)

    with pytest.raises(MissingDependency, match=r"anthropic package is required.*agent_runtime_core\[anthropic\]"):
        AnthropicClient("test-key")


def test_a_stand_in_for_the_sdk_is_enough(monkeypatch):
    monkeypatch.setattr(module, "_sdk", None)
    monkeypatch.setattr(module, "AsyncAnthropic", lambda **options: options)

    assert AnthropicClient("test-key")._client == {"api_key": "test-key"}
