"""Clients of language models, with provider, key and model of Django's settings."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces import LLMClient, LLMResponse, LLMStreamChunk
from agent_runtime_core.llm import AnthropicConfigurationError, OpenAIConfigurationError
from agent_runtime_core.llm import get_llm_client as get_core_client
from agent_runtime_core.llm.models_config import (
    DEFAULT_MODEL,
    SUPPORTED_MODELS,
    ModelInfo,
    get_model_info,
    get_provider_for_model,
    list_models_for_ui,
)
from django_agent_runtime.conf import AgentRuntimeSettings, runtime_settings

if TYPE_CHECKING:
    from agent_runtime_core.llm.anthropic import AnthropicClient
    from agent_runtime_core.llm.openai import OpenAIClient

__all__ = [
    "DEFAULT_MODEL",
    "SUPPORTED_MODELS",
    "AnthropicClient",
    "AnthropicConfigurationError",
    "LLMClient",
    "LLMResponse",
    "LLMStreamChunk",
    "ModelInfo",
    "OpenAIClient",
    "OpenAIConfigurationError",
    "get_llm_client",
    "get_llm_client_for_model",
    "get_model_info",
    "get_provider_for_model",
    "list_models_for_ui",
]

_CLIENTS = {"AnthropicClient": "anthropic", "OpenAIClient": "openai"}


def get_llm_client(provider: str | None = None, model: str | None = None, **kwargs: Any) -> LLMClient:
    """A new client; whoever asks for it closes it.

    Args:
        provider: As in the core. When None, that of the model; when the model tells nothing, `MODEL_PROVIDER`.
        model: The client's default model; `DEFAULT_MODEL` when None and it is one of this provider's.
        **kwargs: Handed to the client; `api_key` is that of the settings when it is not given.

    Raises:
        ConfigError: The provider is unknown, or LiteLLM without `LITELLM_ENABLED`, or the client lacks something.
    """
    settings = runtime_settings()
    name = provider or (get_provider_for_model(model) if isinstance(model, str) else None) or settings.MODEL_PROVIDER
    name = str(name).strip().lower()
    if name == "litellm" and not settings.LITELLM_ENABLED:
        raise ConfigError("LiteLLM is not enabled; set DJANGO_AGENT_RUNTIME['LITELLM_ENABLED'] to True.")
    if model is None and (provider is None or get_provider_for_model(settings.DEFAULT_MODEL) == name):
        model = _default_model(settings, name)
    key = {"openai": settings.get_openai_api_key, "anthropic": settings.get_anthropic_api_key}.get(name)
    if key is not None and kwargs.get("api_key") is None:
        kwargs["api_key"] = key()
    return get_core_client(name, model, **kwargs)


def _default_model(settings: AgentRuntimeSettings, provider: str) -> str | None:
    """The model of the settings, unless it is another vendor's; the client has one of its own then."""
    return settings.DEFAULT_MODEL if get_provider_for_model(settings.DEFAULT_MODEL) in (None, provider) else None


def get_llm_client_for_model(model: str, **kwargs: Any) -> LLMClient:
    """A new client of the provider that serves this model, with the model as its default.

    Raises:
        ConfigError: Nobody is known to serve it, or as `get_llm_client`.
    """
    provider = get_provider_for_model(model)
    if provider is None:
        raise ConfigError(f"Cannot determine provider for model: {model}. Name it: get_llm_client(provider=..., ...).")
    return get_llm_client(provider, model, **kwargs)


def __getattr__(name: str) -> Any:
    # A vendor's SDK is imported when its client is asked for.
    if name not in _CLIENTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"agent_runtime_core.llm.{_CLIENTS[name]}"), name)
