"""Checkpointed workflows: steps that run in order, are tried again, and are not repeated after a crash."""

from agent_runtime_core.steps.errors import StepCancelledError, StepExecutionError
from agent_runtime_core.steps.execution_state import ExecutionState
from agent_runtime_core.steps.executor import StepExecutor
from agent_runtime_core.steps.step import Step, StepResult, StepStatus

__all__ = [
    "ExecutionState",
    "Step",
    "StepCancelledError",
    "StepExecutionError",
    "StepExecutor",
    "StepResult",
    "StepStatus",
]
