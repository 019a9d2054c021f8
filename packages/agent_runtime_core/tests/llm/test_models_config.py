"""The table of models: whom a model belongs to, and what a choice list gets."""

import pytest

from agent_runtime_core.config import RuntimeConfig
from agent_runtime_core.llm.models_config import (
    DEFAULT_MODEL,
    SUPPORTED_MODELS,
    get_model_info,
    get_provider_for_model,
    list_models_for_ui,
)


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o", "openai"),
        ("gpt-99-of-next-year", "openai"),
        ("gpt5-preview", "openai"),
        ("o1-mini", "openai"),
        ("o3", "openai"),
        ("claude-sonnet-4-5-20250929", "anthropic"),
        ("claude-of-next-year", "anthropic"),
        ("gemini/gemini-2.5-pro", "litellm"),
        ("bedrock/anthropic.claude", "litellm"),
        ("meta-llama/Llama-3-8B", None),
        ("llama3:8b", None),
        ("my-gpt-4o", None),
    ],
)
def test_a_model_tells_its_provider_by_table_or_by_its_beginning(model, provider):
    assert get_provider_for_model(model) == provider


def test_the_table_is_keyed_by_id_and_holds_the_default():
    assert all(model == info.id for model, info in SUPPORTED_MODELS.items())
    assert DEFAULT_MODEL in SUPPORTED_MODELS
    assert RuntimeConfig().default_model == DEFAULT_MODEL


def test_a_model_is_described():
    info = get_model_info("gpt-4o")

    assert info is not None
    assert (info.name, info.context_window, info.supports_tools, info.supports_vision) == (
        "GPT-4o",
        128_000,
        True,
        True,
    )
    assert get_model_info("gpt-nothing") is None


def test_a_choice_list_gets_plain_dicts():
    rows = list_models_for_ui()

    assert [row["id"] for row in rows] == list(SUPPORTED_MODELS)
    assert set(rows[0]) == {
        "id",
        "name",
        "provider",
        "description",
        "supports_thinking",
        "supports_tools",
        "supports_vision",
    }
