"""What a journey's tools are made of: their base classes, results and schemas."""

from agent_runtime_core.tools import ToolParameter, ToolSchema, ToolSchemaBuilder, schemas_to_openai_format
from agent_runtime_framework.tools.base_tool import BaseTool
from agent_runtime_framework.tools.decorator import tool
from agent_runtime_framework.tools.journey_tools import BaseJourneyTools, StateChangeCallback, StateT
from agent_runtime_framework.tools.result import ToolResult
from agent_runtime_framework.tools.retry import ToolRetry
from agent_runtime_framework.tools.spec import ANY, ToolSpec

__all__ = [
    "ANY",
    "BaseJourneyTools",
    "BaseTool",
    "StateChangeCallback",
    "StateT",
    "ToolParameter",
    "ToolResult",
    "ToolRetry",
    "ToolSchema",
    "ToolSchemaBuilder",
    "ToolSpec",
    "schemas_to_openai_format",
    "tool",
]
