"""From a provider's name to its client; a client's module is only imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agent_runtime_core.config import get_config
from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces.llm import LLMClient
from agent_runtime_core.llm.models_config import get_provider_for_model
from agent_runtime_core.llm.resilience import make_client

__all__ = ["get_llm_client", "get_llm_client_for_model"]

ClientClass = Callable[..., LLMClient]


def _anthropic() -> ClientClass:
    from agent_runtime_core.llm.anthropic import AnthropicClient

    return AnthropicClient


def _litellm() -> ClientClass:
    from agent_runtime_core.llm.litellm_client import LiteLLMClient

    return LiteLLMClient


def _offline() -> ClientClass:
    from agent_runtime_core.llm.offline import OfflineClient

    return OfflineClient


def _openai() -> ClientClass:
    from agent_runtime_core.llm.openai import OpenAIClient

    return OpenAIClient


_LOADERS: dict[str, Callable[[], ClientClass]] = {
    "anthropic": _anthropic,
    "litellm": _litellm,
    "offline": _offline,
    "openai": _openai,
}


def get_llm_client(provider: str | None = None, model: str | None = None, **kwargs: Any) -> LLMClient:
    """A new client. The one who asks for it closes it (`await client.close()`).

    The offline client is only given when somebody has chosen it, here or in the configuration.

    Args:
        provider: `openai` (also for any server that speaks its protocol, with `base_url`), `anthropic`, `litellm`
            or `offline`. When None, the provider of the model; when the model tells nothing,
            `get_config().model_provider`.
        model: The client's `default_model`.
        **kwargs: Handed to the client: `api_key`, `base_url`, ... A `default_model` here wins over `model`. Not handed
            on: `timeouts` (`Timeouts`), `retries` (`Retries`) and `max_concurrency` of the `ResilientClient` that comes
            around it, by default those of the configuration, and `resilient=False` for none. `max_retries` is the
            number of retries there, not in the SDK.

    Raises:
        ConfigError: The provider is unknown, or the client lacks something; the text says what to set.
    """
    named = provider or (get_provider_for_model(model) if isinstance(model, str) else None)
    wanted = named or get_config().model_provider
    name = str(wanted).strip().lower()
    loader = _LOADERS.get(name)
    if loader is None:
        where = (
            "" if named else " It is the configured one: AGENT_RUNTIME_MODEL_PROVIDER or configure(model_provider=)."
        )
        raise ConfigError(f"Unknown LLM provider: {wanted}. Supported: {', '.join(sorted(_LOADERS))}.{where}")
    if model:
        if not isinstance(model, str):
            raise ConfigError(f"model must be the name of a model, not {model!r}")
        kwargs.setdefault("default_model", model)
    return make_client(name, loader(), kwargs)


def get_llm_client_for_model(model: str, **kwargs: Any) -> LLMClient:
    """A new client of the provider that serves this model, with the model as its default.

    Raises:
        ConfigError: Nobody is known to serve it, or the client lacks something; the text says what to set.
    """
    provider = get_provider_for_model(model)
    if provider is None:
        raise ConfigError(
            f"Cannot determine provider for model: {model}. Name it: "
            f"get_llm_client(provider=..., model={model!r}); providers: {', '.join(sorted(_LOADERS))}."
        )
    return get_llm_client(provider, model, **kwargs)
