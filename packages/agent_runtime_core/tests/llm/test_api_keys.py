"""Keys that were copied badly: mended where that is safe, else refused at once and never repeated."""

from __future__ import annotations

from typing import Any

import pytest

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.llm import AnthropicConfigurationError, OpenAIConfigurationError
from agent_runtime_core.llm.anthropic import AnthropicClient
from agent_runtime_core.llm.openai import OpenAIClient

CLIENTS = pytest.mark.parametrize("client_class", [OpenAIClient, AnthropicClient])


@CLIENTS
def test_blanks_and_line_breaks_around_a_key_are_no_part_of_it(client_class: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "a-key\n")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key\r\n")

    assert client_class()._client.api_key == "a-key"
    assert client_class(" a-key ")._client.api_key == "a-key"
    assert client_class("your key")._client.api_key == "your key"  # as examples have it; the vendor says no


@CLIENTS
@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("gzq\nkey", "character 4 of 7 is a line break or tabulator"),
        ("gzq-kéy", "character 6 of 7 is no visible character of ASCII"),
        ("gzq\0key", "character 4 of 7 is no visible character"),
        ("gzq-\ud800", "character 5 of 5 is no visible character"),
        (b"gzq-key", "a text, not a bytes"),
        (["gzq-key"], "a text, not a list"),
        (12345, "a text, not an int"),
    ],
    ids=ascii,
)
def test_a_key_that_cannot_be_sent_is_refused_and_not_repeated(client_class: Any, key: Any, words: str):
    with pytest.raises(ConfigError, match=words) as caught:
        client_class(key)

    assert isinstance(caught.value, (OpenAIConfigurationError, AnthropicConfigurationError))
    assert "API_KEY" in str(caught.value)
    assert "gzq" not in str(caught.value)


@CLIENTS
def test_a_key_of_nothing_but_blanks_is_none(client_class: Any):
    with pytest.raises(ConfigError, match="key is not configured"):
        client_class(" \n")
