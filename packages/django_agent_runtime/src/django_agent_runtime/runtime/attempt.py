"""One attempt at a run: the agent is asked, watched, stopped in time, and its word is written down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from agent_runtime_core.errors import LLMRateLimited
from agent_runtime_core.interfaces import ErrorInfo, EventType
from agent_runtime_core.interfaces.run_engine import DurableContext
from agent_runtime_core.interfaces.runs import RunEnd
from agent_runtime_core.interfaces.runs import RunStatus as EngineStatus
from agent_runtime_core.runner.interruptible import Interruptible
from agent_runtime_core.waiting import stop
from django_agent_runtime.conf import is_debug, runtime_settings
from django_agent_runtime.models import AgentRun, RunStatus
from django_agent_runtime.runtime.event_feed import news
from django_agent_runtime.runtime.event_log import EventLog, RunLost
from django_agent_runtime.runtime.outcome import error_of, output_of, plain_info
from django_agent_runtime.runtime.patience import persistently
from django_agent_runtime.runtime.preparation import Preparation, prepare
from django_agent_runtime.runtime.registry import get_runtime_async, list_runtimes
from django_agent_runtime.runtime.rows import Begun, Busy, Ending, StopAsked, claim, end
from django_agent_runtime.runtime.runner import RunContextImpl
from django_agent_runtime.stores.database import Database

__all__ = ["Attempt", "AttemptFailed"]

_LOGGER = logging.getLogger("django_agent_runtime.runtime")

_BUSY_S = 0.25
"""Seconds between two looks whether the conversation's other run, in another process, has ended."""
_CLEAN_UP_S = 30.0
"""So long an agent's `cancel` and `on_error` may take."""


class AttemptFailed(Exception):
    """An attempt has failed, and that is written down.

    Args:
        info: Why, and whether it is tried again.
    """

    def __init__(self, info: ErrorInfo) -> None:
        super().__init__(info.message)
        self.info = info


