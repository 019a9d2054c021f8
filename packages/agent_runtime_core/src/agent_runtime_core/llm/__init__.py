"""Clients of language models, and the way from a name to one of them."""

from agent_runtime_core.interfaces.llm import LLMClient, LLMResponse, LLMStreamChunk
from agent_runtime_core.interfaces.tools import LLMToolCall
from agent_runtime_core.llm.errors import AnthropicConfigurationError, OpenAIConfigurationError
from agent_runtime_core.llm.registry import get_llm_client, get_llm_client_for_model

__all__ = [
    "AnthropicConfigurationError",
    "LLMClient",
    "LLMResponse",
    "LLMStreamChunk",
    "LLMToolCall",
    "OpenAIConfigurationError",
    "get_llm_client",
    "get_llm_client_for_model",
]
