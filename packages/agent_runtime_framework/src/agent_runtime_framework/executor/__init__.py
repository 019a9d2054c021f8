"""The engine, the executor on top of it, and the hooks that listen."""

from agent_runtime_framework.executor.hooks import CompositeHooks, ExecutorHooks, LoggingHooks
from agent_runtime_framework.executor.limits import RunLimits
from agent_runtime_framework.executor.loop import (
    CallableToolExecutor,
    ExecutionResult,
    Executor,
    ExecutorConfig,
    LLMExecutor,
    LLMExecutorConfig,
    MethodToolExecutor,
    ToolExecutor,
)

__all__ = [
    "CallableToolExecutor",
    "CompositeHooks",
    "ExecutionResult",
    "Executor",
    "ExecutorConfig",
    "ExecutorHooks",
    "LLMExecutor",
    "LLMExecutorConfig",
    "LoggingHooks",
    "MethodToolExecutor",
    "RunLimits",
    "ToolExecutor",
]
