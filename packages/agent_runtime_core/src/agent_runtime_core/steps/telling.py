"""The events that tell of one workflow step."""

from __future__ import annotations

from typing import Any

from agent_runtime_core.interfaces.runtime import EventType, RunContext
from agent_runtime_core.steps.step import Step

__all__ = ["StepTeller"]


class StepTeller:
    """Tells a run about one of its steps.

    Args:
        ctx: The run.
        step: The step.
        index: Its position, from 0.
        total: How many steps there are.
    """

    def __init__(self, ctx: RunContext, step: Step, index: int, total: int) -> None:
        self._ctx = ctx
        self._step = step
        self._total = total
        self._place: dict[str, Any] = {"step_name": step.name, "step_index": index}
        self._place_of_total: dict[str, Any] = {**self._place, "total_steps": total}

    async def started(self, attempt: int) -> None:
        """An attempt begins: `step.started`, then `progress.update`."""
        step = self._step
        counted = {"attempt": attempt, "max_attempts": step.retries + 1, "description": step.description}
        await self._ctx.emit(EventType.STEP_STARTED, {**self._place_of_total, **counted})
        progress = {
            "progress_percent": self._place["step_index"] / self._total * 100,
            "description": step.description or f"Executing {step.name}",
        }
        await self._ctx.emit(EventType.PROGRESS_UPDATE, {**self._place_of_total, **progress})

    async def retrying(self, attempt: int, error: str) -> None:
        """An attempt has failed, and there will be another one."""
        step = self._step
        failure = {"attempt": attempt, "max_attempts": step.retries + 1, "error": error}
        await self._ctx.emit(EventType.STEP_RETRYING, {**self._place, **failure, "retry_delay": step.retry_delay})

    async def completed(self, attempt: int, duration_ms: float | None) -> None:
        """The step is done and, unless it has no checkpoint, saved."""
        done = {"attempt": attempt, "duration_ms": duration_ms}
        await self._ctx.emit(EventType.STEP_COMPLETED, {**self._place_of_total, **done})

    async def failed(self, attempts: int, error: str) -> None:
        """The step has failed for good."""
        await self._ctx.emit(EventType.STEP_FAILED, {**self._place_of_total, "attempts": attempts, "error": error})

    async def skipped(self) -> None:
        """The step was done by an earlier execution."""
        await self._ctx.emit(EventType.STEP_SKIPPED, {**self._place_of_total, "reason": "already_completed"})
