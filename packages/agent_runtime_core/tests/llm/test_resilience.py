"""What `get_llm_client` puts around the clients of vendors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_runtime_core.config import reset_config
from agent_runtime_core.errors import ConfigError, LLMRateLimited, LLMUnavailable
from agent_runtime_core.llm import get_llm_client
from agent_runtime_core.llm.offline import OfflineClient
from agent_runtime_core.llm.openai import OpenAIClient
from agent_runtime_core.llm.real_calls import RealLLMCallForbidden, forbid_real_llm_calls
from agent_runtime_core.llm.resilient import MAX_CONCURRENCY, ResilientClient
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


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"max_retries": "3"}, "max_retries must be a whole number, 0 or more, not '3'"),
        ({"max_retries": -1}, "max_retries must be a whole number, 0 or more, not -1"),
        ({"max_retries": 0, "retries": Retries()}, "retries= and max_retries= say the same"),
        ({"max_retries": 1.5}, "max_retries must be a whole number, 0 or more, not 1.5"),
        ({"max_concurrency": "7"}, "max_concurrency must be a whole number, at least 1, or None, not '7'"),
        ({"resilient": "no"}, "resilient must be True or False, not 'no'"),
        ({"model": 4}, "model must be the name of a model, not 4"),
    ],
    ids=str,
)
def test_a_setting_that_cannot_work_is_refused(setting: dict[str, Any], words: str):
    with pytest.raises(ConfigError, match=words):
        get_llm_client("openai", api_key="test-key", **setting)


@pytest.mark.parametrize("provider", ["openai", "anthropic", "offline"])
@pytest.mark.parametrize("setting", [{"timeouts": Timeouts()}, {"retries": Retries()}, {"max_concurrency": 3}], ids=str)
def test_a_setting_that_needs_resilience_is_refused_without_it(provider: str, setting: dict[str, Any]):
    key = {} if provider == "offline" else {"api_key": "test-key"}

    with pytest.raises(ConfigError, match=f"{next(iter(setting))}= needs a resilient client.*resilient=False"):
        get_llm_client(provider, resilient=False, **key, **setting)


def test_a_setting_that_is_none_asks_for_nothing():
    client = get_llm_client("openai", api_key="test-key", resilient=False, timeouts=None, max_concurrency=None)

    assert type(client) is OpenAIClient


@pytest.mark.parametrize("options", [{"timout": 3}, {"timout": 3, "resilient": False}], ids=str)
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_an_unknown_option_is_told_the_known_ones(provider: str, options: dict[str, Any]):
    with pytest.raises(ConfigError, match=r"has no option 'timout'. It takes .*api_key, .*timeout.*retries, timeouts"):
        get_llm_client(provider, api_key="test-key", **options)


# --- Settings from the environment


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch):
    """Sets variables, as an operator does; the configuration is read anew."""

    def sets(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"AGENT_RUNTIME_LLM_{name}", value)
        reset_config()

    return sets


def test_without_an_operator_the_defaults_are_those_of_the_classes():
    client: Any = get_llm_client("openai", api_key="test-key")

    assert (client.timeouts, client.retries) == (Timeouts(), Retries())
    assert client.max_concurrency == MAX_CONCURRENCY


def test_an_operator_sets_timeouts_retries_and_concurrency(operator):
    operator(
        CONNECT_TIMEOUT_SECONDS="2.5",
        FIRST_TOKEN_TIMEOUT_SECONDS="20",
        BETWEEN_TOKENS_TIMEOUT_SECONDS="10",
        TOTAL_TIMEOUT_SECONDS="none",
        MAX_ATTEMPTS="3",
        RETRY_BASE_SECONDS="0",
        RETRY_MAX_SECONDS="7",
        RETRY_JITTER="1",
        MAX_CONCURRENCY="50",
    )

    client: Any = get_llm_client("openai", api_key="test-key")

    assert client.timeouts == Timeouts(connect_s=2.5, first_token_s=20, between_tokens_s=10, total_s=None)
    assert client.retries == Retries(max_attempts=3, base_s=0, max_s=7, jitter=1)
    assert client.max_concurrency == 50
    assert client._client.timeout.connect == 2.5


def test_code_wins_over_the_operator(operator):
    operator(MAX_ATTEMPTS="3", TOTAL_TIMEOUT_SECONDS="9", MAX_CONCURRENCY="50", RETRY_JITTER="0")

    client: Any = get_llm_client("openai", api_key="test-key", timeouts=Timeouts(), max_retries=0, max_concurrency=None)

    assert client.timeouts == Timeouts()
    assert client.retries == Retries(max_attempts=1, jitter=0)
    assert client.max_concurrency is None


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("TOTAL_TIMEOUT_SECONDS", "soon", "a number, above 0, or none"),
        ("TOTAL_TIMEOUT_SECONDS", "0", "a number, above 0, or none"),
        ("TOTAL_TIMEOUT_SECONDS", "nan", "a number, above 0, or none"),
        ("FIRST_TOKEN_TIMEOUT_SECONDS", "inf", "a number, above 0, or none"),
        ("MAX_ATTEMPTS", "0", "a whole number, 1 or more"),
        ("MAX_ATTEMPTS", "none", "a whole number, 1 or more"),
        ("MAX_ATTEMPTS", "1.5", "a whole number, 1 or more"),
        ("MAX_CONCURRENCY", "-1", "a whole number, 1 or more, or none"),
        ("RETRY_BASE_SECONDS", "-0.1", "a number, 0 or more"),
        ("RETRY_JITTER", "50%", "a number, from 0 to 1"),
        ("RETRY_JITTER", "2", "a number, from 0 to 1"),
    ],
)
def test_a_bad_value_of_the_operator_is_named_with_its_variable(operator, name: str, value: str, wanted: str):
    operator(**{name: value})

    with pytest.raises(ConfigError, match=f"AGENT_RUNTIME_LLM_{name} must be {wanted}, not '{value}': change it"):
        get_llm_client("openai", api_key="test-key")


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
