"""The engine that lives in this process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

from agent_runtime_core.engines.execution import EndRecord, executed
from agent_runtime_core.engines.failures import described_failure
from agent_runtime_core.engines.in_process.run import InProcessContext, InProcessRun
from agent_runtime_core.engines.request_check import check_request
from agent_runtime_core.errors import RunNotFound
from agent_runtime_core.interfaces.run_engine import DescribeError, RunWork
from agent_runtime_core.interfaces.runs import EngineHealth, RunInfo, RunRequest, RunStatus
from agent_runtime_core.stores.json_data import checked_copy

__all__ = ["InProcessRunEngine"]


class InProcessRunEngine:
    """Executes runs in the event loop that it is used in; imports nothing, and keeps nothing beyond the process.

    Runs of one order key go one after the other, the others side by side. A process that dies takes its runs with
    it: what they had committed to the conversation's store stays, and the message can be sent again.

    Args:
        keep_finished: How many runs that are over can still be asked for; beyond that the oldest ones are forgotten.
        retry_pause_s: Seconds between the first two attempts of a run; each further pause is twice as long.
    """

    def __init__(self, *, keep_finished: int = 10_000, retry_pause_s: float = 1.0) -> None:
        self._keep_finished = keep_finished
        self._retry_pause_s = retry_pause_s
        self._runs: dict[str, InProcessRun] = {}
        self._lines: dict[str, deque[InProcessRun]] = {}  # by order key, the one that is on first
        self._ready: deque[InProcessRun] = deque()  # first of their lines, and waiting for a place
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._over: deque[str] = deque()
        self._work: RunWork | None = None
        self._describe: DescribeError = described_failure
        self._concurrency = 0

    async def start(self, work: RunWork, *, describe: DescribeError | None = None, concurrency: int = 32) -> None:
        """Begin to execute what was submitted.

        Raises:
            RuntimeError: It was started before.
            ValueError: `concurrency` is less than 1.
        """
        if self._work is not None:
            raise RuntimeError("this engine was started before; stop() it first")
        if concurrency < 1:
            raise ValueError(f"concurrency is {concurrency}; give at least 1")
        self._work, self._describe, self._concurrency = work, describe or described_failure, concurrency
        self._begin_ready()

    async def stop(self, *, drain_s: float = 30.0) -> None:
        """Begin nothing more, wait so long for the runs that are on, and end those that go on as `failed`."""
        self._work = None
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=drain_s)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    async def submit(self, request: RunRequest, *, at: datetime | None = None) -> RunInfo:
        """Take a run over, for as long as the process lives.

        Raises:
            TypeError: The input is not JSON data.
            ValueError: An id or key is empty, or a bound makes no sense.
        """
        check_request(request, at)
        known = self._runs.get(request.run_id)
        if known is not None:
            return known.info()
        wait_s = 0.0 if at is None else (at - datetime.now(UTC)).total_seconds()
        run = InProcessRun(request, at if wait_s > 0 else None)
        self._runs[request.run_id] = run
        if wait_s > 0:
            run.timer = asyncio.get_running_loop().call_later(wait_s, self._due, run)
        else:
            self._stand_in_line(run)
        return run.info()

    async def status(self, run_id: str) -> RunInfo | None:
        """How a run stands."""
        run = self._runs.get(run_id)
        return None if run is None else run.info()

    async def wait(self, run_id: str, *, timeout_s: float | None = None) -> RunInfo:
        """Wait until a run is over.

        Raises:
            RunNotFound: There is no run of this id.
            TimeoutError: It is not over by then.
        """
        run = self._found(run_id)
        async with asyncio.timeout(timeout_s), run.news:
            await run.news.wait_for(lambda: run.status.is_over)
        return run.info()

    async def events(self, run_id: str, *, after: int = 0) -> AsyncGenerator[tuple[int, dict[str, Any]], None]:
        """The events of a run, as they come.

        Raises:
            RunNotFound: There is no run of this id.
        """
        run, place = self._found(run_id), after
        while True:
            while place < len(run.events):
                place += 1
                yield place, checked_copy(run.events[place - 1], "the event")
            if run.status.is_over:
                return
            async with run.news:
                if place >= len(run.events) and not run.status.is_over:
                    await run.news.wait()

    async def cancel(self, run_id: str) -> bool:
        """Ask a run to stop; one that has not begun is over at once."""
        run = self._runs.get(run_id)
        if run is None or run.status.is_over:
            return False
        run.stop_asked.set()
        if run.status is not RunStatus.RUNNING:
            if run.timer is not None:
                run.timer.cancel()
            if run.status is RunStatus.QUEUED:
                if run in self._ready:
                    self._ready.remove(run)
                self._leave_line(run)
            await self._ended(run, EndRecord(status=RunStatus.CANCELLED))
            self._begin_ready()
        return True

    async def runs(
        self,
        *,
        status: RunStatus | None = None,
        order_key: str | None = None,
        agent_key: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[RunInfo]:
        """The runs that there are, those submitted last first."""
        found = [
            run
            for run in reversed(self._runs.values())
            if (status is None or run.status is status)
            and (order_key is None or run.request.order_key == order_key)
            and (agent_key is None or run.request.agent_key == agent_key)
        ]
        return [run.info() for run in found[offset : offset + limit]]

    async def retry(self, run_id: str) -> RunInfo:
        """Do a run again that is over and has not succeeded.

        Raises:
            RunNotFound: There is no run of this id.
            ValueError: It is under way, or has succeeded.
        """
        run = self._found(run_id)
        if not run.status.is_over or run.status is RunStatus.SUCCEEDED:
            raise ValueError(
                f"run {run_id!r} is {run.status.value}; only one that failed or was stopped can be retried"
            )
        run.end = run.finished_at = None
        run.stop_asked.clear()
        run.status = RunStatus.QUEUED
        self._over.remove(run_id)
        self._stand_in_line(run)
        return run.info()

    async def prune(self, *, finished_before: datetime) -> int:
        """Forget the runs that were over by then."""
        old = [
            run_id
            for run_id, run in self._runs.items()
            if run.finished_at is not None and run.finished_at < finished_before
        ]
        for run_id in old:
            self._forget(run_id)
        return len(old)

    async def health(self) -> EngineHealth:
        """How the engine is doing."""
        counts = dict.fromkeys(RunStatus, 0)
        for run in self._runs.values():
            counts[run.status] += 1
        waiting = [run.due_at or run.submitted_at for run in self._runs.values() if run.status is RunStatus.QUEUED]
        return EngineHealth(
            scheduled=counts[RunStatus.SCHEDULED],
            queued=counts[RunStatus.QUEUED],
            running=counts[RunStatus.RUNNING],
            parked=0,  # who ends this process ends the engine with it
            workers=0 if self._work is None else 1,
            oldest_queued_s=(datetime.now(UTC) - min(waiting)).total_seconds() if waiting else 0.0,
        )

    async def close(self) -> None:
        """End the runs that are on, and begin no other."""
        for run in self._runs.values():
            if run.timer is not None:
                run.timer.cancel()
        await self.stop(drain_s=0.0)

    def _found(self, run_id: str) -> InProcessRun:
        run = self._runs.get(run_id)
        if run is None:
            raise RunNotFound(run_id)
        return run

    def _due(self, run: InProcessRun) -> None:
        """Let a scheduled run take its place in line."""
        run.timer, run.status = None, RunStatus.QUEUED
        self._stand_in_line(run)

    def _stand_in_line(self, run: InProcessRun) -> None:
        line = self._lines.setdefault(run.request.order_key, deque())
        line.append(run)
        if len(line) == 1:
            self._ready.append(run)
            self._begin_ready()

    def _leave_line(self, run: InProcessRun) -> None:
        """Take a run out of its line; the next one is ready when it was the first."""
        key = run.request.order_key
        line = self._lines[key]
        was_first = line[0] is run
        line.remove(run)
        if not line:
            del self._lines[key]
        elif was_first:
            self._ready.append(line[0])

    def _begin_ready(self) -> None:
        while self._work is not None and self._ready and len(self._tasks) < self._concurrency:
            run = self._ready.popleft()
            run.status, run.started_at = RunStatus.RUNNING, run.started_at or datetime.now(UTC)
            self._tasks[run.request.run_id] = asyncio.create_task(self._perform(run, self._work))

    async def _perform(self, run: InProcessRun, work: RunWork) -> None:
        end = EndRecord(
            status=RunStatus.FAILED,
            error={
                "type": "Interrupted",
                "message": "the engine was stopped while the run was on; what it had committed stays",
                "retriable": True,
            },
        )
        try:
            end = await executed(work, InProcessContext(run), self._describe, retry_pause_s=self._retry_pause_s)
        finally:
            del self._tasks[run.request.run_id]
            self._leave_line(run)
            await self._ended(run, end)
            self._begin_ready()

    async def _ended(self, run: InProcessRun, end: EndRecord) -> None:
        self._over.append(run.request.run_id)
        await run.ended(end)
        while len(self._over) > self._keep_finished:
            self._forget(self._over[0])

    def _forget(self, run_id: str) -> None:
        self._over.remove(run_id)
        del self._runs[run_id]
