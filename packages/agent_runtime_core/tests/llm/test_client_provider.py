"""Who answers, as traces and prices want to know it."""

from __future__ import annotations

import pytest

from agent_runtime_core.llm.anthropic import AnthropicClient
from agent_runtime_core.llm.openai import OpenAIClient


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
