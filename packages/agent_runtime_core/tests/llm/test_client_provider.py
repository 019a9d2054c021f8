"""Who answers, as traces and prices want to know it."""

from __future__ import annotations

from typing import Any

import pytest

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


def test_the_stand_in_names_the_provider_of_the_client_inside():
    inside = OpenAIClient(api_key="test-key", base_url="http://localhost:11434/v1")

    assert ResilientClient(inside, provider="openai").provider == "localhost:11434"
    given: Any = get_llm_client("openai", base_url="http://localhost:11434/v1", model="gpt-4o")
    assert given.provider == "localhost:11434"
