"""The event log of one run, written while it runs: numbered rows, a few at a time."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Max
from django.utils import timezone

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces import EventType
from django_agent_runtime.models import AgentEvent, AgentRun
from django_agent_runtime.runtime.event_feed import news
from django_agent_runtime.runtime.plain_json import plain_json
from django_agent_runtime.stores.database import Database

__all__ = ["EventLog", "RunLost", "identity", "write_events"]

T = TypeVar("T")

_LOGGER = logging.getLogger(__name__)

_HELD_BACK_S = 0.05
"""So long at most an event waits for others, to be written with them."""
_AFTER_FAILURE_S = 1.0
_LONGEST_TYPE = 50

_TOLD_ANEW = frozenset(
    {EventType.ASSISTANT_DELTA.value, EventType.RUN_HEARTBEAT.value, EventType.STATE_CHECKPOINT.value}
)
"""Types of which an attempt tells its own, whatever the earlier ones have told."""


class RunLost(Exception):
    """Another process has taken the run over; what this one still does for it counts for nothing."""


def identity(event_type: str, payload: dict[str, Any]) -> tuple[str, str]:
    """What makes an event the same at another attempt: a tool's by its call, any other by what it says."""
    if event_type in (EventType.TOOL_CALL, EventType.TOOL_RESULT) and payload.get("tool_call_id"):
        return event_type, str(payload["tool_call_id"])
    return event_type, json.dumps(payload, sort_keys=True)


class EventLog:
    """Takes events in the order in which they happen, and writes each once.

    What an earlier attempt of the run has told is not told again.

    Args:
        database: Where the rows go.
        run_id: The run.
        worker: Who executes it.
        next_seq: The number of its next event.
        earlier: What earlier attempts have told.
    """

    def __init__(
        self,
        database: Database,
        run_id: UUID,
        worker: str,
        *,
        next_seq: int = 0,
        earlier: Iterable[tuple[str, dict[str, Any]]] = (),
    ) -> None:
        self._database = database
        self._run_id = run_id
        self._worker = worker
        self._next_seq = next_seq
        self._earlier = Counter(identity(*each) for each in earlier if each[0] not in _TOLD_ANEW)
        self._pending: list[AgentEvent] = []
        self._numbers = threading.Lock()  # rows are numbered in the event loop, and anew in the thread of the ORM
        self._is_closed = False
        self._door = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def add(self, event_type: str, payload: dict[str, Any]) -> int | None:
        """Take an event, and return its number; None when it was told before.

        Raises:
            TypeError: The payload is no JSON data.
            ValueError: The type is empty or too long.
        """
        if not 0 < len(event_type) <= _LONGEST_TYPE:
            raise ValueError(
                f"the event type {event_type!r} has {len(event_type)} characters; give 1 to {_LONGEST_TYPE}"
            )
        payload = plain_json(payload, f"the payload of {event_type!r}")
        if self._earlier and event_type not in _TOLD_ANEW:
            key = identity(event_type, payload)
            if self._earlier[key] > 0:
                self._earlier[key] -= 1
                return None
        row = AgentEvent(run_id=self._run_id, event_type=event_type, payload=payload, timestamp=timezone.now())
        with self._numbers:
            row.seq = self._next_seq
            self._next_seq += 1
            self._pending.append(row)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_HELD_BACK_S, self._write_soon)
        return row.seq

    def take_back(self) -> None:
        """Forget the event that was taken last, and is not written."""
        with self._numbers:
            self._pending.pop()
            self._next_seq -= 1

    async def flush(self) -> None:
        """Write what is held back.

        Raises:
            StoreUnavailable: The database cannot be used; it stays held back.
            RunLost: The run is another process's.
        """
        await self.write(lambda alias: None)

    async def write(self, work: Callable[[str], T]) -> T:
        """What the work gives for the alias, done in one transaction with writing what is held back.

        Raises:
            StoreUnavailable: The database cannot be used; nothing was done.
            RunLost: The run is another process's.
        """
        async with self._door:
            self._disarm()
            rows = list(self._pending)

            def both(alias: str) -> T:
                result = work(alias)
                AgentEvent.objects.using(alias).bulk_create(rows)
                return result

            try:
                result = await self._database.run(both)
            except StoreUnavailable as error:
                if not (rows and isinstance(error.__cause__, IntegrityError)):
                    raise
                await self._database.run(lambda alias: self._renumber(alias, rows))
                result = await self._database.run(both)
            del self._pending[: len(rows)]
            news()
            return result

    def close(self) -> None:
        """Write nothing more by itself."""
        self._is_closed = True
        self._disarm()
        if self._writing is not None:
            self._writing.cancel()

    def _renumber(self, alias: str, rows: list[AgentEvent]) -> None:
        """Somebody has written meanwhile: another process has the run, or had it and has just stopped."""
        owned = AgentRun.objects.using(alias).filter(pk=self._run_id, lease_owner=self._worker)
        if not owned.exists():
            raise RunLost(f"run {self._run_id} was taken over by another process")
        last = AgentEvent.objects.using(alias).filter(run=self._run_id).aggregate(last=Max("seq"))["last"]
        with self._numbers:
            shift = (-1 if last is None else last) + 1 - rows[0].seq
            for row in self._pending:
                row.seq += shift
            self._next_seq += shift

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _write_soon(self) -> None:
        self._timer = None
        self._writing = asyncio.create_task(self._write_quietly())

    async def _write_quietly(self) -> None:
        try:
            await self.flush()
        except RunLost:
            _LOGGER.warning("Run %s is another process's by now; what happens to it here is not told", self._run_id)
        except StoreUnavailable as error:
            _LOGGER.warning("Events of run %s are held back: %s", self._run_id, error)
            if self._timer is None and not self._is_closed:
                self._timer = asyncio.get_running_loop().call_later(_AFTER_FAILURE_S, self._write_soon)


def write_events(alias: str, run_id: UUID, first_seq: int, events: Iterable[tuple[str, dict[str, Any]]]) -> int:
    """Write events at these numbers, in the transaction of the caller, and return the next number."""
    now = timezone.now()
    rows = [
        AgentEvent(run_id=run_id, seq=first_seq + n, event_type=event_type, payload=payload, timestamp=now)
        for n, (event_type, payload) in enumerate(events)
    ]
    AgentEvent.objects.using(alias).bulk_create(rows)
    return first_seq + len(rows)
