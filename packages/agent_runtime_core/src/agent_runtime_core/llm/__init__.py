"""Clients of language models, and the way from a name to one of them."""

from agent_runtime_core.interfaces.llm import LLMClient, LLMResponse, LLMStreamChunk
from agent_runtime_core.interfaces.tools import LLMToolCall
from agent_runtime_core.llm.errors import AnthropicConfigurationError, OpenAIConfigurationError
from agent_runtime_core.llm.fallback import FallbackClient
from agent_runtime_core.llm.registry import get_llm_client, get_llm_client_for_model
from agent_runtime_core.llm.resilient import ResilientClient
from agent_runtime_core.llm.retries import Retries
from agent_runtime_core.llm.timeouts import Timeouts

__all__ = [
    "AnthropicConfigurationError",
    "FallbackClient",
    "LLMClient",
    "LLMResponse",
    "LLMStreamChunk",
    "LLMToolCall",
    "OpenAIConfigurationError",
    "ResilientClient",
    "Retries",
    "Timeouts",
    "get_llm_client",
    "get_llm_client_for_model",
]
