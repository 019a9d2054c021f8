"""How the execution of a workflow can end early."""

from __future__ import annotations

from agent_runtime_core.errors import AgentRuntimeError

__all__ = ["StepCancelledError", "StepExecutionError"]


class StepExecutionError(AgentRuntimeError):
    """A workflow step has failed for good; the steps before it are kept. What it raised itself is the cause.

    Args:
        step_name: The step.
        message: Why it failed.
        attempts: How often it was tried.
    """

    def __init__(self, step_name: str, message: str, attempts: int) -> None:
        super().__init__(f"Step '{step_name}' failed after {attempts} attempts: {message}")
        self.step_name = step_name
        self.attempts = attempts


class StepCancelledError(AgentRuntimeError):
    """Somebody has asked the run to stop (`ctx.cancelled()`); the steps before this one are kept.

    A task that is cancelled gets `asyncio.CancelledError`, as everywhere.

    Args:
        step_name: The step that was about to begin, or was interrupted.
    """

    def __init__(self, step_name: str) -> None:
        super().__init__(f"Execution cancelled during step '{step_name}'")
        self.step_name = step_name
