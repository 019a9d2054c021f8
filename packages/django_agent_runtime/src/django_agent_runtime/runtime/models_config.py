"""The core's table of well-known models."""

from __future__ import annotations

from agent_runtime_core.llm.models_config import (
    DEFAULT_MODEL,
    SUPPORTED_MODELS,
    ModelInfo,
    get_model_info,
    get_provider_for_model,
    list_models_for_ui,
)

__all__ = [
    "DEFAULT_MODEL",
    "SUPPORTED_MODELS",
    "ModelInfo",
    "get_model_info",
    "get_provider_for_model",
    "list_models_for_ui",
]
