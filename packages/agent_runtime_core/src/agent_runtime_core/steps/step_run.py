"""One workflow step from its first attempt to its result, or to the reason why there is none."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

from agent_runtime_core.interfaces.runtime import RunContext
from agent_runtime_core.steps.attempt import StepTimedOut, attempt, pause
from agent_runtime_core.steps.errors import StepCancelledError, StepExecutionError
from agent_runtime_core.steps.step import Step, StepResult, StepStatus
from agent_runtime_core.steps.telling import StepTeller
from agent_runtime_core.stores.json_data import check_json_object, checked_copy, encoded

__all__ = ["StepRun"]


class StepRun:
    """Runs one step.

    Args:
        ctx: The run.
        step: The step.
        teller: Gets told what happens, except that the step is completed: it has to be saved first.
        check_interval_s: How often the run is asked whether it was cancelled.
    """

    def __init__(self, ctx: RunContext, step: Step, teller: StepTeller, check_interval_s: float) -> None:
        self._ctx = ctx
        self._step = step
        self._teller = teller
        self._check_interval_s = check_interval_s
        self.record = StepResult(step.name, StepStatus.PENDING, attempts=0)
        """What has become of the step so far."""

    async def run(self, state: dict[str, Any]) -> Any:
        """The step's result, a copy in JSON data.

        Raises:
            StepExecutionError: It failed for good.
            StepCancelledError: The run was cancelled.
            asyncio.CancelledError: The caller's task was cancelled.
        """
        record = self.record
        began = time.perf_counter()
        try:
            if self._ctx.cancelled():
                raise StepCancelledError(self._step.name)
            record.status, record.started_at = StepStatus.RUNNING, datetime.now(UTC)
            record.result = await self._tried(state)
        except (StepCancelledError, asyncio.CancelledError):
            record.status = StepStatus.CANCELLED
            raise
        except BaseException:  # the step's failure, a run that takes no events, an interrupted process
            record.status = StepStatus.FAILED
            raise
        finally:
            record.completed_at = datetime.now(UTC)
            record.duration_ms = (time.perf_counter() - began) * 1000
        record.status = StepStatus.COMPLETED
        return record.result

    async def _tried(self, state: dict[str, Any]) -> Any:
        step, record = self._step, self.record
        while True:
            record.attempts += 1
            await self._teller.started(record.attempts)
            try:
                result = await attempt(step, self._ctx, state, self._check_interval_s)
            except StepCancelledError:
                raise
            except Exception as error:  # a step may raise anything: it is tried again, or reported
                if self._ctx.cancelled():
                    raise StepCancelledError(step.name) from error
                record.error = str(error) if isinstance(error, StepTimedOut) else f"{type(error).__name__}: {error}"
                if record.attempts > step.retries:
                    raise await self._failure(record.error) from error
            else:
                return await self._as_json(result, state)
            await self._teller.retrying(record.attempts, record.error)
            await pause(step, self._ctx, self._check_interval_s)

    async def _as_json(self, result: Any, state: dict[str, Any]) -> Any:
        """A copy of the result, made sure that it and the shared state can be saved and read back."""
        try:
            check_json_object(state, "the shared state")
            kept = checked_copy(result, "the result")
            # As deep as it will lie in a file; and some whole numbers have more digits than can be written.
            encoded({"state": {"key": {"results": {"step": kept}, "custom_state": state}}}, "the execution")
            return kept
        except TypeError as error:
            # Not tried again: the step has done its work, and would return the same.
            raise await self._failure(f"TypeError: {error}") from error

    async def _failure(self, message: str) -> StepExecutionError:
        self.record.error = message
        await self._teller.failed(self.record.attempts, message)
        return StepExecutionError(self._step.name, message, self.record.attempts)
