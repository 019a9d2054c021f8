"""Clients get provider, key and model from Django's settings."""

from __future__ import annotations

import pytest
from django.test import override_settings

from agent_runtime_core.errors import ConfigError
from django_agent_runtime.runtime import llm, models_config
from django_agent_runtime.runtime.tracing import NoopTraceSink, get_trace_sink


def given(**settings):
    return override_settings(DJANGO_AGENT_RUNTIME=settings)


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)


async def test_the_client_is_the_one_of_the_settings():
    with given(MODEL_PROVIDER="anthropic", ANTHROPIC_API_KEY="sk-ant", DEFAULT_MODEL="claude-sonnet-4-6"):
        client = llm.get_llm_client(resilient=False)

    assert isinstance(client, llm.AnthropicClient)
    assert client.default_model == "claude-sonnet-4-6"
    await client.close()


async def test_the_model_of_the_settings_is_not_asked_of_another_vendor():
    with given(ANTHROPIC_API_KEY="sk-ant", DEFAULT_MODEL="gpt-4.1"):
        client = llm.get_llm_client("anthropic", resilient=False)

    assert isinstance(client, llm.AnthropicClient)
    assert client.default_model.startswith("claude")
    await client.close()


async def test_the_provider_follows_a_model():
    with given(OPENAI_API_KEY="sk-test"):
        client = llm.get_llm_client_for_model("gpt-4o-mini", resilient=False)
    assert isinstance(client, llm.OpenAIClient)
    assert client.default_model == "gpt-4o-mini"
    await client.close()

    with pytest.raises(ConfigError, match="Cannot determine provider"):
        llm.get_llm_client_for_model("a-model-of-nobody")


def test_a_missing_key_is_told():
    with pytest.raises(llm.OpenAIConfigurationError):
        llm.get_llm_client("openai")


def test_litellm_waits_to_be_enabled():
    for how in ({"provider": "litellm"}, {"model": "groq/llama"}):
        with pytest.raises(ValueError, match="LITELLM_ENABLED"):
            llm.get_llm_client(**how)


def test_the_table_of_models_is_the_cores():
    assert models_config.SUPPORTED_MODELS is llm.SUPPORTED_MODELS
    assert llm.get_provider_for_model(llm.DEFAULT_MODEL) == "openai"
    with pytest.raises(AttributeError):
        _ = llm.NoSuchClient


def test_tracing_follows_the_settings():
    assert isinstance(get_trace_sink(), NoopTraceSink)
    with given(TRACING_BACKEND="otel"):
        assert type(get_trace_sink()).__name__ == "OpenTelemetrySink"
