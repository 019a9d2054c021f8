"""Who follows runs, and how they hear that there is something new: from this process at once, else by looking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from agent_runtime_core.engines.dbos.database import Database
from agent_runtime_core.engines.dbos.records import Records
from agent_runtime_core.errors import EngineUnavailable

__all__ = ["News"]


_REST = 10
"""So many times as long as a look took is rested after it: a thousand followers slow each other, not the database."""


class News:
    """Wakes those who follow runs. However many they are, one query at a time looks for all of them.

    Args:
        database: Where the runs are.
        records: Reads them.
        poll_s: Seconds between two looks, while somebody follows a run that is on elsewhere.
    """

    def __init__(self, database: Database, records: Records, *, poll_s: float) -> None:
        self._database = database
        self._records = records
        self._poll_s = poll_s
        self._followers: dict[str, dict[asyncio.Event, bool]] = {}  # whether they follow the events, too
        self._marks: dict[str, tuple[Any, Any] | None] = {}
        self._local: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def follow(self, run_id: str, *, events: bool) -> Iterator[asyncio.Event]:
        """An event that is set when there may be something new; whoever follows clears it before looking.

        Args:
            run_id: The run.
            events: Whether its events are news, or only how it stands.
        """
        event = asyncio.Event()
        self._followers.setdefault(run_id, {})[event] = events
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        try:
            yield event
        finally:
            followers = self._followers[run_id]
            del followers[event]
            if not followers:
                del self._followers[run_id]
                self._marks.pop(run_id, None)

    def is_here(self, run_id: str) -> None:
        """The run is on in this process, which tells what is new."""
        self._local.add(run_id)

    def is_not_here(self, run_id: str) -> None:
        """The run is not on in this process any more."""
        self._local.discard(run_id)
        self.changed(run_id)

    def told(self, run_id: str) -> None:
        """There are events more."""
        for event, follows_events in self._followers.get(run_id, {}).items():
            if follows_events:
                event.set()

    def changed(self, run_id: str) -> None:
        """The run may stand otherwise."""
        for event in self._followers.get(run_id, {}):
            event.set()

    async def close(self) -> None:
        """Look no more; whoever follows finds the database closed."""
        for run_id in self._followers:
            self.changed(run_id)
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _look(self) -> None:
        took_s = 0.0
        while self._followers:
            await asyncio.sleep(max(self._poll_s, took_s * _REST))
            run_ids = [run_id for run_id in self._followers if run_id not in self._local]
            if not run_ids:
                continue
            start = time.monotonic()
            try:
                marks = await self._database.read(partial(self._records.marks, run_ids=run_ids))
            except EngineUnavailable:
                continue
            finally:
                took_s = time.monotonic() - start
            for run_id in run_ids:
                if run_id in self._followers:
                    before, mark = self._marks.get(run_id), marks.get(run_id)
                    self._marks[run_id] = mark
                    if before is None or mark is None or before[0] != mark[0]:
                        self.changed(run_id)
                    elif before != mark:
                        self.told(run_id)
