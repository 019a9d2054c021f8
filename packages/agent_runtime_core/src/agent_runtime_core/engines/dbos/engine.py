"""The durable engine."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from agent_runtime_core.engines.dbos.address import read_address
from agent_runtime_core.engines.dbos.database import Database
from agent_runtime_core.engines.dbos.dbos_log import tame_logger
from agent_runtime_core.engines.dbos.desk import Desk
from agent_runtime_core.engines.dbos.news import News
from agent_runtime_core.engines.dbos.presence import count_workers
from agent_runtime_core.engines.dbos.records import Records
from agent_runtime_core.engines.dbos.tables import make_tables
from agent_runtime_core.engines.dbos.worker import Worker
from agent_runtime_core.engines.failures import described_failure
from agent_runtime_core.engines.request_check import check_request
from agent_runtime_core.errors import ConfigError, EngineUnavailable, RunNotFound
from agent_runtime_core.interfaces.run_engine import DescribeError, RunWork
from agent_runtime_core.interfaces.runs import EngineHealth, RunInfo, RunRequest, RunStatus

__all__ = ["DBOSRunEngine"]

_FOLLOW_S = 0.05
"""Seconds between two looks at runs that are followed, and are on in another process."""
_ENDING_S = 0.02
"""Seconds until a run whose end was just written down is looked at again."""
_PATIENCE_S = 10.0
_LONGEST_S = 86_400
"""Longer pauses, endless ones among them, are mistakes."""


class DBOSRunEngine:
    """Executes runs that outlive their process, in any number of processes that share a database.

    Nothing is connected to or created before the first call. A process that only submits, follows and cancels never
    starts DBOS; one that is started has it once, whatever the number of engines.

    Args:
        url: `sqlite:///runs.db` for the processes of one machine, or `postgresql://user:password@host:5432/database`;
            the arguments below can stand behind a `?`, and besides them `schema` (PostgreSQL: that of all tables,
            `agent_runtime`) and `synchronous` (SQLite: `normal`, which may lose the last moments when the power fails,
            or `full`).
        poll_s: Seconds between two looks into the queue; half of it is what a run waits on average.
        grace_s: So long a worker has to be gone until its runs are taken over.
        max_interruptions: A run that loses more workers in a row than this, without getting on, is parked.
        retry_pause_s: Seconds between the first two attempts of a run that fails; each further pause is twice as long.
        pool_size: Connections that are kept open; twice as many at most.

    Raises:
        ConfigError: The URL or an argument makes no sense; the text never shows a password.
    """

    def __init__(
        self,
        url: str,
        *,
        poll_s: float = 0.08,
        grace_s: float = 1.0,
        max_interruptions: int = 5,
        retry_pause_s: float = 1.0,
        pool_size: int = 8,
    ) -> None:
        self._address = read_address(url)
        given = {
            "poll_s": poll_s,
            "grace_s": grace_s,
            "max_interruptions": max_interruptions,
            "retry_pause_s": retry_pause_s,
            "pool_size": pool_size,
        }
        self._options: dict[str, Any] = given | dict(self._address.options)
        _check(self._options)
        self._opening = asyncio.Lock()
        self._database: Database | None = None
        self._desk: Desk | None = None
        self._worker: Worker | None = None

    async def start(self, work: RunWork, *, describe: DescribeError | None = None, concurrency: int = 32) -> None:
        """Take part in the work.

        Raises:
            RuntimeError: It was started before, or this process has a DBOS already.
            ValueError: `concurrency` is less than 1.
            EngineUnavailable: The database cannot be reached.
        """
        if self._worker is not None:
            raise RuntimeError("this engine was started before; stop() it first")
        if concurrency < 1:
            raise ValueError(f"concurrency is {concurrency}; give at least 1")
        database = await self._opened()
        worker = Worker(
            database,
            self._news,
            name=_name_of_process(),
            grace_s=self._options["grace_s"],
            max_interruptions=self._options["max_interruptions"],
            retry_pause_s=self._options["retry_pause_s"],
        )
        self._worker = worker
        try:
            register = partial(self._desk_of(database).register_queue, self._options["poll_s"], concurrency)
            await database.in_thread(partial(database.guarded, register))
            await worker.start(
                work, describe or described_failure, concurrency=concurrency, poll_s=self._options["poll_s"]
            )
        except BaseException:
            self._worker = None
            raise

    async def stop(self, *, drain_s: float = 30.0) -> None:
        """Claim nothing more, wait so long for the runs that are on, and let others have those that go on."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.stop(drain_s=drain_s)

    async def submit(self, request: RunRequest, *, at: datetime | None = None) -> RunInfo:
        """Take a run over; it is in the database when this returns.

        Raises:
            TypeError: The input is not JSON data.
            ValueError: An id or key is empty, or a bound makes no sense.
            EngineUnavailable: The database cannot be reached; submit it again.
        """
        check_request(request, at)
        if at is not None and at <= datetime.now(UTC):
            at = None
        database = await self._opened()
        desk, records = self._desk_of(database), self._records

        def submitted(connection: Connection) -> RunInfo | None:
            desk.submit(connection, request, at)
            return records.info(connection, request.run_id)

        info = await database.write(submitted)
        if info is None:
            raise RunNotFound(request.run_id)  # pruned in that moment
        return info

    async def status(self, run_id: str) -> RunInfo | None:
        """How a run stands."""
        database = await self._opened()
        return await database.read(lambda connection: self._records.info(connection, run_id))

    async def wait(self, run_id: str, *, timeout_s: float | None = None) -> RunInfo:
        """Wait until a run is over.

        Raises:
            RunNotFound: There is no run of this id.
            TimeoutError: It is not over by then.
        """
        database = await self._opened()
        read = partial(self._records.info, run_id=run_id)
        async with asyncio.timeout(timeout_s):
            with self._news.follow(run_id, events=False) as news:
                while True:
                    news.clear()
                    info = await database.read(read)
                    if info is None:
                        raise RunNotFound(run_id)
                    if info.status.is_over:
                        return info
                    await news.wait()

    async def events(self, run_id: str, *, after: int = 0) -> AsyncGenerator[tuple[int, dict[str, Any]], None]:
        """The events of a run, as they come.

        Raises:
            RunNotFound: There is no run of this id.
        """
        database = await self._opened()
        place, was_there = after, False
        with self._news.follow(run_id, events=True) as news:
            while True:
                news.clear()
                read = partial(self._records.events, run_id=run_id, after=place)
                is_over, found = await database.read(read)
                if is_over is None and not was_there:
                    raise RunNotFound(run_id)
                was_there = True
                for offset, told in found:
                    place = offset
                    yield offset, told
                if found:
                    continue
                if is_over is not False:  # or it was pruned meanwhile
                    return
                await news.wait()

    async def cancel(self, run_id: str) -> bool:
        """Ask a run to stop; one that has not begun is over at once."""
        database = await self._opened()
        asked = await database.write(partial(self._desk_of(database).cancel, run_id=run_id))
        if asked and self._worker is not None:
            self._worker.ask_to_stop(run_id)
        self._news.changed(run_id)
        return asked

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
        database = await self._opened()
        return await database.read(
            partial(
                self._records.infos,
                status=status,
                order_key=order_key,
                agent_key=agent_key,
                limit=limit,
                offset=offset,
            )
        )

    async def retry(self, run_id: str) -> RunInfo:
        """Do a run again that is over and has not succeeded; it goes to the end of its line.

        Raises:
            RunNotFound: There is no run of this id.
            ValueError: It is under way, or has succeeded.
        """
        database = await self._opened()
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            refusal = await database.write(partial(self._desk_of(database).retry, run_id=run_id))
            if refusal is None:
                return await self._found(run_id)
            if refusal.status is None:
                raise RunNotFound(run_id)
            if not refusal.is_ending or time.monotonic() > deadline:
                raise ValueError(
                    f"run {run_id!r} is {refusal.status.value}; only one that failed or was stopped can be retried"
                )
            await asyncio.sleep(_ENDING_S)

    async def prune(self, *, finished_before: datetime) -> int:
        """Forget the runs that were over by then, with all that is kept of them."""
        database = await self._opened()
        pruned = 0
        while number := await database.write(partial(self._desk_of(database).prune, before=finished_before)):
            pruned += number
        return pruned

    async def health(self) -> EngineHealth:
        """How the engine is doing, over all processes.

        Raises:
            EngineUnavailable: The database cannot be reached.
        """
        database = await self._opened()
        counts, waited_s = await database.read(self._records.counts)
        return EngineHealth(
            scheduled=counts[RunStatus.SCHEDULED],
            queued=counts[RunStatus.QUEUED],
            running=counts[RunStatus.RUNNING],
            parked=counts[RunStatus.PARKED],
            workers=await database.read(partial(count_workers, database=database)),
            oldest_queued_s=waited_s,
        )

    async def close(self) -> None:
        """Hand over the runs that are on, and free connections and threads."""
        await self.stop(drain_s=0.0)
        database, self._database = self._database, None
        if database is not None:
            desk, self._desk = self._desk_of(database), None
            database.refuse()
            await self._news.close()
            await asyncio.to_thread(desk.close)
            await database.close()

    async def _opened(self) -> Database:
        """The database, with tables in it."""
        if self._database is not None:
            return self._database
        async with self._opening:
            if self._database is None:
                database = Database(self._address, pool_size=self._options["pool_size"])
                try:
                    desk = await database.in_thread(partial(_made, database, self._options["poll_s"]))
                except BaseException:
                    await database.close()
                    raise
                self._records = Records(database)
                self._news = News(database, self._records, poll_s=_FOLLOW_S)
                self._desk, self._database = desk, database
        return self._database

    def _desk_of(self, database: Database) -> Desk:
        if self._desk is None:
            raise EngineUnavailable(f"the engine at {database.address.shown} was closed")
        return self._desk

    async def _found(self, run_id: str) -> RunInfo:
        info = await self.status(run_id)
        if info is None:
            raise RunNotFound(run_id)
        return info


def _made(database: Database, poll_s: float) -> Desk:
    """The desk, when the tables are there. Blocks."""
    tame_logger()
    database.guarded(partial(make_tables, database))
    desk = Desk(database)
    database.guarded(partial(desk.register_queue, poll_s))
    return desk


def _name_of_process() -> str:
    """The name of a worker: the same never comes back, on no machine."""
    return f"{socket.gethostname()}-{os.getpid()}-{time.time_ns() // 1_000_000:x}-{secrets.token_hex(4)}"


def _check(options: dict[str, Any]) -> None:
    for name in ("poll_s", "retry_pause_s"):
        if not 0 < options[name] <= _LONGEST_S:
            raise ConfigError(f"{name} is {options[name]}; give more than 0 seconds, {_LONGEST_S} at most.")
    if not 0 <= options["grace_s"] <= _LONGEST_S:
        raise ConfigError(f"grace_s is {options['grace_s']}; give seconds, 0 for none, {_LONGEST_S} at most.")
    if options["max_interruptions"] < 0:
        raise ConfigError(f"max_interruptions is {options['max_interruptions']}; give a number, 0 for none.")
    if options["pool_size"] < 2:
        raise ConfigError(f"pool_size is {options['pool_size']}; give at least 2.")
