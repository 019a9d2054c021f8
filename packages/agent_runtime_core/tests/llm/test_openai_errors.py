"""What the vendor's errors become: a class that says who must act, and words that say what to do."""

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import openai
import pytest

from agent_runtime_core.errors import (
    AgentRuntimeError,
    LLMBadReply,
    LLMError,
    LLMRateLimited,
    LLMRejected,
    LLMTimeout,
    LLMUnavailable,
)
from agent_runtime_core.llm.openai import OpenAIClient

USER = {"role": "user", "content": "Hello"}
KEY = "gsk_a-key-of-some-vendor"


@pytest.fixture
async def client(model_server):
    async with OpenAIClient(KEY, "gpt-4o", base_url=model_server.base_url, max_retries=0) as client:
        yield client


async def error_of(client: OpenAIClient, *, streaming: bool = False) -> LLMError:
    async def ask() -> None:
        if not streaming:
            await client.generate([USER])
        else:
            async for _ in client.stream([USER]):
                pass

    with pytest.raises(AgentRuntimeError) as caught:
        await ask()
    assert isinstance(caught.value, LLMError)
    return caught.value


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (400, LLMRejected, "Check the model's name"),
        (401, LLMRejected, "OPENAI_API_KEY"),
        (402, LLMRejected, "no credit left"),
        (403, LLMRejected, "permissions"),
        (404, LLMRejected, "base_url"),
        (408, LLMTimeout, "Try again"),
        (413, LLMRejected, "fewer or shorter messages"),
        (418, LLMRejected, "Check the request"),
        (422, LLMRejected, "Check the model's name"),
        (429, LLMRateLimited, "Wait and try again"),
        (500, LLMUnavailable, "Try again later"),
        (503, LLMUnavailable, "Try again later"),
        (504, LLMTimeout, "Try again"),
        (529, LLMUnavailable, "Try again later"),
    ],
)
async def test_a_status_becomes_an_error_with_advice(model_server, client, status, kind, advice, streaming):
    # Given a server that refuses
    told = {"error": {"message": "the vendor's words", "type": "some_error"}}
    model_server.reply(told, status=status, headers={"x-request-id": "req_1"})

    # When it is asked
    error = await error_of(client, streaming=streaming)

    # Then everything is there that whoever must act needs
    assert type(error) is kind
    assert (error.provider, error.model, error.status, error.request_id) == (client.provider, "gpt-4o", status, "req_1")
    for words in ("the vendor's words.", "gpt-4o", "127.0.0.1", str(status), advice):
        assert words in str(error)
    assert isinstance(error.__cause__, openai.APIStatusError)


async def test_secrets_that_a_server_quotes_are_taken_out(model_server, client, monkeypatch):
    monkeypatch.setenv("SOME_VENDOR_API_KEY", "corp-0123456789")
    quoted = (KEY, "corp-0123456789", "AIzaSyA0123456789abcdefghijklmnopqrstu", "Basic dXNlcjpwYXNzd29yZDE=")
    model_server.reply({"error": {"message": f"We got: {'; '.join(quoted)}."}}, status=401)

    text = str(await error_of(client))

    assert not [secret for secret in quoted if secret in text]
    assert "We got: ***; ***; ***; Basic ***" in text


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
async def test_a_rate_limit_says_how_long_to_wait(model_server, client, header, seconds):
    model_server.reply({"error": {"message": "slow down"}}, status=429, headers=header)

    error = await error_of(client)

    assert isinstance(error, LLMRateLimited)
    assert error.retry_after_s == seconds


async def test_a_rate_limit_may_name_a_date(model_server, client):
    until = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    model_server.reply({"error": {"message": "slow down"}}, status=429, headers={"retry-after": until})

    error = await error_of(client)

    assert isinstance(error, LLMRateLimited)
    assert error.retry_after_s is not None
    assert 3000 < error.retry_after_s <= 3600


async def test_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    async with OpenAIClient(base_url=f"http://127.0.0.1:{port}/v1", max_retries=0) as client:
        for streaming in (False, True):
            error = await error_of(client, streaming=streaming)

            assert type(error) is LLMUnavailable
            assert error.status is None
            assert f"127.0.0.1:{port}" in str(error)
            assert "Check the network and base_url" in str(error)


def too_late(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ReadTimeout("too late", request=request)


async def test_no_answer_in_time():
    transport = httpx2.AsyncClient(transport=httpx2.MockTransport(too_late))
    async with OpenAIClient(KEY, "gpt-4o", http_client=transport, max_retries=0) as client:
        error = await error_of(client)

    assert type(error) is LLMTimeout
    assert "timeout=" in str(error)
    assert isinstance(error.__cause__, openai.APITimeoutError)


class Stalling(httpx2.AsyncByteStream):
    async def __aiter__(self):
        yield b'data: {"choices": [{"index": 0, "delta": {"content": "Hi"}}]}\n\n'
        raise httpx2.ReadTimeout("too late")


async def test_no_further_piece_in_time():
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, stream=Stalling(), headers={"content-type": "text/event-stream"})

    transport = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    async with OpenAIClient(KEY, "gpt-4o", http_client=transport, max_retries=0) as client:
        assert type(await error_of(client, streaming=True)) is LLMTimeout


async def test_a_web_page_instead_of_an_answer_points_to_the_address(model_server, client):
    model_server.reply("<html>Welcome</html>", headers={"content-type": "text/html"})

    error = await error_of(client)

    assert type(error) is LLMBadReply
    assert "base_url" in str(error)


async def test_half_an_answer_is_an_error(model_server, client):
    model_server.reply('{"choices": [')

    assert type(await error_of(client)) is LLMBadReply


@pytest.mark.parametrize("quoted", [KEY, "sk-proj-abc123", f"Bearer {KEY}"])
async def test_a_key_that_the_server_quotes_is_not_repeated(model_server, client, quoted):
    model_server.reply({"error": {"message": f"Incorrect API key provided: {quoted}"}}, status=401)

    error = await error_of(client)

    assert "Incorrect API key provided: " in str(error)
    assert KEY not in str(error)
    assert "abc123" not in str(error)


async def test_a_password_in_the_address_is_not_repeated(model_server):
    address = model_server.base_url.replace("http://", "http://ada:pass-word@")
    model_server.reply({"error": {"message": "no"}}, status=400)

    async with OpenAIClient(KEY, base_url=address, max_retries=0) as client:
        assert "pass-word" not in str(await error_of(client))


@pytest.mark.parametrize(
    "body", ["plain words", {"detail": "other shape"}, {"error": "a text"}, {"error": {"message": None}}, [], ""]
)
async def test_an_error_of_any_shape_has_words(model_server, client, body):
    model_server.reply(body, status=400)

    error = await error_of(client)

    assert type(error) is LLMRejected
    assert "Check the model's name" in str(error)


async def test_a_page_of_words_is_cut(model_server, client):
    model_server.reply({"error": {"message": "very " * 1000}}, status=500)

    assert len(str(await error_of(client))) < 1000


async def test_what_is_temporary_is_tried_again_by_default(model_server, completion):
    model_server.reply({"error": {"message": "busy"}}, status=503, headers={"retry-after-ms": "1"})
    model_server.reply(completion({"content": "Hi"}))

    async with OpenAIClient(KEY, base_url=model_server.base_url) as client:
        assert (await client.generate([USER])).content == "Hi"


async def test_a_mistake_of_the_caller_is_not_dressed_up_as_the_vendors(client):
    with pytest.raises(TypeError, match="unexpected keyword argument 'temprature'"):
        await client.generate([USER], temprature=1)