class Attempt:
    """Does a run once.

    Args:
        durable: The run, as its engine gives it.
        worker: Who does it.
        is_in_process: Whether its engine is that of this process.
        on_success: Called when the run has succeeded and that is committed.
        max_attempts: How often it is attempted at most, whatever it says itself.
    """

    def __init__(
        self,
        durable: DurableContext,
        worker: str,
        *,
        is_in_process: bool,
        on_success: Callable[[AgentRun], Awaitable[None]],
        max_attempts: int | None = None,
    ) -> None:
        self._max_attempts = max_attempts
        self._durable = durable
        self._worker = worker
        self._is_in_process = is_in_process
        self._on_success = on_success
        self._run_id = UUID(durable.request.run_id)
        self._database = Database(None)
        self._settings = runtime_settings()
        self._work = Interruptible()
        self._run: AgentRun
        self._log: EventLog
        self._prepared: Preparation

    async def done(self) -> RunEnd:
        """How the run has ended.

        Raises:
            AttemptFailed: It has not, or badly.
            asyncio.CancelledError: The process stops, or the run is another's.
        """
        begun = await self._begun()
        if not isinstance(begun, Begun):
            return RunEnd(status=EngineStatus(begun.value))
        self._run = begun.run
        self._log = EventLog(self._database, self._run_id, self._worker, next_seq=begun.next_seq, earlier=begun.earlier)
        try:
            try:
                return await self._asked()
            except (AttemptFailed, RunLost):
                raise
            except Exception as error:  # nobody else would write it down
                return await self._failed(plain_info(error), error)
        except StopAsked:
            await self._end(Ending(status=RunStatus.CANCELLED), EventType.RUN_CANCELLED, {})
            return RunEnd(status=EngineStatus.CANCELLED)
        except RunLost as lost:
            _LOGGER.warning("%s: %s", self._worker, lost)
            return RunEnd(status=EngineStatus.CANCELLED)
        finally:
            self._log.close()

    async def _begun(self) -> Begun | RunStatus:
        lease_s = float(self._settings.LEASE_TTL_SECONDS) if self._is_in_process else None
        while True:
            found = await persistently(
                self._run_id,
                lambda: self._database.run(lambda alias: claim(alias, self._run_id, self._worker, lease_s=lease_s)),
            )
            if isinstance(found, Begun):
                news()
                return found
            if not isinstance(found, Busy):
                return found.status
            await asyncio.sleep(_BUSY_S)

    async def _asked(self) -> RunEnd:
        try:
            runtime = await get_runtime_async(self._run.agent_key)
        except KeyError:
            known = ", ".join(list_runtimes()) or "none"
            words = f"no agent {self._run.agent_key!r} is registered in this process; there are: {known}"
            return await self._failed(ErrorInfo(type="AgentNotFound", message=words, retriable=False))
        except Exception as error:  # whatever a function raises that makes an agent
            return await self._failed(plain_info(error), error)
        prepared = self._prepared = await prepare(self._run, runtime, self._durable, self._log)
        ctx = prepared.ctx
        watch = [asyncio.create_task(self._watch()), asyncio.create_task(self._beat(ctx))]
        try:
            task = await self._work.do(_awaited(runtime.run(ctx)), float(self._settings.RUN_TIMEOUT_SECONDS))
        finally:
            for each in watch:
                await stop(each)
        problem = None if task is None or task.cancelled() else task.exception()
        if problem is None:
            await prepared.signals.told()
        if ctx.cancelled() or self._work.stopped or (task is not None and task.cancelled()):
            return await self._cancelled(runtime, ctx, task)
        if task is None:
            return await self._timed_out()
        if problem is None:
            return await self._succeeded(task.result(), ctx)
        if isinstance(problem, RunLost) or not isinstance(problem, Exception):
            raise problem
        try:
            return await self._failed(await self._described(runtime, ctx, problem), problem)
        except StopAsked:
            return await self._cancelled(runtime, ctx, None)

    async def _watch(self) -> None:
        """Interrupt the agent, whatever it waits for, when somebody wants the run to stop."""
        await self._durable.wait_cancelled()
        self._work.interrupt()

    async def _beat(self, ctx: RunContextImpl) -> None:
        while True:
            await asyncio.sleep(self._settings.HEARTBEAT_INTERVAL_SECONDS)
            await ctx.emit(EventType.RUN_HEARTBEAT, {})

    # Ends.

    async def _succeeded(self, result: Any, ctx: RunContextImpl) -> RunEnd:
        try:
            output = output_of(result, self._run.agent_key)
            messages = self._prepared.new_messages(output)
        except TypeError as error:  # not tried again: the agent would return the same
            return await self._failed(ErrorInfo(type="TypeError", message=str(error), retriable=False))
        told = {"output": output["final_output"], "usage": output["usage"]}
        await self._end(
            Ending(status=RunStatus.SUCCEEDED, output=output, messages=messages), EventType.RUN_SUCCEEDED, told
        )
        await self._on_success(self._run)
        return RunEnd()

    async def _cancelled(self, runtime: Any, ctx: RunContextImpl, task: asyncio.Task[Any] | None) -> RunEnd:
        try:
            await _in_time(getattr(runtime, "cancel", None), ctx)
        except Exception as error:  # the run has ended, however badly its agent cleans up
            self._note("cancel() failed", error)
        output: dict[str, Any] = {}
        if task is not None and not task.cancelled() and task.exception() is None:
            try:
                output = output_of(task.result(), self._run.agent_key)
            except TypeError:
                output = {}
        await self._end(Ending(status=RunStatus.CANCELLED, output=output), EventType.RUN_CANCELLED, {})
        return RunEnd(status=EngineStatus.CANCELLED)

    async def _timed_out(self) -> RunEnd:
        seconds = self._settings.RUN_TIMEOUT_SECONDS
        words = f"the run took longer than {seconds} s and was stopped; what it had committed stays."
        error = error_of(ErrorInfo(type="TimeoutError", message=words, retriable=False))
        told = {"timeout_seconds": seconds}
        await self._end(Ending(status=RunStatus.TIMED_OUT, error=error), EventType.RUN_TIMED_OUT, told)
        _LOGGER.error("%s: run %s of %r timed out", self._worker, self._run_id, self._run.agent_key)
        return RunEnd(status=EngineStatus.TIMED_OUT)

    async def _failed(self, info: ErrorInfo, error: Exception | None = None) -> RunEnd:
        """Write the failure down, wait until the run may be tried again, and raise `AttemptFailed`.

        Raises:
            AttemptFailed: Always, unless the run is to stop.
            StopAsked: It was to be tried again, and is to stop.
        """
        run = self._run
        attempt, max_attempts = run.attempt, run.max_attempts
        if self._max_attempts is not None:
            max_attempts = min(max_attempts, self._max_attempts)
        info.retriable = bool(info.retriable) and attempt < max_attempts and not is_debug()
        described = error_of(info)
        facts = {"attempt": attempt, "max_attempts": max_attempts, "retriable": info.retriable}
        self._log_failure(info, error)
        if not info.retriable:
            payload = {"error": info.message, "error_type": info.type, "error_details": described["details"], **facts}
            await self._end(Ending(status=RunStatus.FAILED, error=described), EventType.RUN_FAILED, payload)
            raise AttemptFailed(info) from error
        words = f"attempt {attempt} of {max_attempts} failed; the run is tried again"
        payload = {"message": words, "error": info.message, "error_type": info.type, **facts}
        await self._end(Ending(status=RunStatus.QUEUED, error=described), EventType.ERROR, payload)
        try:
            async with asyncio.timeout(self._pause_s(attempt, error)):
                await self._durable.wait_cancelled()
        except TimeoutError:
            pass
        raise AttemptFailed(info) from error

    def _pause_s(self, attempt: int, error: Exception | None) -> float:
        """Seconds until the next attempt: the settings', or the vendor's where those are more."""
        longest = float(self._settings.RETRY_BACKOFF_MAX)
        try:
            pause = float(self._settings.RETRY_BACKOFF_BASE) ** attempt
        except OverflowError:
            pause = longest
        asked = error.retry_after_s if isinstance(error, LLMRateLimited) else None
        return min(max(pause, asked or 0.0), longest)

    async def _end(self, ending: Ending, event_type: EventType, payload: dict[str, Any]) -> None:
        """Write down how it ended, the last event and all that is held back, in one transaction."""
        self._log.add(event_type.value, payload)
        try:
            await persistently(self._run_id, lambda: self._log.write(lambda alias: end(alias, self._run, ending)))
        except StopAsked:
            self._log.take_back()
            raise
        _LOGGER.info("%s: run %s of %r: %s", self._worker, self._run_id, self._run.agent_key, ending.status.value)

    async def _described(self, runtime: Any, ctx: RunContextImpl, error: Exception) -> ErrorInfo:
        """What the agent makes of its error; when it says nothing, what can be seen from outside."""
        try:
            info = await _in_time(getattr(runtime, "on_error", None), ctx, error)
        except Exception as another:  # the first error is the one to report
            self._note("on_error() failed", another)
            info = None
        plain = plain_info(error)
        if not isinstance(info, ErrorInfo):
            return plain
        info.stack = info.stack or plain.stack
        return info

    def _log_failure(self, info: ErrorInfo, error: Exception | None) -> None:
        level = logging.WARNING if info.retriable else logging.ERROR
        run, debug = self._run, error if is_debug() else None
        words = "%s: run %s of %r: attempt %d of %d failed: %s"
        _LOGGER.log(
            level, words, self._worker, run.pk, run.agent_key, run.attempt, run.max_attempts, info.type, exc_info=debug
        )
        if error is not None and debug is None:
            # Its text may hold parts of the conversation.
            _LOGGER.debug("Run %s failed", run.pk, exc_info=error)

    def _note(self, what: str, error: Exception) -> None:
        _LOGGER.warning("%s: run %s: %s with %s", self._worker, self._run_id, what, type(error).__name__)
        _LOGGER.debug("Run %s: %s", self._run_id, what, exc_info=error)


async def _in_time(function: Any, *arguments: Any) -> Any:
    if not callable(function):
        return None
    async with asyncio.timeout(_CLEAN_UP_S):
        return await _awaited(function(*arguments))


async def _awaited(value: Any) -> Any:
    return await value if isinstance(value, Awaitable) else value
