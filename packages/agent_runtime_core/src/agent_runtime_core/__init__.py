"""LLM clients, configuration, stores and the contracts that journeys and their hosts share."""

from agent_runtime_core.config import RuntimeConfig, configure, get_config
from agent_runtime_core.errors import AgentRuntimeError
from agent_runtime_core.interfaces import (
    AgentRuntime,
    Checkpoint,
    CheckpointStore,
    ErrorInfo,
    EventType,
    EventVisibility,
    LLMClient,
    LLMResponse,
    LLMStreamChunk,
    LLMToolCall,
    Message,
    RunContext,
    RunResult,
    Tool,
    ToolDefinition,
    ToolRegistry,
    TraceSink,
)
from agent_runtime_core.registry import (
    clear_registry,
    get_runtime,
    list_runtimes,
    register_runtime,
    unregister_runtime,
)
from agent_runtime_core.tools import ToolParameter, ToolSchema, ToolSchemaBuilder, schemas_to_openai_format

__all__ = [
    "AgentRuntime",
    "AgentRuntimeError",
    "Checkpoint",
    "CheckpointStore",
    "ErrorInfo",
    "EventType",
    "EventVisibility",
    "LLMClient",
    "LLMResponse",
    "LLMStreamChunk",
    "LLMToolCall",
    "Message",
    "RunContext",
    "RunResult",
    "RuntimeConfig",
    "Tool",
    "ToolDefinition",
    "ToolParameter",
    "ToolRegistry",
    "ToolSchema",
    "ToolSchemaBuilder",
    "TraceSink",
    "__version__",
    "clear_registry",
    "configure",
    "get_config",
    "get_runtime",
    "list_runtimes",
    "register_runtime",
    "schemas_to_openai_format",
    "unregister_runtime",
]

__version__ = "0.3.0"
