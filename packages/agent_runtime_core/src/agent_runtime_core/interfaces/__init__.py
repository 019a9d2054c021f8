"""The protocols and base classes that hosts, clients and stores implement."""

from agent_runtime_core.interfaces.checkpoints import Checkpoint, CheckpointStore
from agent_runtime_core.interfaces.llm import LLMClient, LLMResponse, LLMStreamChunk
from agent_runtime_core.interfaces.runtime import (
    AgentRuntime,
    ErrorInfo,
    EventType,
    EventVisibility,
    RunContext,
    RunResult,
)
from agent_runtime_core.interfaces.tools import LLMToolCall, Tool, ToolDefinition, ToolRegistry
from agent_runtime_core.interfaces.tracing import TraceSink
from agent_runtime_core.messages import Message

__all__ = [
    "AgentRuntime",
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
    "Tool",
    "ToolDefinition",
    "ToolRegistry",
    "TraceSink",
]
