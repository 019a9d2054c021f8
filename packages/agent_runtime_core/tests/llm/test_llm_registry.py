"""From a name to a client: who is chosen, what the model becomes, and what is never chosen silently."""

import pytest

from agent_runtime_core.config import configure
from agent_runtime_core.errors import ConfigError
from agent_runtime_core.llm import (
    AnthropicConfigurationError,
    OpenAIConfigurationError,
    get_llm_client,
    get_llm_client_for_model,
)
from agent_runtime_core.llm.anthropic import AnthropicClient
from agent_runtime_core.llm.offline import OfflineClient
from agent_runtime_core.llm.openai import OpenAIClient


def test_without_a_provider_and_a_key_it_is_said_what_to_set():
    with pytest.raises(OpenAIConfigurationError) as caught:
        get_llm_client()

    words = str(caught.value)
    assert isinstance(caught.value, ConfigError)
    for way_out in ("OPENAI_API_KEY", "configure(openai_api_key=", "api_key=", 'provider="offline"', "base_url="):
        assert way_out in words


def test_the_offline_client_needs_no_key_but_somebody_who_chooses_it(monkeypatch):
    assert isinstance(get_llm_client(provider="offline"), OfflineClient)

    configure(model_provider="offline")
    assert isinstance(get_llm_client(), OfflineClient)


def test_the_environment_is_a_choice_too(monkeypatch):
    monkeypatch.setenv("AGENT_RUNTIME_MODEL_PROVIDER", "offline")

    assert isinstance(get_llm_client(), OfflineClient)


def test_a_key_is_enough_for_openai(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")

    client = get_llm_client()

    assert isinstance(client, OpenAIClient)
    assert client.default_model == "gpt-4o"


def test_the_model_becomes_the_clients_default_and_finds_its_provider():
    configure(model_provider="offline")

    client = get_llm_client(model="gpt-4.1", api_key="test-key")

    assert isinstance(client, OpenAIClient)
    assert client.default_model == "gpt-4.1"


def test_an_explicit_default_model_wins_over_the_model():
    client = get_llm_client("openai", "gpt-4.1", api_key="test-key", default_model="gpt-5.5")

    assert isinstance(client, OpenAIClient)
    assert client.default_model == "gpt-5.5"


def test_a_model_that_nobody_knows_goes_to_the_configured_provider():
    client = get_llm_client(model="llama3:8b", base_url="http://localhost:11434/v1")

    assert isinstance(client, OpenAIClient)
    assert client.default_model == "llama3:8b"


def test_an_unknown_provider_is_told_the_known_ones():
    with pytest.raises(ValueError, match=r"^Unknown LLM provider: opnai. Supported: anthropic, litellm, offline, o"):
        get_llm_client(provider="opnai")


def test_a_claude_model_is_not_sent_to_openai_by_mistake():
    client = get_llm_client(model="claude-sonnet-4-6", api_key="test-key")

    assert isinstance(client, AnthropicClient)
    assert client.default_model == "claude-sonnet-4-6"


def test_the_key_of_one_vendor_is_not_that_of_another(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")

    with pytest.raises(AnthropicConfigurationError, match="ANTHROPIC_API_KEY"):
        get_llm_client(provider="anthropic")


def test_a_client_for_a_model():
    client = get_llm_client_for_model("gpt-4o-mini", api_key="test-key")

    assert isinstance(client, OpenAIClient)
    assert client.default_model == "gpt-4o-mini"


def test_a_client_for_a_model_that_nobody_knows_is_not_guessed():
    with pytest.raises(ValueError, match=r"^Cannot determine provider for model: llama3:8b"):
        get_llm_client_for_model("llama3:8b")


def test_an_unknown_provider_of_the_environment_is_told_its_variable(monkeypatch):
    monkeypatch.setenv("AGENT_RUNTIME_MODEL_PROVIDER", "opnai")

    with pytest.raises(ConfigError, match=r"^Unknown LLM provider: opnai\. Supported: .*AGENT_RUNTIME_MODEL_PROVIDER"):
        get_llm_client()


@pytest.mark.parametrize("provider", [5, ["openai"], b"openai"])
def test_a_provider_that_is_no_name_is_an_unknown_one(provider):
    with pytest.raises(ConfigError, match="Unknown LLM provider"):
        get_llm_client(provider)


def test_blanks_around_a_provider_do_not_matter(monkeypatch):
    monkeypatch.setenv("AGENT_RUNTIME_MODEL_PROVIDER", "offline ")

    assert isinstance(get_llm_client(), OfflineClient)
