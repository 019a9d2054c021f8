"""One look at the event log for all readers of this process: two queries, however many runs they follow."""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, Error, close_old_connections, connections, router
from django.db.models import Q

from django_agent_runtime.models import AgentEvent, AgentRun
from django_agent_runtime.models.base import TERMINAL

__all__ = ["AsyncFollower", "Feed", "Follower", "Row", "SyncFollower", "news", "present_feed"]

Row = tuple[UUID, int, str, dict[str, Any], datetime]
"""Run, number, type, payload and time of an event."""

_LOGGER = logging.getLogger("django_agent_runtime.runtime")

_POLL_S = 0.25
"""Seconds between two looks; what this process writes itself is looked for at once."""
_FEWEST_S = 0.02
_AT_ONCE = 200
_BACKLOG = 1000
"""So many events wait for a slow reader; the others stay in the database until it has read them."""


class Follower(ABC):
    """A reader of one run.

    Args:
        run_id: The run.
        next_seq: The number of the first event that it wants.
    """

    def __init__(self, run_id: UUID, next_seq: int) -> None:
        self.run_id = run_id
        self.next_seq = next_seq
        self.is_over = False
        """Whether it was told the end."""

    @abstractmethod
    def backlog(self) -> int:
        """How many events it has not read yet."""

    @abstractmethod
    def put(self, row: Row | None) -> None:
        """Hand it an event, or the end; from the thread of the feed."""


class SyncFollower(Follower):
    """A reader in a thread."""

    def __init__(self, run_id: UUID, next_seq: int) -> None:
        super().__init__(run_id, next_seq)
        self._rows: queue.SimpleQueue[Row | None] = queue.SimpleQueue()

    def backlog(self) -> int:
        """How many events it has not read yet."""
        return self._rows.qsize()

    def put(self, row: Row | None) -> None:
        """Hand it an event, or the end."""
        self._rows.put(row)

    def next(self, timeout_s: float) -> Row | None:
        """The next event, or None at the end.

        Raises:
            queue.Empty: There was none for so many seconds.
        """
        return self._rows.get(timeout=timeout_s)


class AsyncFollower(Follower):
    """A reader in an event loop; it is made there."""

    def __init__(self, run_id: UUID, next_seq: int) -> None:
        super().__init__(run_id, next_seq)
        self._loop = asyncio.get_running_loop()
        self._rows: asyncio.Queue[Row | None] = asyncio.Queue()

    def backlog(self) -> int:
        """How many events it has not read yet."""
        return self._rows.qsize()

    def put(self, row: Row | None) -> None:
        """Hand it an event, or the end."""
        try:
            self._loop.call_soon_threadsafe(self._rows.put_nowait, row)
        except RuntimeError:  # the loop has ended, and with it the reader
            self.is_over = True

    async def next(self, timeout_s: float) -> Row | None:
        """The next event, or None at the end.

        Raises:
            TimeoutError: There was none for so many seconds.
        """
        async with asyncio.timeout(timeout_s):
            return await self._rows.get()


class Feed:
    """Looks into the log while there are readers, in a thread that ends with the last of them."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        """The process that it is of."""
        self._followers: set[Follower] = set()
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def followed(self, follower: Follower) -> Generator[None, None, None]:
        """Serve a reader, as long as the block."""
        with self._lock:
            self._followers.add(follower)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="django-agent-runtime-events", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._followers.discard(follower)
            self._news.set()

    def wake(self) -> None:
        """Look at once: something was written."""
        self._news.set()

    def _serve(self) -> None:
        pause = threading.Event()  # nobody sets it
        try:
            while True:
                with self._lock:
                    followers = [each for each in self._followers if not each.is_over]
                    if not self._followers:
                        self._thread = None
                        return
                self._news.clear()
                try:
                    self._look(followers)
                except Error as error:
                    _LOGGER.warning("The events of %d runs cannot be read: %s", len(followers), type(error).__name__)
                    _LOGGER.debug("Events cannot be read", exc_info=error)
                close_old_connections()
                pause.wait(_FEWEST_S)
                self._news.wait(_POLL_S)
        finally:
            connections.close_all()

    def _look(self, followers: Iterable[Follower]) -> None:
        by_run: dict[UUID, list[Follower]] = defaultdict(list)
        for each in followers:
            if each.backlog() < _BACKLOG:
                by_run[each.run_id].append(each)
        run_ids = list(by_run)
        for start in range(0, len(run_ids), _AT_ONCE):
            self._tell({run_id: by_run[run_id] for run_id in run_ids[start : start + _AT_ONCE]})

    def _tell(self, by_run: dict[UUID, list[Follower]]) -> None:
        alias = router.db_for_write(AgentRun) or DEFAULT_DB_ALIAS
        # In this order: a run's status and its last event are written in one transaction.
        runs = AgentRun.objects.using(alias).filter(pk__in=by_run).exclude(status__in=TERMINAL).order_by()
        going_on = set(runs.values_list("pk", flat=True))
        wanted = Q()
        for run_id, followers in by_run.items():
            wanted |= Q(run=run_id, seq__gte=min(each.next_seq for each in followers))
        rows = AgentEvent.objects.using(alias).filter(wanted).order_by("run", "seq")
        for row in rows.values_list("run_id", "seq", "event_type", "payload", "timestamp"):
            for each in by_run[row[0]]:
                if row[1] >= each.next_seq:
                    each.put(row)
                    each.next_seq = row[1] + 1
        for run_id, followers in by_run.items():
            if run_id not in going_on:
                for each in followers:
                    each.is_over = True
                    each.put(None)


_feed: Feed | None = None
_opening = threading.Lock()


def present_feed() -> Feed:
    """The feed of this process."""
    global _feed
    with _opening:
        if _feed is None or _feed.pid != os.getpid():  # after a fork the thread is the parent's
            _feed = Feed()
        return _feed


def news() -> None:
    """Let readers of this process know that events were written."""
    if _feed is not None:
        _feed.wake()
