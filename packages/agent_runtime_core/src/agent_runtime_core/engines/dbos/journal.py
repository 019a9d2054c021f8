"""What a run writes while it is on: that it begins, its steps and events, its end. Only its owner can.

A worker owns a run through the token that DBOS has written into the run's row when it was claimed. Every write holds
that row, and writes nothing when another token is there: a worker that was thought dead and wakes up changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from agent_runtime_core.engines.dbos.database import Database
from agent_runtime_core.engines.dbos.json_text import from_text, to_text
from agent_runtime_core.engines.dbos.times import now
from agent_runtime_core.engines.execution import EndRecord

__all__ = ["Entry", "Journal", "Take", "Told"]

_CLAIMED = "workflow_uuid = :run_id AND status = 'PENDING' AND executor_id = :worker AND owner_xid IS NOT NULL"
_OWNED = "workflow_uuid = :run_id AND owner_xid = :owner"

# A claim is counted once, however often it is told; a run that has ended is only to be put away.
_BEGUN = """
    attempts = attempts + CASE WHEN owner = {owner} OR end_status IS NOT NULL THEN 0 ELSE 1 END,
    owner = {owner}, worker = :worker, started_at = coalesce(started_at, :now)
"""
_TAKEN = "request, attempts, interruptions, cancel_asked_at, end_status"

_TAKE_AT_ONCE = f"""
    WITH claim AS (SELECT owner_xid FROM {{workflow_status}} WHERE {_CLAIMED} FOR NO KEY UPDATE)
    UPDATE {{runs}} SET {_BEGUN.format(owner="claim.owner_xid")}
    FROM claim WHERE run_id = :run_id RETURNING {_TAKEN}, owner
"""
_HOLD_CLAIM = f"UPDATE {{workflow_status}} SET owner_xid = owner_xid WHERE {_CLAIMED} RETURNING owner_xid"
_TAKE = f"UPDATE {{runs}} SET {_BEGUN.format(owner=':owner')} WHERE run_id = :run_id RETURNING {_TAKEN}, owner"

_HOLD = f"UPDATE {{workflow_status}} SET owner_xid = owner_xid WHERE {_OWNED} RETURNING 1"
_PARTS = {
    "step": (
        "INSERT INTO {run_steps} (run_id, name, result)",
        "SELECT CAST(:run_id AS TEXT), CAST(:name AS TEXT), CAST(:result AS TEXT)",
    ),
    "told": (
        "INSERT INTO {run_events} (run_id, first, last, events)",
        "SELECT CAST(:run_id AS TEXT), CAST(:first AS BIGINT), CAST(:last AS BIGINT), CAST(:events AS TEXT)",
    ),
}
_SETS = {
    "attempts": "attempts = :attempts, interruptions = 0",
    "ended": "attempts = :attempts, end_status = :end_status, result = :end_result, error = :error, finished_at = :now",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """A run that a worker has begun, or has taken up from another."""

    owner: str
    """The token of this claim."""
    request: dict[str, Any]
    attempts: int
    interruptions: int
    """How often in a row it has lost its worker without getting on."""
    is_cancel_asked: bool
    is_over: bool
    """Whether its end is written down, and only DBOS does not know yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was told and done before, by other attempts."""

    steps: dict[str, Any]
    events: list[dict[str, Any]]
    """Each `{"id": str, "event": {...}}`, oldest first, deltas left out."""
    last: int
    """The offset of the last event, deltas included."""


@dataclass(slots=True, kw_only=True)
class Entry:
    """What is to be written together. All of it or nothing is."""

    step: tuple[str, Any] | None = None
    """A step's name and its result."""
    after: int = 0
    """The offset of the last event before `events`."""
    events: list[dict[str, Any]]
    """Each `{"id": str, "event": {...}}`, or without id for a delta."""
    attempts: int | None = None
    """The number of attempts, when it has changed or the run has got on after interruptions."""
    end: EndRecord | None = None


