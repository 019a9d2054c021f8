"""Runs as they stand in the tables, read from any process."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from agent_runtime_core.engines.dbos.database import Database
from agent_runtime_core.engines.dbos.json_text import from_text
from agent_runtime_core.engines.dbos.times import as_datetime, now
from agent_runtime_core.interfaces.runs import RunInfo, RunRequest, RunStatus

__all__ = ["Records"]

_SELECT = """
    SELECT r.run_id, r.request, r.submitted_at, r.due_at, r.started_at, r.finished_at, r.attempts, r.cancel_asked_at,
           r.worker, r.end_status, r.result, r.error, w.status
    FROM {runs} r LEFT JOIN {workflow_status} w ON w.workflow_uuid = r.run_id
"""

_STATUS = {
    "DELAYED": RunStatus.SCHEDULED,
    "ENQUEUED": RunStatus.QUEUED,
    "PENDING": RunStatus.RUNNING,
    "CANCELLED": RunStatus.CANCELLED,
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": RunStatus.PARKED,
}
_UNDER_WAY = {RunStatus.SCHEDULED: "DELAYED", RunStatus.QUEUED: "ENQUEUED", RunStatus.RUNNING: "PENDING"}

_BATCHES_AT_ONCE = 100

_GONE = {
    "type": "Interrupted",
    "message": "the engine's own record of the run ended without one of ours",
    "retriable": True,
}


class Records:
    """Reads. All methods block.

    Args:
        database: Where from.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def info(self, connection: Connection, run_id: str) -> RunInfo | None:
        """How a run stands."""
        statement = self._database.sql(f"{_SELECT} WHERE r.run_id = :run_id")
        row = connection.execute(statement, {"run_id": run_id}).one_or_none()
        return None if row is None else _info(row)

    def infos(
        self,
        connection: Connection,
        *,
        status: RunStatus | None,
        order_key: str | None,
        agent_key: str | None,
        limit: int,
        offset: int,
    ) -> list[RunInfo]:
        """The runs that there are, those submitted last first."""
        conditions = ["true"]
        values: dict[str, Any] = {"limit": limit, "offset": offset}
        if status in _UNDER_WAY:
            conditions.append("r.end_status IS NULL AND w.status = :status")
            values["status"] = _UNDER_WAY[status]
        elif status is not None:
            conditions.append("r.end_status = :status")
            values["status"] = status.value
        if order_key is not None:
            conditions.append("r.order_key = :order_key")
            values["order_key"] = order_key
        if agent_key is not None:
            conditions.append("r.agent_key = :agent_key")
            values["agent_key"] = agent_key
        where = " AND ".join(conditions)
        statement = self._database.sql(f"{_SELECT} WHERE {where} ORDER BY r.number DESC LIMIT :limit OFFSET :offset")
        return [_info(row) for row in connection.execute(statement, values)]

    def events(
        self, connection: Connection, run_id: str, after: int
    ) -> tuple[bool | None, list[tuple[int, dict[str, Any]]]]:
        """Whether the run is over (None: there is none), and the next of its events, each with its offset.

        When it is over and there are none, no more will come.
        """
        # In this order: what a run tells is there before its end is.
        info = self.info(connection, run_id)
        statement = self._database.sql(
            "SELECT first, events FROM {run_events} WHERE run_id = :run_id AND last > :after "
            "ORDER BY first LIMIT :limit"
        )
        values = {"run_id": run_id, "after": after, "limit": _BATCHES_AT_ONCE}
        found = [
            (offset, entry["event"])
            for batch in connection.execute(statement, values)
            for offset, entry in enumerate(from_text(batch.events), batch.first)
            if offset > after
        ]
        return None if info is None else info.status.is_over, found

    def marks(self, connection: Connection, run_ids: list[str]) -> dict[str, tuple[Any, Any]]:
        """For each run what changes when it stands otherwise, and what changes when there are more events."""
        statement = self._database.sql(
            "SELECT r.run_id, r.end_status, w.status, "
            "(SELECT max(e.first) FROM {run_events} e WHERE e.run_id = r.run_id) AS first "
            "FROM {runs} r LEFT JOIN {workflow_status} w ON w.workflow_uuid = r.run_id WHERE r.run_id IN :ids",
            "ids",
        )
        rows = connection.execute(statement, {"ids": run_ids})
        return {row.run_id: ((row.end_status, row.status), row.first) for row in rows}

    def counts(self, connection: Connection) -> tuple[dict[RunStatus, int], float]:
        """How many runs are under way or parked, and how many seconds the oldest queued one has waited."""
        statement = self._database.sql(
            "SELECT w.status, count(*) AS number, min(coalesce(r.due_at, r.submitted_at)) AS oldest "
            "FROM {workflow_status} w JOIN {runs} r ON r.run_id = w.workflow_uuid "
            "WHERE w.status IN ('DELAYED', 'ENQUEUED', 'PENDING') AND r.end_status IS NULL GROUP BY w.status"
        )
        counts = dict.fromkeys(RunStatus, 0)
        waited_s = 0.0
        for row in connection.execute(statement):
            counts[_STATUS[row.status]] = row.number
            if row.status == "ENQUEUED":
                waited_s = max(0.0, (now() - row.oldest) / 1_000_000)
        parked = self._database.sql("SELECT count(*) FROM {runs} WHERE end_status = 'parked'")
        counts[RunStatus.PARKED] = connection.execute(parked).scalar_one()
        return counts, waited_s


def _info(row: Row[Any]) -> RunInfo:
    ended = row.end_status is not None
    status = RunStatus(row.end_status) if ended else _STATUS.get(row.status, RunStatus.FAILED)
    error = from_text(row.error) if row.error is not None else None
    if error is None and status is RunStatus.FAILED:
        error = _GONE
    return RunInfo(
        request=RunRequest(**from_text(row.request)),
        status=status,
        submitted_at=as_datetime(row.submitted_at),
        due_at=None if row.due_at is None else as_datetime(row.due_at),
        started_at=None if row.started_at is None else as_datetime(row.started_at),
        finished_at=None if row.finished_at is None else as_datetime(row.finished_at),
        attempts=row.attempts,
        result=None if row.result is None else from_text(row.result),
        error=error,
        is_cancel_requested=row.cancel_asked_at is not None,
        worker=row.worker,
    )
