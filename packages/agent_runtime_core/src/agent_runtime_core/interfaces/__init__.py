"""The protocols and base classes that hosts, clients and stores implement."""

from agent_runtime_core.interfaces.checkpoint import Checkpoint, ConversationInfo, Removal, StoreInfo, VersionInfo
from agent_runtime_core.interfaces.checkpoint_store import CheckpointStore
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
from agent_runtime_core.interfaces.turns import Answered, Begun, OnBusy, TurnAnswer, Waiting
from agent_runtime_core.messages import Message

__all__ = [
    "AgentRuntime",
    "Answered",
    "Begun",
    "Checkpoint",
    "CheckpointStore",
    "ConversationInfo",
    "ErrorInfo",
    "EventType",
    "EventVisibility",
    "LLMClient",
    "LLMResponse",
    "LLMStreamChunk",
    "LLMToolCall",
    "Message",
    "OnBusy",
    "Removal",
    "RunContext",
    "RunResult",
    "StoreInfo",
    "Tool",
    "ToolDefinition",
    "ToolRegistry",
    "TraceSink",
    "TurnAnswer",
    "VersionInfo",
    "Waiting",
]
