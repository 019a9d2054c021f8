"""DBOS in this process: started, told what to do with a run, and ended. There is one per process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import dbos._dbos as dbos_module
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer
from sqlalchemy import Connection

from agent_runtime_core.engines.dbos.database import Database
from agent_runtime_core.engines.dbos.names import APPLICATION, PROTOCOL, QUEUE, WORKFLOW
from agent_runtime_core.engines.dbos.no_pickle import allow_pickle, refuse_pickle

__all__ = ["Host"]

_LAST_CLAIM_S = 10.0
_STARTING = threading.Lock()
_EXECUTOR_THREADS = 8
_LISTENER_POLL_S = 0.25
"""DBOS's listener has nothing to listen to, and ends with its next look."""

Perform = Callable[[str], Awaitable[None]]


class Host:
    """Starts and ends DBOS. All methods but the first block.

    DBOS runs its workflow on a loop and on threads of its own; the run itself is done on the loop of whoever started
    the engine. So nothing of DBOS, its default executor least of all, gets into the application's loop.

    Args:
        database: Where the runs are.
        worker: The name of this process.
        perform: Does a run, given its id.
        loop: Where it does it.
    """

    _present: Host | None = None

    def __init__(self, database: Database, worker: str, perform: Perform, loop: asyncio.AbstractEventLoop) -> None:
        self._database = database
        self._worker = worker
        self._perform = perform
        self._loop = loop
        self._look = _Look(database)

    def start(self, *, concurrency: int, poll_s: float) -> None:
        """Begin to claim runs.

        Args:
            concurrency: Runs at once in this process.
            poll_s: Seconds between two looks into the queue.

        Raises:
            RuntimeError: This process has a DBOS already, of ours or of the application's.
        """
        with _STARTING:
            if Host._present is not None or dbos_module._dbos_global_instance is not None:
                raise RuntimeError(
                    "this process has a DBOS already, of another engine that was started or of the application, and "
                    "can have only one: stop() the other engine, or start this one in a process of its own."
                )
            Host._present = self
        refuse_pickle()
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": self._database.address.url.render_as_string(hide_password=False),
            "system_database_engine": self._database.engine,
            "dbos_system_schema": self._database.address.schema or "dbos",
            "application_version": PROTOCOL,
            "executor_id": self._worker,
            "serializer": DBOSPortableJSONSerializer(),
            "max_executor_threads": _EXECUTOR_THREADS,
            "run_migrations": False,  # they were run when the tables were made
            "use_listen_notify": False,
            "notification_listener_polling_interval_sec": _LISTENER_POLL_S,
            "log_level": "WARNING",
        }
        try:
            instance = DBOS(config=config)
            DBOS.launch()
            _bind_queue(instance, self._look, concurrency, poll_s)
        except BaseException:
            self.end()
            raise

    def claim_no_more(self) -> None:
        """Begin no other run."""
        instance = dbos_module._dbos_global_instance
        if instance is not None:
            for event in instance.background_thread_stop_events:
                event.set()

    def end(self) -> None:
        """End DBOS with all its threads."""
        try:
            self.claim_no_more()
            for thread in threading.enumerate():
                # It waits for those that claim, which may be about to hand a run to DBOS's loop; DBOS itself closes
                # that loop first, and waits then.
                if thread.name.endswith("(queue_thread)"):
                    thread.join(_LAST_CLAIM_S)
            DBOS.destroy()
        finally:
            allow_pickle()
            Host._present = None
            self._look.close()

    async def do(self, run_id: str) -> None:
        """Do a run on the application's loop; called on DBOS's own."""
        performing = self._done(run_id)
        try:
            doing = asyncio.run_coroutine_threadsafe(performing, self._loop)
        except RuntimeError as error:  # the loop was closed, and the engine was not: the process is at its end
            performing.close()
            raise asyncio.CancelledError from error
        await asyncio.wrap_future(doing)

    async def _done(self, run_id: str) -> None:
        await self._perform(run_id)


@DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
async def _run() -> None:
    """The one workflow. What is to be done, and how it has ended, is in our own tables."""
    host, run_id = Host._present, DBOS.workflow_id
    if host is None or run_id is None:
        raise asyncio.CancelledError  # claimed while the engine stops; it is handed over with the others
    await host.do(run_id)


def _bind_queue(instance: DBOS, look: _Look, concurrency: int, poll_s: float) -> None:
    """Make the queue's settings those of this process, and its polling cheap.

    They are a row which all processes share, and which DBOS reads again before each look into the queue: what one of
    them wants is no affair of the others. And before it sends its own query, which is a dear one, a small one of ours
    asks whether anything waits at all. Both lean on what DBOS does not promise; without them it would claim as well,
    only with the row's settings, and a worker without runs would take four times as much of a core.
    """
    system = instance._sys_db
    queue = system.get_queue(QUEUE)
    if queue is None:
        raise RuntimeError(f"DBOS has no queue {QUEUE!r}; it was deleted while the engine started")
    queue._worker_concurrency = concurrency
    queue._polling_interval_sec = poll_s
    read = system.get_queue

    def get_queue(name: str, *args: Any, **kwargs: Any) -> Any:
        return queue if name == QUEUE else read(name, *args, **kwargs)

    scopes = system.dequeue_scopes

    def dequeue_scopes(name: str) -> Any:
        return [] if name == QUEUE and not look.is_anything_waiting() else scopes(name)

    system.get_queue = get_queue  # type: ignore[method-assign]
    system.dequeue_scopes = dequeue_scopes  # type: ignore[method-assign, assignment]


class _Look:
    """A look into the queue from DBOS's thread, many times a second, on a connection that is kept for it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statement = database.sql(
            "SELECT 1 FROM {workflow_status} WHERE queue_name = :queue AND status = 'ENQUEUED' LIMIT 1"
        )
        self._connection: Connection | None = None

    def is_anything_waiting(self) -> bool:
        if self._connection is None:
            self._connection = self._database.connect()
        try:
            return self._connection.execute(self._statement, {"queue": QUEUE}).scalar_one_or_none() is not None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
