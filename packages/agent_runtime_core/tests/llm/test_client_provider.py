"""Who answers, as traces and prices want to know it."""

from __future__ import annotations

from typing import Any

import pytest

from agent_runtime_core.errors import LLMRejected
from agent_runtime_core.llm import get_llm_client
from agent_runtime_core.llm.anthropic import AnthropicClient
from agent_runtime_core.llm.openai import OpenAIClient
from agent_runtime_core.llm.resilient import ResilientClient


@pytest.mark.parametrize(
    ("base_url", "provider"),
    [
        (None, "openai"),
        ("https://eu.api.openai.com/v1", "openai"),
        ("http://localhost:11434/v1", "localhost:11434"),
    ],
)
def test_a_server_that_only_speaks_the_protocol_is_not_taken_for_openai(base_url, provider):
    assert OpenAIClient(api_key="test-key", base_url=base_url).provider == provider


def test_anthropic_answers_for_itself():
    assert AnthropicClient(api_key="test-key").provider == "anthropic"


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_address_in_the_environment_is_none(value, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", value)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", value)
    openai, anthropic = OpenAIClient(api_key="test-key"), AnthropicClient(api_key="test-key")

    assert (openai.provider, str(openai._client.base_url)) == ("openai", "https://api.openai.com/v1/")
    assert (anthropic.provider, str(anthropic._client.base_url)) == ("anthropic", "https://api.anthropic.com")


async def test_errors_name_the_provider_as_the_client_does(model_server):
    clients: list[Any] = [
        OpenAIClient("test-key", "gpt-4o", base_url=model_server.base_url, max_retries=0),
        AnthropicClient("test-key", "claude-x", base_url=model_server.base_url, max_retries=0),
    ]
    for client in clients:
        model_server.reply({"error": {"message": "no"}}, status=400)

        with pytest.raises(LLMRejected) as caught:
            await client.generate([{"role": "user", "content": "Hello"}])

        assert caught.value.provider == client.provider == model_server.base_url.split("/")[2]
        await client.close()


def test_the_stand_in_names_the_provider_of_the_client_inside():
    inside = OpenAIClient(api_key="test-key", base_url="http://localhost:11434/v1")

    assert ResilientClient(inside, provider="openai").provider == "localhost:11434"
    given: Any = get_llm_client("openai", base_url="http://localhost:11434/v1", model="gpt-4o")
    assert given.provider == "localhost:11434"