class Journal:
    """Writes of runs that are on. All methods block, and may be repeated when their outcome is not known.

    Args:
        database: Where to.
        worker: The name of this process, by which DBOS claims.
    """

    def __init__(self, database: Database, worker: str) -> None:
        self._database = database
        self._worker = worker
        self.is_alone = database.is_postgresql
        """Whether `take` and `write` are one statement each, and need no transaction around them."""

    def take(self, connection: Connection, run_id: str) -> Take | None:
        """Begin a run that DBOS has claimed for this process; None when it has it no more."""
        values = {"run_id": run_id, "worker": self._worker, "now": now()}
        if self._database.is_postgresql:
            row = connection.execute(self._database.sql(_TAKE_AT_ONCE), values).one_or_none()
        else:
            owner = connection.execute(self._database.sql(_HOLD_CLAIM), values).scalar_one_or_none()
            if owner is None:
                return None
            row = connection.execute(self._database.sql(_TAKE), {**values, "owner": owner}).one_or_none()
        if row is None:
            return None
        return Take(
            owner=row.owner,
            request=from_text(row.request),
            attempts=row.attempts,
            interruptions=row.interruptions,
            is_cancel_asked=row.cancel_asked_at is not None,
            is_over=row.end_status is not None,
        )

    def told(self, connection: Connection, run_id: str) -> Told:
        """What earlier attempts have left."""
        values = {"run_id": run_id}
        steps = connection.execute(
            self._database.sql("SELECT name, result FROM {run_steps} WHERE run_id = :run_id"), values
        )
        results = {row.name: from_text(row.result) for row in steps}
        batches = connection.execute(
            self._database.sql("SELECT last, events FROM {run_events} WHERE run_id = :run_id ORDER BY first"), values
        ).all()
        events = [entry for batch in batches for entry in from_text(batch.events) if "id" in entry]
        return Told(steps=results, events=events, last=batches[-1].last if batches else 0)

    def write(self, connection: Connection, run_id: str, owner: str, entry: Entry) -> bool:
        """Write the entry, and say whether the run is still this owner's. If it is not, nothing was written."""
        parts, values = _parts_and_values(entry)
        values |= {"run_id": run_id, "owner": owner}
        if self._database.is_postgresql:
            statement = self._database.sql(_at_once(parts))
            return connection.execute(statement, values).scalar_one_or_none() is not None
        if connection.execute(self._database.sql(_HOLD), values).scalar_one_or_none() is None:
            return False
        for part in parts:
            connection.execute(self._database.sql(_alone(part)), values)
        return True


def _parts_and_values(entry: Entry) -> tuple[tuple[str, ...], dict[str, Any]]:
    parts: list[str] = []
    values: dict[str, Any] = {}
    if entry.step is not None:
        parts.append("step")
        values |= {"name": entry.step[0], "result": to_text(entry.step[1])}
    if entry.events:
        parts.append("told")
        last = entry.after + len(entry.events)
        values |= {"first": entry.after + 1, "last": last, "events": to_text(entry.events)}
    if entry.end is not None:
        parts.append("ended")
        end = entry.end
        values |= {
            "attempts": entry.attempts,
            "end_status": end.status.value,
            "end_result": None if end.result is None else to_text(end.result),
            "error": None if end.error is None else to_text(end.error),
            "now": now(),
        }
    elif entry.attempts is not None:
        parts.append("attempts")
        values["attempts"] = entry.attempts
    return tuple(parts), values


def _at_once(parts: tuple[str, ...]) -> str:
    """One statement for PostgreSQL, which holds the claim and writes all parts if it is held."""
    clauses = [f"claim AS (SELECT 1 AS held FROM {{workflow_status}} WHERE {_OWNED} FOR NO KEY UPDATE)"]
    for part in parts:
        if part in _SETS:
            work = f"UPDATE {{runs}} SET {_SETS[part]} FROM claim WHERE run_id = :run_id"
        else:
            insert, select = _PARTS[part]
            work = f"{insert} {select} FROM claim ON CONFLICT DO NOTHING"
        clauses.append(f"{part} AS ({work})")
    return f"WITH {', '.join(clauses)} SELECT held FROM claim"


def _alone(part: str) -> str:
    """The statement of one part for SQLite, within a transaction that holds the claim."""
    if part in _SETS:
        return f"UPDATE {{runs}} SET {_SETS[part]} WHERE run_id = :run_id"
    insert, select = _PARTS[part]
    return f"{insert} {select} WHERE true ON CONFLICT DO NOTHING"
