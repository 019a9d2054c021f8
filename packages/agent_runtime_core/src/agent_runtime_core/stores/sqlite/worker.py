"""The one thread of a SQLite store: jobs go in, outcomes go back to the event loops that wait for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.stores.sqlite.database import Database
from agent_runtime_core.stores.sqlite.job import Job

__all__ = ["Worker"]

_MAX_JOBS_TOGETHER = 64
"""Jobs in one transaction at most: the first of them waits until the last one is done."""

_EXIT_TIMEOUT_S = 5.0


class Worker:
    """Runs jobs one after the other on a thread of its own, which starts with the first one.

    Jobs that have queued up while others ran share a transaction. Several event loops may use one worker.

    Args:
        database: What the jobs work on; only the thread touches it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()  # None ends the thread and is always the last entry
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ended = False

    def submit(
        self, work: Callable[..., Any], arguments: tuple[Any, ...], *, writes: bool, erases: bool = False
    ) -> asyncio.Future[Any]:
        """Queue a job and return the future of its outcome. A cancelled future's job is done whole or not at all.

        Raises:
            StoreUnavailable: The worker has ended.
        """
        loop = asyncio.get_running_loop()
        job = Job(work, arguments, writes, loop, loop.create_future(), erases)
        with self._lock:
            if self._ended:
                raise StoreUnavailable(
                    f"the store on {self._database.path} is closed; make a new SQLiteCheckpointStore.",
                    key=self._database.path,
                )
            if self._thread is None:
                self._thread = self._started()
            elif not self._thread.is_alive():
                raise StoreUnavailable(
                    f"the thread of the store on {self._database.path} is gone, as after os.fork(); "
                    f"make a SQLiteCheckpointStore in each process.",
                    key=self._database.path,
                )
            self._jobs.put(job)
        return job.future

    def _started(self) -> threading.Thread:
        # The thread knows the queue and the database only: a worker that nobody uses any more can be collected.
        thread = threading.Thread(
            target=_serve, args=(self._jobs, self._database), name=f"sqlite store {self._database.path}", daemon=True
        )
        thread.start()
        return thread

    async def close(self) -> None:
        """Let the queued jobs end, close the database and wait for the thread; a second call does nothing."""
        thread = self._end()
        if thread is not None and thread.is_alive():
            await asyncio.to_thread(thread.join)

    def abandon(self) -> None:
        """What `close` does, for a store that was collected or a process that ends; waits where waiting is allowed."""
        thread = self._end()
        if thread is None or thread is threading.current_thread():
            return
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            thread.join(_EXIT_TIMEOUT_S)

    def _end(self) -> threading.Thread | None:
        with self._lock:
            if not self._ended:
                self._ended = True
                self._jobs.put(None)
            return self._thread


def _serve(jobs: SimpleQueue[Job | None], database: Database) -> None:
    while _serve_once(jobs, database):  # no job is held while the next one is waited for
        pass
    database.close()


def _serve_once(jobs: SimpleQueue[Job | None], database: Database) -> bool:
    """Wait for a job, do it together with those that are queued, and say whether there is more to come."""
    batch: list[Job] = []
    job = jobs.get()
    while job is not None:
        if not job.future.cancelled():
            batch.append(job)
        if jobs.empty() or len(batch) == _MAX_JOBS_TOGETHER:
            break
        job = jobs.get()
    if batch:
        database.run(batch)
        _hand_back(batch)
    return job is not None


def _hand_back(batch: list[Job]) -> None:
    """Wake each event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in batch:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, jobs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, jobs)
        except RuntimeError:  # the loop has been closed: nobody waits there any more
            continue


def _settle(jobs: list[Job]) -> None:
    for job in jobs:
        job.settle()
