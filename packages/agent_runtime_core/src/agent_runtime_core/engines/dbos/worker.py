"""A process that takes part in the work: it claims runs, does them, looks after the dead, and hands over at its end."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any

from sqlalchemy import Connection

from agent_runtime_core.engines.dbos.database import FAILURES, Database
from agent_runtime_core.engines.dbos.host import Host
from agent_runtime_core.engines.dbos.journal import Journal
from agent_runtime_core.engines.dbos.news import News
from agent_runtime_core.engines.dbos.presence import open_presence
from agent_runtime_core.engines.dbos.recovery import Reaper, hand_over
from agent_runtime_core.engines.dbos.run_context import DurableRunContext
from agent_runtime_core.engines.execution import EndRecord, executed
from agent_runtime_core.interfaces.run_engine import DescribeError, RunWork
from agent_runtime_core.interfaces.runs import RunStatus

__all__ = ["Worker"]

_LOGGER = logging.getLogger("agent_runtime_core.engines.dbos")

_WATCH_S = 0.5


class Worker:
    """Takes part in the work from `start` to `stop`, once.

    Args:
        database: Where the runs are.
        news: Who is told of what happens here.
        name: Of this process, and of no other ever.
        grace_s: So long another worker has to be gone until its runs are taken over.
        max_interruptions: A run that loses more workers in a row than this, without getting on, is parked.
        retry_pause_s: Seconds between the first two attempts of a run.
    """

    def __init__(
        self,
        database: Database,
        news: News,
        *,
        name: str,
        grace_s: float,
        max_interruptions: int,
        retry_pause_s: float,
    ) -> None:
        self._database = database
        self._news = news
        self._name = name
        self._retry_pause_s = retry_pause_s
        self._journal = Journal(database, name)
        self._presence = open_presence(database)
        self._reaper = Reaper(database, self._presence, name, grace_s=grace_s, max_interruptions=max_interruptions)
        self._host: Host | None = None
        self._on: dict[str, tuple[asyncio.Task[Any], DurableRunContext | None]] = {}
        self._is_stopping = False
        self._is_watch_over = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    async def start(self, work: RunWork, describe: DescribeError, *, concurrency: int, poll_s: float) -> None:
        """Begin to claim runs.

        Raises:
            RuntimeError: This process has a DBOS already.
            EngineUnavailable: The database cannot be reached.
        """
        self._work, self._describe = work, describe
        self._places = asyncio.Semaphore(concurrency)
        host = Host(self._database, self._name, self._perform, asyncio.get_running_loop())
        self._host = host
        await self._database.in_thread(partial(self._enter, host, concurrency, poll_s))
        self._watch = asyncio.create_task(self._keep_watch())

    async def stop(self, *, drain_s: float) -> None:
        """Claim nothing more, wait so long for the runs that are on, and let others have those that go on."""
        host, self._host = self._host, None
        if host is None:
            return
        self._is_stopping = True
        host.claim_no_more()
        if self._on:
            await asyncio.wait([task for task, _ in self._on.values()], timeout=drain_s)
        late = [task for task, _ in self._on.values()]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if self._watch is not None:
            self._is_watch_over.set()
            await self._watch  # it is not cancelled: a thread of it would go on, and take our lock again
        await self._database.in_thread(partial(self._leave, host))

    def ask_to_stop(self, run_id: str) -> None:
        """Somebody wants this run to stop, if it is on here."""
        _, context = self._on.get(run_id, (None, None))
        if context is not None:
            context.ask_to_stop()

    def _enter(self, host: Host, concurrency: int, poll_s: float) -> None:
        if not self._database.guarded(partial(self._presence.enter, self._name)):
            self._presence.leave()
            raise RuntimeError(f"there is another worker of the name {self._name!r}; start again")
        try:
            self._database.guarded(partial(host.start, concurrency=concurrency, poll_s=poll_s))
        except BaseException:
            self._presence.leave()
            raise

    def _leave(self, host: Host) -> None:
        try:
            host.end()
            with self._database.engine.begin() as connection:
                hand_over(self._database, connection, self._name)
        except FAILURES as error:
            # What is left is taken over like that of a worker that died.
            _LOGGER.warning("Runs could not be handed over: %s", self._database.unavailable(error))
        finally:
            self._presence.leave()

    async def _perform(self, run_id: str) -> None:
        """Do a run that DBOS has claimed for us. Cancelled, it leaves the run to others."""
        task = asyncio.current_task()
        if self._is_stopping or task is None:
            raise asyncio.CancelledError
        former = self._on.get(run_id)
        if former is not None:
            # It was ours, was taken over, and has come back: whoever still does it has lost it.
            former[0].cancel()
            await asyncio.wait([former[0]])
        self._on[run_id] = (task, None)
        self._news.is_here(run_id)
        try:
            async with self._places:  # DBOS keeps to it, except in the first moment of all
                await self._do(run_id, task)
        finally:
            if self._on[run_id][0] is task:
                del self._on[run_id]
            self._news.is_not_here(run_id)

    async def _do(self, run_id: str, task: asyncio.Task[Any]) -> None:
        database, journal, is_alone = self._database, self._journal, self._journal.is_alone
        take = await database.persistently(partial(journal.take, run_id=run_id), alone=is_alone)
        if take is None:
            raise asyncio.CancelledError
        if take.is_over:
            return
        earlier: dict[str, Any] = {}
        if take.attempts > 1:
            earlier["told"] = await database.persistently(partial(journal.told, run_id=run_id), alone=True)
        context = DurableRunContext(
            database,
            journal,
            take,
            on_told=partial(self._news.told, run_id),
            on_lost=task.cancel,
            **earlier,
        )
        self._on[run_id] = (task, context)
        try:
            try:
                end = await executed(self._work, context, self._describe, retry_pause_s=self._retry_pause_s)
            except BaseException as error:
                if task.cancelling() or isinstance(error, (KeyboardInterrupt, SystemExit)):
                    raise  # the process is about to stop, or the run is somebody else's
                end = _broken_off(error)
            await context.end(end)
        finally:
            await context.leave()

    async def _keep_watch(self) -> None:
        """Look after the dead, and after those of our runs that are to stop or are not ours any more."""
        while not await self._is_over_within(_WATCH_S):
            try:
                await self._database.in_thread(self._reaper.look_round)
                contexts = {run_id: context for run_id, (_, context) in self._on.items() if context is not None}
                if contexts:
                    self._heed(contexts, await self._database.read(partial(self._looked_up, run_ids=list(contexts))))
            except FAILURES as error:
                _LOGGER.debug("The watch over runs failed, and goes on: %s", error)

    async def _is_over_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._is_watch_over.wait()
        except TimeoutError:
            return False

    def _looked_up(self, connection: Connection, run_ids: list[str]) -> dict[str, tuple[bool, str | None]]:
        """Of each run whether it is to stop, and whose it is."""
        statement = self._database.sql(
            "SELECT r.run_id, r.cancel_asked_at, w.owner_xid FROM {runs} r "
            "JOIN {workflow_status} w ON w.workflow_uuid = r.run_id WHERE r.run_id IN :ids",
            "ids",
        )
        rows = connection.execute(statement, {"ids": run_ids})
        return {row.run_id: (row.cancel_asked_at is not None, row.owner_xid) for row in rows}

    def _heed(self, contexts: dict[str, DurableRunContext], found: dict[str, tuple[bool, str | None]]) -> None:
        for run_id, context in contexts.items():
            task, present = self._on.get(run_id, (None, None))
            if task is None or present is not context:
                continue
            is_stop_asked, owner = found.get(run_id, (False, None))
            if owner != context.owner and not context.is_ended:
                task.cancel()
            elif is_stop_asked:
                context.ask_to_stop()


def _broken_off(error: BaseException) -> EndRecord:
    """The end of a run whose work has cancelled itself, or raised what is no `Exception`."""
    message = f"the work broke off with {type(error).__name__} ({error}), which nobody had asked for"
    return EndRecord(
        status=RunStatus.FAILED, error={"type": type(error).__name__, "message": message, "retriable": False}
    )
