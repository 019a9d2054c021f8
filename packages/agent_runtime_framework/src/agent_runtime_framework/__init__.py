"""Journeys: conversations with an LLM in which code owns the steps, the data and what may happen when."""

from agent_runtime_framework.agents import (
    AgentContext,
    AgentMessage,
    AgentResult,
    JourneyAgent,
    JourneyConfig,
)
from agent_runtime_framework.config import (
    FrameworkConfig,
    configure,
    get_config,
    is_debug,
    set_config,
    should_swallow_exceptions,
)
from agent_runtime_framework.executor import (
    CallableToolExecutor,
    CompositeHooks,
    Executor,
    ExecutorConfig,
    ExecutorHooks,
    LLMExecutor,
    LLMExecutorConfig,
    LoggingHooks,
    MethodToolExecutor,
    RunLimits,
    ToolExecutor,
)
from agent_runtime_framework.memory import (
    ConversationStore,
    InMemoryStore,
    MemoryContext,
    MemoryManager,
    MemoryStore,
    StateStore,
    build_memory_context,
)
from agent_runtime_framework.prompts import PromptManager, PromptTemplate, StepPromptMapping
from agent_runtime_framework.router import IntentDetector, IntentRouter, RouteDefinition
from agent_runtime_framework.state import BaseJourneyState, StateSerializer
from agent_runtime_framework.tools import (
    BaseJourneyTools,
    ToolParameter,
    ToolResult,
    ToolSchema,
    ToolSchemaBuilder,
)

__all__ = [
    "AgentContext",
    "AgentMessage",
    "AgentResult",
    "BaseJourneyState",
    "BaseJourneyTools",
    "CallableToolExecutor",
    "CompositeHooks",
    "ConversationStore",
    "Executor",
    "ExecutorConfig",
    "ExecutorHooks",
    "FrameworkConfig",
    "InMemoryStore",
    "IntentDetector",
    "IntentRouter",
    "JourneyAgent",
    "JourneyConfig",
    "LLMExecutor",
    "LLMExecutorConfig",
    "LoggingHooks",
    "MemoryContext",
    "MemoryManager",
    "MemoryStore",
    "MethodToolExecutor",
    "PromptManager",
    "PromptTemplate",
    "RouteDefinition",
    "RunLimits",
    "StateSerializer",
    "StateStore",
    "StepPromptMapping",
    "ToolExecutor",
    "ToolParameter",
    "ToolResult",
    "ToolSchema",
    "ToolSchemaBuilder",
    "__version__",
    "build_memory_context",
    "configure",
    "get_config",
    "is_debug",
    "set_config",
    "should_swallow_exceptions",
]

__version__ = "0.3.0"
