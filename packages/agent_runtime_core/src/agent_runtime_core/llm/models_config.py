"""Well-known models: enough to find a provider and to fill a choice list. Any other model works as well.

Nothing is refused because of this table. The vendors' own lists are the law, and they drop models every few months:
https://developers.openai.com/api/docs/models and https://platform.claude.com/docs/en/about-claude/models/overview.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = [
    "DEFAULT_ANTHROPIC_MODEL",
    "DEFAULT_MODEL",
    "SUPPORTED_MODELS",
    "ModelInfo",
    "get_model_info",
    "get_provider_for_model",
    "list_models_for_ui",
]


@dataclass(frozen=True)
class ModelInfo:
    """What is known about a model."""

    id: str
    """The name to ask for."""
    name: str
    """The name to show."""
    provider: str
    """Who serves it, as in `get_llm_client(provider=...)`."""
    context_window: int
    """Tokens of question and answer together, at most."""
    supports_tools: bool = True
    """Whether it calls tools."""
    supports_vision: bool = False
    """Whether it reads images."""
    supports_streaming: bool = True
    """Whether its answer comes in pieces."""
    supports_thinking: bool = False
    """Whether it can be told to reason first."""
    description: str = ""
    """One line for a choice list."""


def _openai(model: str, name: str, window: int, description: str, *, thinking: bool = False) -> ModelInfo:
    return ModelInfo(
        model,
        name,
        "openai",
        window,
        supports_vision=True,
        supports_thinking=thinking,
        description=description,
    )


def _anthropic(model: str, name: str, window: int, description: str) -> ModelInfo:
    return ModelInfo(
        model,
        name,
        "anthropic",
        window,
        supports_vision=True,
        supports_thinking=True,
        description=description,
    )


SUPPORTED_MODELS: dict[str, ModelInfo] = {
    info.id: info
    for info in (
        _openai("gpt-4o", "GPT-4o", 128_000, "The earlier all-round model"),
        _openai("gpt-4o-mini", "GPT-4o mini", 128_000, "The earlier small model"),
        _openai("gpt-4.1", "GPT-4.1", 1_047_576, "Follows instructions closely, very long context"),
        _openai("gpt-4.1-mini", "GPT-4.1 mini", 1_047_576, "Small, very long context"),
        _openai("gpt-5.4", "GPT-5.4", 1_050_000, "Reasons before it answers", thinking=True),
        _openai("gpt-5.4-mini", "GPT-5.4 mini", 400_000, "Small and fast, reasons", thinking=True),
        _openai("gpt-5.5", "GPT-5.5", 1_050_000, "For hard tasks", thinking=True),
        _anthropic("claude-sonnet-4-5-20250929", "Claude Sonnet 4.5", 200_000, "The earlier all-round model"),
        _anthropic("claude-haiku-4-5-20251001", "Claude Haiku 4.5", 200_000, "Small and fast"),
        _anthropic("claude-sonnet-4-6", "Claude Sonnet 4.6", 1_000_000, "All-round"),
        _anthropic("claude-opus-4-6", "Claude Opus 4.6", 1_000_000, "For hard tasks"),
    )
}
"""The models of the table, by id."""

DEFAULT_MODEL = "gpt-4o"
"""The model that is chosen first in a list; the same as `RuntimeConfig.default_model` by default."""

DEFAULT_ANTHROPIC_MODEL = "claude-sonnet-4-6"
"""The model of Anthropic's client when none is named and the configured one is OpenAI's."""

_PREFIXES = {
    "gpt-": "openai",
    "gpt5": "openai",
    "chatgpt-": "openai",
    "o1": "openai",
    "o3": "openai",
    "o4": "openai",
    "claude": "anthropic",
    # Names of LiteLLM begin with whom it asks. Only those that no model server uses as the name of a maker.
    **dict.fromkeys(("azure/", "bedrock/", "gemini/", "groq/", "litellm/", "openrouter/", "vertex_ai/"), "litellm"),
}


def get_model_info(model_id: str) -> ModelInfo | None:
    """What the table knows about a model, or None."""
    return SUPPORTED_MODELS.get(model_id)


def get_provider_for_model(model_id: str) -> str | None:
    """Who serves a model: by the table, else by how its name begins, else None."""
    info = SUPPORTED_MODELS.get(model_id)
    if info is not None:
        return info.provider
    return next((provider for prefix, provider in _PREFIXES.items() if model_id.startswith(prefix)), None)


def list_models_for_ui() -> list[dict[str, Any]]:
    """The table for a choice list: `id`, `name`, `provider`, `description` and three `supports_...` of each."""
    shown = (
        "id",
        "name",
        "provider",
        "description",
        "supports_thinking",
        "supports_tools",
        "supports_vision",
    )
    return [{key: getattr(info, key) for key in shown} for info in SUPPORTED_MODELS.values()]
