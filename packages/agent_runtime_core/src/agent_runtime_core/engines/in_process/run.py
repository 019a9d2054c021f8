"""A run that lives in this process, and what its work sees of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from agent_runtime_core.engines.execution import EndRecord
from agent_runtime_core.interfaces.runs import RunInfo, RunRequest, RunStatus
from agent_runtime_core.stores.json_data import checked_copy

__all__ = ["InProcessContext", "InProcessRun"]


class InProcessRun:
    """A run with all that is known of it.

    Args:
        request: The run.
        due_at: When it may begin; None at once.
    """

    def __init__(self, request: RunRequest, due_at: datetime | None) -> None:
        self.request = request
        self.status = RunStatus.QUEUED if due_at is None else RunStatus.SCHEDULED
        self.submitted_at = datetime.now(UTC)
        self.due_at = due_at
        self.started_at: datetime | None = None
        self.finished_at: datetime | None = None
        self.attempts = 0
        self.end: EndRecord | None = None
        self.stop_asked = asyncio.Event()
        """Set when somebody wants it to stop."""
        self.events: list[dict[str, Any]] = []
        """All that was told, deltas included."""
        self.lasting: list[dict[str, Any]] = []
        """What was told without the deltas."""
        self.told: set[str] = set()
        """The ids of what was told."""
        self.results: dict[str, Any] = {}
        """The results of its steps."""
        self.news = asyncio.Condition()
        """Notified when there is an event more, or its end."""
        self.timer: asyncio.TimerHandle | None = None
        """For a scheduled run: what begins it."""

    def info(self) -> RunInfo:
        """How it stands."""
        end = self.end
        return RunInfo(
            request=self.request,
            status=self.status,
            submitted_at=self.submitted_at,
            due_at=self.due_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
            attempts=self.attempts,
            result=None if end is None or end.result is None else checked_copy(end.result, "result"),
            error=None if end is None else end.error,
            is_cancel_requested=self.stop_asked.is_set(),
        )

    async def ended(self, end: EndRecord) -> None:
        """Write down how it has ended, and tell those who wait for it."""
        self.end, self.status, self.finished_at = end, end.status, datetime.now(UTC)
        async with self.news:
            self.news.notify_all()

    async def tell(self, event: dict[str, Any]) -> None:
        """Add an event, and tell those who follow."""
        self.events.append(event)
        async with self.news:
            self.news.notify_all()


class InProcessContext:
    """A run, as its work sees it.

    Args:
        run: The run.
    """

    def __init__(self, run: InProcessRun) -> None:
        self._run = run
        self._earlier: tuple[dict[str, Any], ...] = ()

    def begin_attempt(self) -> None:
        """Count an attempt more."""
        self._run.attempts += 1
        self._earlier = tuple(self._run.lasting)

    @property
    def request(self) -> RunRequest:
        """What is to be done."""
        return self._run.request

    @property
    def attempt(self) -> int:
        """1 at first."""
        return self._run.attempts

    @property
    def earlier_events(self) -> Sequence[dict[str, Any]]:
        """What earlier attempts have emitted."""
        return self._earlier

    async def step(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """Do the work, or give what it came to at an earlier attempt.

        Raises:
            TypeError: The result is not JSON data.
        """
        results = self._run.results
        if name not in results:
            results[name] = checked_copy(await work(), f"the result of step {name!r}")
        return checked_copy(results[name], name)

    def recorded(self, name: str) -> bool:
        """Whether the step has its result."""
        return name in self._run.results

    def step_key(self, name: str) -> str:
        """The idempotency key of the step."""
        return f"{self._run.request.run_id}:{name}"

    async def emit(self, event_id: str, event: dict[str, Any]) -> None:
        """Tell the event, unless it was told."""
        if event_id in self._run.told:
            return
        copy = checked_copy(event, "the event")
        self._run.told.add(event_id)
        self._run.lasting.append(copy)
        await self._run.tell(copy)

    async def emit_delta(self, event: dict[str, Any]) -> None:
        """Tell a piece."""
        await self._run.tell({**checked_copy(event, "the event"), "attempt": self._run.attempts})

    async def flush(self) -> None:
        """Nothing: nothing outlives this process."""

    def cancelled(self) -> bool:
        """Whether somebody has asked the run to stop."""
        return self._run.stop_asked.is_set()

    async def wait_cancelled(self) -> None:
        """Return when somebody asks the run to stop."""
        await self._run.stop_asked.wait()
