"""What can be wrong with the settings of an LLM client."""

from __future__ import annotations

from agent_runtime_core.errors import ConfigError

__all__ = ["AnthropicConfigurationError", "OpenAIConfigurationError"]


class AnthropicConfigurationError(ConfigError):
    """There is no key for Anthropic; the text says where to put one, and what works without."""


class OpenAIConfigurationError(ConfigError):
    """There is no key for OpenAI; the text says where to put one, and what works without."""
