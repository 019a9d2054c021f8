"""What `get_llm_client` puts around the clients of vendors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_runtime_core.errors import ConfigError, LLMRateLimited, LLMUnavailable
from agent_runtime_core.llm import get_llm_client
from agent_runtime_core.llm.offline import OfflineClient
from agent_runtime_core.llm.openai import OpenAIClient
from agent_runtime_core.llm.real_calls import RealLLMCallForbidden, forbid_real_llm_calls
from agent_runtime_core.llm.resilient import ResilientClient
from agent_runtime_core.llm.retries import Retries
from agent_runtime_core.llm.timeouts import Timeouts

USER = [{"role": "user", "content": "Hello"}]
AT_ONCE = Retries(base_s=0.0)


async def ask(client: Any, streaming: bool) -> str:
    if streaming:
        return "".join([chunk.delta async for chunk in client.stream(USER)])
    return (await client.generate(USER)).content


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_server_that_fails_is_asked_again(model_server, completion, chunk, streaming: bool):
    # Given
    model_server.reply({"error": {"message": "down"}}, status=500)
    model_server.reply({"error": {"message": "slow"}}, status=429, headers={"retry-after": "0"})
    if streaming:
        model_server.stream(chunk({"content": "Hello!"}), chunk(finish_reason="stop"))
    else:
        model_server.reply(completion({"content": "Hello!"}))

    # When
    async with get_llm_client("openai", base_url=model_server.base_url, retries=AT_ONCE) as client:
        answer = await ask(client, streaming)

    # Then
    assert answer == "Hello!"
    assert len(model_server.requests) == 3


async def test_only_we_try_again(model_server):
    for _ in range(9):
        model_server.reply({"error": {"message": "down"}}, status=500)

    async with get_llm_client(
        "openai", base_url=model_server.base_url, retries=Retries(base_s=0, max_attempts=2)
    ) as client:
        with pytest.raises(LLMUnavailable):
            await client.generate(USER)

    assert len(model_server.requests) == 2


async def test_max_retries_keeps_its_meaning(model_server):
    model_server.reply({"error": {"message": "slow"}}, status=429)

    async with get_llm_client("openai", base_url=model_server.base_url, max_retries=0) as client:
        with pytest.raises(LLMRateLimited):
            await client.generate(USER)

    assert len(model_server.requests) == 1


def test_the_time_to_connect_is_the_sdks():
    client: Any = get_llm_client("openai", api_key="test-key", timeouts=Timeouts(connect_s=2.5, total_s=70.0))
    assert (client._client.timeout.connect, client._client.timeout.read) == (2.5, 70.0)

    client = get_llm_client("openai", api_key="test-key", timeout=3.0)
    assert client._client.timeout == 3.0


def test_it_is_still_the_client_of_the_vendor():
    client: Any = get_llm_client("openai", "gpt-4.1", api_key="test-key", max_concurrency=7)

    assert type(client) is ResilientClient
    assert client.max_concurrency == 7
    assert client.default_model == "gpt-4.1"
    assert client._client.max_retries == 0
    assert isinstance(client, OpenAIClient)


def test_it_can_be_left_out():
    client: Any = get_llm_client("openai", api_key="test-key", resilient=False)

    assert type(client) is OpenAIClient
    assert client._client.max_retries == 2


def test_rules_do_not_fail_and_need_none():
    assert type(get_llm_client("offline")) is OfflineClient
    assert type(get_llm_client("offline", retries=AT_ONCE)) is ResilientClient


@pytest.mark.parametrize("setting", [{"timeouts": 5}, {"retries": 5}], ids=str)
def test_a_setting_of_another_type_is_refused(setting: dict[str, Any]):
    with pytest.raises(ConfigError, match=r"(timeouts|retries) must be a (Timeouts|Retries)\(...\), not 5"):
        get_llm_client("openai", api_key="test-key", **setting)


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_guarded_client_does_not_send(model_server, streaming: bool):
    # Given
    async with get_llm_client("openai", base_url=model_server.base_url) as client:
        # When
        with forbid_real_llm_calls(), pytest.raises(RealLLMCallForbidden, match=r"127\.0\.0\.1.*testing"):
            await ask(client, streaming)

    # Then
    assert model_server.requests == []


async def test_a_guard_may_let_this_machine_be_asked(model_server, completion):
    model_server.reply(completion({"content": "Hello!"}))
    async with (
        get_llm_client("openai", base_url=model_server.base_url) as here,
        get_llm_client("openai", base_url="http://model.example/v1") as elsewhere,
    ):
        with forbid_real_llm_calls(allow_loopback=True):
            assert await ask(here, streaming=False) == "Hello!"
            with pytest.raises(RealLLMCallForbidden, match=r"model\.example"):
                await ask(elsewhere, streaming=False)
            with forbid_real_llm_calls(), pytest.raises(RealLLMCallForbidden):
                await ask(here, streaming=False)

    assert json.dumps(model_server.requests).count("Hello") == 1


async def test_the_guard_stops_litellm_too():
    pytest.importorskip("litellm")
    async with get_llm_client("litellm", "openai/gpt-4o", api_key="test-key") as client:
        with forbid_real_llm_calls(), pytest.raises(RealLLMCallForbidden, match="LiteLLM"):
            await client.generate(USER)
