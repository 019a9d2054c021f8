"""LLM clients, configuration, stores and the contracts that journeys and their hosts share."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from agent_runtime_core.contexts import FileRunContext, InMemoryRunContext
    from agent_runtime_core.runner import AgentRunner, RunnerConfig, RunOutcome, RunStatus
    from agent_runtime_core.steps import (
        ExecutionState,
        Step,
        StepCancelledError,
        StepExecutionError,
        StepExecutor,
        StepResult,
        StepStatus,
    )
    from agent_runtime_core.testing import (
        LLMEvaluator,
        MockLLMClient,
        MockLLMResponse,
        MockRunContext,
        create_test_context,
        run_agent_test,
    )

__all__ = [
    "AgentRunner",
    "AgentRuntime",
    "AgentRuntimeError",
    "Checkpoint",
    "CheckpointStore",
    "ErrorInfo",
    "EventType",
    "EventVisibility",
    "ExecutionState",
    "FileRunContext",
    "InMemoryRunContext",
    "LLMClient",
    "LLMEvaluator",
    "LLMResponse",
    "LLMStreamChunk",
    "LLMToolCall",
    "Message",
    "MockLLMClient",
    "MockLLMResponse",
    "MockRunContext",
    "RunContext",
    "RunOutcome",
    "RunResult",
    "RunStatus",
    "RunnerConfig",
    "RuntimeConfig",
    "Step",
    "StepCancelledError",
    "StepExecutionError",
    "StepExecutor",
    "StepResult",
    "StepStatus",
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
    "create_test_context",
    "get_config",
    "get_runtime",
    "list_runtimes",
    "register_runtime",
    "run_agent_test",
    "schemas_to_openai_format",
    "unregister_runtime",
]

__version__ = "0.3.0"

# Rooms that run things are loaded when a name of theirs is first asked for: whoever needs none waits for none.
_ROOMS = {
    "FileRunContext": "contexts",
    "InMemoryRunContext": "contexts",
    "AgentRunner": "runner",
    "RunOutcome": "runner",
    "RunStatus": "runner",
    "RunnerConfig": "runner",
    "ExecutionState": "steps",
    "Step": "steps",
    "StepCancelledError": "steps",
    "StepExecutionError": "steps",
    "StepExecutor": "steps",
    "StepResult": "steps",
    "StepStatus": "steps",
    "LLMEvaluator": "testing",
    "MockLLMClient": "testing",
    "MockLLMResponse": "testing",
    "MockRunContext": "testing",
    "create_test_context": "testing",
    "run_agent_test": "testing",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOMS})
