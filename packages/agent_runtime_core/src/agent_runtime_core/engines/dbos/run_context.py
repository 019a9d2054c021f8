"""A durable run, as its work sees it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from agent_runtime_core.engines.dbos.database import Database
from agent_runtime_core.engines.dbos.journal import Entry, Journal, Take, Told
from agent_runtime_core.engines.execution import EndRecord
from agent_runtime_core.interfaces.runs import RunRequest
from agent_runtime_core.stores.json_data import checked_copy

__all__ = ["DurableRunContext"]

_LOGGER = logging.getLogger("agent_runtime_core.engines.dbos")

_HOLD_BACK_S = 0.1
"""So long at most an event waits for company."""

_NOTHING = Told(steps={}, events=[], last=0)


class DurableRunContext:
    """A run that this worker owns.

    What is written goes through one door, one entry at a time, in tasks of their own: work that gives up waiting
    (`asyncio.timeout`) leaves an entry that is written all the same, and nothing half done.

    Args:
        database: Where the journal is.
        journal: Writes it.
        take: The run, as it was taken.
        told: What earlier attempts have left.
        on_told: Called when something was written.
        on_lost: Called when another worker has the run.
    """

    def __init__(
        self,
        database: Database,
        journal: Journal,
        take: Take,
        *,
        told: Told = _NOTHING,
        on_told: Callable[[], None],
        on_lost: Callable[[], object],
    ) -> None:
        self._database = database
        self._journal = journal
        self._request = RunRequest(**take.request)
        self._owner = take.owner
        self._attempt = take.attempts
        self._attempts_noted = take.attempts
        self._is_begun = False
        self._was_interrupted = take.interruptions > 0
        self._on_told = on_told
        self._on_lost = on_lost
        self._results = dict(told.steps)
        self._lasting = [entry["event"] for entry in told.events]
        self._ids = {entry["id"] for entry in told.events}
        self._last = told.last
        self._earlier: tuple[dict[str, Any], ...] = ()
        self._pending: list[dict[str, Any]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._door = asyncio.Lock()
        self._writes: set[asyncio.Task[None]] = set()
        self._steps_written: dict[str, asyncio.Task[None]] = {}
        self._is_lost = self._is_ended = False
        self._stop_asked = asyncio.Event()
        if take.is_cancel_asked:
            self._stop_asked.set()

    @property
    def owner(self) -> str:
        """The token by which the run is this worker's."""
        return self._owner

    @property
    def is_ended(self) -> bool:
        """Whether its end is being written."""
        return self._is_ended

    def begin_attempt(self) -> None:
        """Count an attempt more; the first one was counted when the run was taken."""
        if self._is_begun:
            self._attempt += 1
        self._is_begun = True
        self._earlier = tuple(self._lasting)

    def ask_to_stop(self) -> None:
        """Somebody wants the run to stop."""
        self._stop_asked.set()

    @property
    def request(self) -> RunRequest:
        """What is to be done."""
        return self._request

    @property
    def attempt(self) -> int:
        """1 at first."""
        return self._attempt

    @property
    def earlier_events(self) -> Sequence[dict[str, Any]]:
        """What earlier attempts have emitted."""
        return self._earlier

    async def step(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """Do the work and record what it gave, or give what was recorded.

        Raises:
            TypeError: The result is not JSON data.
        """
        if name in self._steps_written:  # by work that did not wait for it
            await asyncio.shield(self._steps_written[name])
        if name not in self._results:
            result = checked_copy(await work(), f"the result of step {name!r}")
            await self._write(step=(name, result))
            if self._is_lost:
                raise asyncio.CancelledError
        return checked_copy(self._results[name], name)

    def recorded(self, name: str) -> bool:
        """Whether the step has its result."""
        return name in self._results

    def step_key(self, name: str) -> str:
        """The idempotency key of the step."""
        return f"{self._request.run_id}:{name}"

    async def emit(self, event_id: str, event: dict[str, Any]) -> None:
        """Tell the event, unless it was told."""
        if event_id in self._ids:
            return
        copy = checked_copy(event, "the event")
        self._ids.add(event_id)
        self._lasting.append(copy)
        self._tell({"id": event_id, "event": copy})

    async def emit_delta(self, event: dict[str, Any]) -> None:
        """Tell a piece."""
        self._tell({"event": {**checked_copy(event, "the event"), "attempt": self._attempt}})

    async def flush(self) -> None:
        """Write what is held back, and wait for what is being written."""
        await self._write()

    def cancelled(self) -> bool:
        """Whether somebody has asked the run to stop."""
        return self._stop_asked.is_set()

    async def wait_cancelled(self) -> None:
        """Return when somebody asks the run to stop."""
        await self._stop_asked.wait()

    async def end(self, end: EndRecord) -> None:
        """Write down how the run has ended, with what is held back."""
        self._is_ended = True
        await self._write(end=end)

    async def leave(self) -> None:
        """Write nothing more: the run is over, or will be somebody else's."""
        self._disarm()
        self._pending.clear()
        for task in self._writes:
            task.cancel()
        await asyncio.gather(*self._writes, return_exceptions=True)

    def _tell(self, entry: dict[str, Any]) -> None:
        self._pending.append(entry)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_HOLD_BACK_S, self._write_in_background)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _write_in_background(self) -> None:
        self._timer = None
        self._started_write(None, None).add_done_callback(_look_at)

    async def _write(self, step: tuple[str, Any] | None = None, end: EndRecord | None = None) -> None:
        await asyncio.shield(self._started_write(step, end))

    def _started_write(self, step: tuple[str, Any] | None, end: EndRecord | None) -> asyncio.Task[None]:
        task = asyncio.create_task(self._written(step, end))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        if step is not None:
            self._steps_written[step[0]] = task
            task.add_done_callback(lambda _: self._steps_written.pop(step[0], None))
        return task

    async def _written(self, step: tuple[str, Any] | None, end: EndRecord | None) -> None:
        async with self._door:
            self._disarm()
            events, self._pending = self._pending, []
            if step is None and end is None and not events:
                return
            entry = Entry(step=step, after=self._last, events=events, end=end, attempts=self._news_of_attempts(step))
            if end is not None:
                entry.attempts = self._attempt
            write = partial(self._written_by, entry)
            try:
                is_ours = await self._database.persistently(write, alone=self._journal.is_alone)
            except Exception:  # whatever it is, it was the entry: what was told is told with the next one
                self._pending[:0] = events
                raise
            if not is_ours:
                self._is_lost = True
                self._on_lost()
                return
            self._last += len(events)
            if step is not None:
                self._results[step[0]] = step[1]
            if entry.attempts is not None:
                self._attempts_noted, self._was_interrupted = entry.attempts, False
            self._on_told()

    def _written_by(self, entry: Entry, connection: Any) -> bool:
        return self._journal.write(connection, self._request.run_id, self._owner, entry)

    def _news_of_attempts(self, step: tuple[str, Any] | None) -> int | None:
        """The number of attempts, if it is to be written.

        That is with what an attempt tells first, and when a run that had lost its workers gets on.
        """
        if self._attempt != self._attempts_noted or (self._was_interrupted and step is not None):
            return self._attempt
        return None


def _look_at(task: asyncio.Task[None]) -> None:
    """Log what went wrong where nobody waits; what was to be written is written with the next entry."""
    if not task.cancelled() and task.exception() is not None:
        _LOGGER.warning("Events of a run could not be written yet: %s", task.exception())
