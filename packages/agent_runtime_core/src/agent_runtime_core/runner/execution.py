"""One run from its first attempt to its outcome."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from agent_runtime_core.interfaces.runtime import ErrorInfo, EventType, RunContext, RunResult
from agent_runtime_core.runner.config import RunnerConfig
from agent_runtime_core.runner.interruptible import Interruptible
from agent_runtime_core.runner.outcome import RunOutcome, RunStatus
from agent_runtime_core.waiting import stop

__all__ = ["Execution"]

_LOGGER = logging.getLogger(__name__)


class Execution:
    """Runs an agent until there is an outcome.

    Args:
        runtime: The agent; its `cancel` and `on_error` are called when it has them.
        ctx: The run.
        config: Limits and waits.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self, runtime: Any, ctx: RunContext, config: RunnerConfig, sleep: Callable[[float], Awaitable[object]]
    ) -> None:
        self._runtime = runtime
        self._ctx = ctx
        self._config = config
        self._sleep = sleep
        self._work = Interruptible()
        self._attempt = 0
        self._ended = False

    def cancel(self) -> None:
        """Interrupt the run, whatever it waits for."""
        self._work.interrupt()
        request = getattr(self._ctx, "cancel", None)
        if callable(request):
            request()  # what asks `ctx.cancelled()` knows then why it ends

    async def outcome(self) -> RunOutcome:
        """What became of the run; its last event has been emitted.

        Raises:
            asyncio.CancelledError: The caller was cancelled. The agent has ended, and `run.cancelled` was emitted.
        """
        try:
            while True:
                ended = await self._attempted()
                if ended is not None:
                    return ended
                await self._work.do(self._wait())
        except asyncio.CancelledError:
            if not self._ended:  # else its end was just being told: a run ends once
                await self._cancelled()
            raise

    async def _attempted(self) -> RunOutcome | None:
        """Run the agent once; None when it should be tried again."""
        if self._is_cancelled():
            return await self._cancelled()
        self._attempt += 1
        started = {"agent_key": self._runtime.key, "attempt": self._attempt}
        await self._tell(EventType.RUN_STARTED, started)
        heartbeat = asyncio.create_task(self._beat())
        try:
            task = await self._work.do(self._run(), self._config.run_timeout_seconds)
        finally:
            await stop(heartbeat)
        if self._is_cancelled() or (task is not None and task.cancelled()):
            return await self._cancelled(task)
        if task is None:
            return await self._timed_out()
        error = task.exception()
        if error is None:
            return await self._succeeded(task.result())
        if not isinstance(error, Exception):
            raise error
        return await self._failed(error)

    async def _run(self) -> Any:
        return await _awaited(self._runtime.run(self._ctx))

    async def _wait(self) -> None:
        await self._sleep(self._config.delay_after(self._attempt))

    def _is_cancelled(self) -> bool:
        return self._work.stopped or self._ctx.cancelled()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._config.seconds_between_heartbeats)
            await self._tell(EventType.RUN_HEARTBEAT, {"timestamp": datetime.now(UTC).isoformat()})

    async def _tell(self, event_type: EventType, payload: dict[str, Any]) -> None:
        try:
            await self._ctx.emit(event_type, payload)
        except Exception as error:  # a run that cannot be told about, as on a full disk, still has its outcome
            self._note(f"{event_type.value} could not be told", error)

    async def _tell_end(self, event_type: EventType, payload: dict[str, Any]) -> None:
        self._ended = True
        await self._tell(event_type, payload)

    async def _succeeded(self, result: Any) -> RunOutcome:
        if not isinstance(result, RunResult):
            # Not tried again: the agent has done its work, and would return the same.
            message = f"{self._runtime.key!r} returned a {type(result).__name__}; an agent's run returns a RunResult"
            return await self._gave_up(ErrorInfo(type="TypeError", message=message, retriable=False))
        outcome = self._outcome(RunStatus.SUCCEEDED, result=result)
        await self._tell_end(EventType.RUN_SUCCEEDED, {"final_output": result.final_output, "usage": result.usage})
        return outcome

    async def _timed_out(self) -> RunOutcome:
        seconds = self._config.run_timeout_seconds
        error = ErrorInfo(type="TimeoutError", message=f"the run took longer than {seconds} s", retriable=False)
        await self._tell_end(EventType.RUN_TIMED_OUT, {"timeout_seconds": seconds})
        return self._outcome(RunStatus.TIMED_OUT, error)

    async def _cancelled(self, task: asyncio.Task[Any] | None = None) -> RunOutcome:
        self._ended = True
        clean_up = getattr(self._runtime, "cancel", None)
        try:
            if callable(clean_up):
                async with asyncio.timeout(self._config.run_timeout_seconds):
                    await _awaited(clean_up(self._ctx))
        except Exception as error:  # the run has ended, however badly its agent cleans up
            self._note("cancel() failed", error)
        finally:
            await self._tell(EventType.RUN_CANCELLED, {})
        result = task.result() if task is not None and not task.cancelled() and task.exception() is None else None
        error_info = ErrorInfo(type="Cancelled", message="the run was cancelled", retriable=False)
        return self._outcome(RunStatus.CANCELLED, error_info, result=result)

    async def _failed(self, error: Exception) -> RunOutcome | None:
        info = await self._described(error)
        self._note(f"attempt {self._attempt} failed", error)
        if self._is_cancelled():
            return await self._cancelled()
        if info.retriable and self._attempt <= self._config.max_retries:
            return None
        return await self._gave_up(info, error)

    async def _gave_up(self, info: ErrorInfo, error: Exception | None = None) -> RunOutcome:
        payload = {
            "type": info.type,
            "message": info.message,
            "stack": info.stack,
            "retriable": info.retriable,
            "details": info.details,
        }
        await self._tell_end(EventType.RUN_FAILED, payload)
        return self._outcome(RunStatus.FAILED, info, exception=error)

    async def _described(self, error: Exception) -> ErrorInfo:
        """What the agent makes of its error; when it says nothing, what can be seen from outside."""
        describe = getattr(self._runtime, "on_error", None)
        info: Any = None
        if callable(describe):
            info = await self._asked(describe, error)
        if isinstance(info, ErrorInfo):
            return info
        stack = "".join(traceback.format_exception(error))
        return ErrorInfo(type=type(error).__name__, message=str(error), stack=stack)

    async def _asked(self, describe: Callable[..., Any], error: Exception) -> Any:
        """What the agent's `on_error` says, if it does so in time; it can be interrupted like the agent itself."""

        async def ask() -> Any:
            return await _awaited(describe(self._ctx, error))

        task = await self._work.do(ask(), self._config.run_timeout_seconds)
        if task is None:
            if not self._work.stopped:
                self._note("on_error() failed", TimeoutError())
            return None
        if task.cancelled():
            return None
        another = task.exception()
        if another is None:
            return task.result()
        if not isinstance(another, Exception):
            raise another
        self._note("on_error() failed", another)  # the first error is the one to report
        return None

    def _outcome(
        self,
        status: RunStatus,
        error: ErrorInfo | None = None,
        *,
        result: Any = None,
        exception: Exception | None = None,
    ) -> RunOutcome:
        _LOGGER.info("%s: run %s of %r %s", self._config.worker_id, self._ctx.run_id, self._runtime.key, status.value)
        given = result if isinstance(result, RunResult) else RunResult()
        return RunOutcome(
            final_output=given.final_output,
            final_messages=given.final_messages,
            usage=given.usage,
            artifacts=given.artifacts,
            run_id=self._ctx.run_id,
            status=status,
            error=error,
            exception=exception,
            attempts=self._attempt,
        )

    def _note(self, what: str, error: Exception) -> None:
        """Log an error without its text, which may hold parts of the conversation."""
        _LOGGER.warning("%s: run %s: %s with %s", self._config.worker_id, self._ctx.run_id, what, type(error).__name__)
        _LOGGER.debug("run %s: %s", self._ctx.run_id, what, exc_info=error)


async def _awaited(value: Any) -> Any:
    return await value if isinstance(value, Awaitable) else value
