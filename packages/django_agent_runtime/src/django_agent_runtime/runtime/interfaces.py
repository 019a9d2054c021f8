"""The core's protocols and data, under the names that agents for Django import them by."""

from __future__ import annotations

from agent_runtime_core.interfaces import (
    AgentRuntime,
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

__all__ = [
    "AgentRuntime",
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
    "ToolCall",
    "ToolDefinition",
    "ToolRegistry",
    "TraceSink",
]

ToolCall = LLMToolCall
"""The other name of `LLMToolCall`."""
