"""A worker's rounds: rows that the durable engine does not know are submitted, those it has given up are ended."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from agent_runtime_core.interfaces import EventType
from agent_runtime_core.interfaces.run_engine import RunEngine
from agent_runtime_core.interfaces.runs import RunInfo
from agent_runtime_core.interfaces.runs import RunStatus as EngineStatus
from django_agent_runtime.models import AgentRun, RunStatus
from django_agent_runtime.runtime.request import request_of
from django_agent_runtime.runtime.rows import UNDER_WAY, end_unbegun, locked_run
from django_agent_runtime.stores.database import Database

__all__ = ["Sweep"]

_LOGGER = logging.getLogger("django_agent_runtime.runtime")

_YOUNG_S = 5.0
"""Runs that are younger are on their way to the engine."""
_LONG_S = 60.0
"""Runs that are on for longer are looked for in the engine."""
_GIVEN_UP = (EngineStatus.FAILED, EngineStatus.CANCELLED, EngineStatus.TIMED_OUT)
_AT_ONCE = 200
_ROUNDS_BETWEEN_PRUNINGS = 360
_KEPT = timedelta(days=1)
"""So long the engine keeps its records of runs that are over; the rows are what lasts."""


class Sweep:
    """Looks after the rows.

    A crash between the commit of a row and its submission leaves a row that no engine knows. A run that has ended its
    workers again and again is parked by the engine, and its row still says that it is on.

    Args:
        engine: The durable engine.
    """

    def __init__(self, engine: RunEngine) -> None:
        self._engine = engine
        self._database = Database(None)
        self._rounds = 0

    async def go(self) -> None:
        """Go one round.

        Raises:
            StoreUnavailable: Django's database cannot be used.
            EngineUnavailable: The engine cannot be reached.
        """
        await self._submit_unknown()
        await self._heed_cancellations()
        await self._end_parked()
        if self._rounds % _ROUNDS_BETWEEN_PRUNINGS == 0:
            await self._engine.prune(finished_before=datetime.now(UTC) - _KEPT)
        self._rounds += 1

    async def _submit_unknown(self) -> None:
        def going_on(alias: str) -> list[AgentRun]:
            now = timezone.now()
            waits = Q(status=RunStatus.QUEUED, created_at__lt=now - timedelta(seconds=_YOUNG_S))
            is_on = Q(status=RunStatus.RUNNING, started_at__lt=now - timedelta(seconds=_LONG_S))
            rows = AgentRun.objects.using(alias).filter(waits | is_on, cancel_requested_at=None)
            return list(rows.order_by("created_at").defer("input", "output", "metadata")[:_AT_ONCE])

        found = await self._database.run(going_on)
        known: set[str] = set()
        for status in (EngineStatus.QUEUED, EngineStatus.RUNNING) if found else ():
            known.update(info.run_id for info in await self._engine.runs(status=status, limit=_AT_ONCE * 2))
        for run in found:
            if str(run.pk) in known:
                continue
            info = await self._engine.status(str(run.pk))
            if info is None:
                await self._engine.submit(request_of(run))
                _LOGGER.warning("run %s was never submitted to the engine, and is by now", run.pk)
            elif info.status in _GIVEN_UP:
                await self._engine.retry(info.run_id)
                _LOGGER.warning("run %s, which no worker could take up, is tried again", run.pk)

    async def _heed_cancellations(self) -> None:
        def asked(alias: str) -> list[UUID]:
            rows = AgentRun.objects.using(alias).filter(status__in=UNDER_WAY).exclude(cancel_requested_at=None)
            return list(rows.values_list("pk", flat=True)[:_AT_ONCE])

        for run_id in await self._database.run(asked):
            await self._engine.cancel(str(run_id))
            info = await self._engine.status(str(run_id))
            if info is None or info.status.is_over:
                await self._database.run(partial(_end, run_id=run_id, status=RunStatus.CANCELLED, words=None))

    async def _end_parked(self) -> None:
        for info in await self._engine.runs(status=EngineStatus.PARKED, limit=_AT_ONCE):
            await self._database.run(
                partial(_end, run_id=UUID(info.run_id), status=RunStatus.FAILED, words=_words(info))
            )


def _words(info: RunInfo) -> str:
    return f"the run was begun {info.attempts} times and has ended its workers each time; it is left alone"


def _end(alias: str, *, run_id: UUID, status: RunStatus, words: str | None) -> None:
    run = locked_run(alias, run_id)
    if run is None or run.is_terminal:
        return
    if words is None:
        end_unbegun(alias, run, status)
        return
    error = {"type": "Parked", "message": words, "stack": "", "retriable": False, "details": {}}
    facts = {"attempt": run.attempt, "max_attempts": run.max_attempts, "retriable": False}
    told = {"error": words, "error_type": "Parked", "error_details": {}, **facts}
    end_unbegun(alias, run, status, event=(EventType.RUN_FAILED.value, told), error=error)
    _LOGGER.error("run %s of %r: %s", run.pk, run.agent_key, words)
