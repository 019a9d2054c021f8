"""The runs of this process: its engine, the leases of its runs, and those that others have left behind."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from agent_runtime_core.errors import AgentRuntimeError
from agent_runtime_core.interfaces.runs import RunRequest, RunStatus
from agent_runtime_core.waiting import stop
from django_agent_runtime.conf import runtime_settings
from django_agent_runtime.models import AgentRun
from django_agent_runtime.runtime.engine import is_in_process, open_run_engine
from django_agent_runtime.runtime.lanes import Lanes
from django_agent_runtime.runtime.request import request_of
from django_agent_runtime.runtime.sweep import Sweep
from django_agent_runtime.runtime.take_up import extend_leases, left_behind, take_up
from django_agent_runtime.runtime.work import DjangoWork, described
from django_agent_runtime.runtime.worker_name import new_worker_name
from django_agent_runtime.stores.database import Database

__all__ = ["RunHost"]

_LOGGER = logging.getLogger("django_agent_runtime.runtime")

_LOOK_S = 1.0
"""Seconds between two looks whether a run is to stop."""
_SWEEP_S = 10.0
"""Seconds between two rounds among the rows that the durable engine may not know."""
_COMPLETION_S = 10.0


class RunHost:
    """What executes runs in this process, from `start` to `stop`, in one event loop.

    Args:
        concurrency: Runs at once.
        name: The process; a new name by default.
        max_attempts: How often a run is attempted at most, whatever it says itself.
    """

    def __init__(self, *, concurrency: int | None = None, name: str = "", max_attempts: int | None = None) -> None:
        settings = runtime_settings()
        self.name = name or new_worker_name()
        """The process, as `AgentRun.lease_owner` names it."""
        self.engine = open_run_engine()
        """What executes runs."""
        self._is_in_process = is_in_process()
        self._concurrency = concurrency or settings.DEFAULT_CONCURRENCY
        self._lease_s = float(settings.LEASE_TTL_SECONDS)
        self._heartbeat_s = float(settings.HEARTBEAT_INTERVAL_SECONDS)
        self._database = Database(None)
        self._lanes = Lanes()
        self._work = DjangoWork(self.name, is_in_process=self._is_in_process, max_attempts=max_attempts)
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take part in the work.

        Raises:
            EngineUnavailable: The engine's database cannot be reached.
        """
        await self.engine.start(self._work, describe=described, concurrency=self._concurrency)
        self._watch = asyncio.create_task(self._keep_watch())

    async def submit(self, request: RunRequest) -> None:
        """Hand a run to the engine; one that this process had and gave back begins again."""
        info = await self.engine.submit(request)
        if info.status.is_over and info.status is not RunStatus.SUCCEEDED:
            await self.engine.retry(request.run_id)

    async def cancel(self, run_id: str) -> None:
        """Ask a run to stop that is on here."""
        if run_id in self._work.on:
            await self.engine.cancel(run_id)

    async def stop(self, *, drain_s: float) -> None:
        """Begin nothing more, wait so long for what is on, and let others have the rest."""
        if self._watch is not None:
            await stop(self._watch)
        await self.engine.stop(drain_s=drain_s)
        await self._work.completion.drained(_COMPLETION_S)
        await self.engine.close()
        await self._work.lanes.close()
        await self._lanes.close()

    async def _keep_watch(self) -> None:
        if self._is_in_process:
            rounds = {self._extend_leases: self._heartbeat_s, self._take_up: self._lease_s}
        else:
            rounds = {Sweep(self.engine).go: _SWEEP_S}
        done_at = dict.fromkeys(rounds, float("-inf"))
        async with self._lanes.lane():
            while True:
                for work, every_s in rounds.items():
                    if time.monotonic() - done_at[work] >= every_s:
                        done_at[work] = time.monotonic()
                        await self._quietly(work)
                await self._quietly(self._look_for_cancellations)
                await asyncio.sleep(_LOOK_S)

    async def _take_up(self) -> None:
        for run_id, owner in await self._database.run(lambda alias: left_behind(alias, self.name)):
            take = partial(take_up, run_id=run_id, owner=owner, worker=self.name, lease_s=self._lease_s)
            run = await self._database.run(take)
            if run is None:
                continue
            _LOGGER.warning("%s: run %s, left by a process that has ended, is taken up", self.name, run.pk)
            await self.submit(request_of(run))

    async def _extend_leases(self) -> None:
        await self._database.run(lambda alias: extend_leases(alias, self.name, lease_s=self._lease_s))

    async def _look_for_cancellations(self) -> None:
        on = list(self._work.on)
        if not on:
            return

        def asked(alias: str) -> list[Any]:
            runs = AgentRun.objects.using(alias).filter(pk__in=on).exclude(cancel_requested_at=None)
            return list(runs.values_list("pk", flat=True))

        for run_id in await self._database.run(asked):
            await self.engine.cancel(str(run_id))

    async def _quietly(self, work: Callable[[], Any]) -> None:
        try:
            await work()
        except AgentRuntimeError as error:
            _LOGGER.warning("%s: %s", self.name, error)
