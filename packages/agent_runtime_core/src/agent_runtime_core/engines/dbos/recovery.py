"""What becomes of the runs of a worker that is gone: another one takes them up, or they are parked."""

from __future__ import annotations

import time

from sqlalchemy import Connection

from agent_runtime_core.engines.dbos.database import Database
from agent_runtime_core.engines.dbos.json_text import to_text
from agent_runtime_core.engines.dbos.presence import Presence
from agent_runtime_core.engines.dbos.times import now
from agent_runtime_core.interfaces.runs import RunStatus

__all__ = ["Reaper", "hand_over"]

_RELEASE = """
    UPDATE {workflow_status}
    SET status = 'ENQUEUED', owner_xid = NULL, started_at_epoch_ms = NULL, updated_at = :ms
    WHERE status = 'PENDING' AND name = 'run' AND executor_id = :worker
    RETURNING workflow_uuid
"""
_PUT_AWAY_ENDED = """
    UPDATE {workflow_status} SET status = 'SUCCESS', owner_xid = NULL, updated_at = :ms, completed_at = :ms
    WHERE status = 'PENDING' AND name = 'run' AND executor_id = :worker
    AND workflow_uuid IN (SELECT run_id FROM {runs} WHERE end_status IS NOT NULL)
"""
_INTERRUPTED = """
    UPDATE {runs} SET interruptions = interruptions + 1
    WHERE run_id IN :ids AND end_status IS NULL AND attempts > 0 RETURNING run_id, interruptions
"""
_PUT_AWAY = """
    UPDATE {workflow_status}
    SET status = 'MAX_RECOVERY_ATTEMPTS_EXCEEDED', queue_name = NULL, updated_at = :ms, completed_at = :ms
    WHERE workflow_uuid IN :ids
"""
_PARK = """
    UPDATE {runs} SET end_status = 'parked', error = :error, finished_at = :now WHERE run_id IN :ids
"""


class Reaper:
    """Takes over from the dead. All methods block.

    Args:
        database: Where the runs are.
        presence: Tells who is dead.
        worker: The name of this process.
        grace_s: So long a worker's lock has to be free.
        max_interruptions: A run that loses more workers in a row than this, without getting on, is parked.
    """

    def __init__(
        self, database: Database, presence: Presence, worker: str, *, grace_s: float, max_interruptions: int
    ) -> None:
        self._database = database
        self._presence = presence
        self._worker = worker
        self._grace_s = grace_s
        self._max_interruptions = max_interruptions
        self._seen_dead: dict[str, float] = {}

    def look_round(self) -> None:
        """Take over the runs of those who have been dead for long enough."""
        if self._presence.assure() < self._grace_s:
            return  # whoever just came back may have been gone together with all the others
        with self._database.connect() as connection:
            statement = self._database.sql(
                "SELECT DISTINCT executor_id FROM {workflow_status} "
                "WHERE status = 'PENDING' AND name = 'run' AND executor_id <> :worker"
            )
            others = set(connection.execute(statement, {"worker": self._worker}).scalars())
        for gone in set(self._seen_dead) - others:
            del self._seen_dead[gone]
        for other in others:
            if not self._presence.try_to_bury(other):
                self._seen_dead.pop(other, None)
                continue
            try:
                if time.monotonic() - self._seen_dead.setdefault(other, time.monotonic()) >= self._grace_s:
                    with self._database.engine.begin() as connection:
                        self._take_over(connection, other)
            finally:
                self._presence.release(other)

    def _take_over(self, connection: Connection, dead: str) -> None:
        run_ids = _released(self._database, connection, dead)
        if not run_ids:
            return
        counted = connection.execute(self._database.sql(_INTERRUPTED, "ids"), {"ids": run_ids}).all()
        hopeless = [row.run_id for row in counted if row.interruptions > self._max_interruptions]
        if hopeless:
            self._park(connection, hopeless)

    def _park(self, connection: Connection, run_ids: list[str]) -> None:
        message = (
            f"the process that had the run died, {self._max_interruptions + 1} times in a row, and the run did not get "
            f"on; see what it does to its workers, then retry it."
        )
        error = to_text({"type": RunStatus.PARKED.value, "message": message, "retriable": True})
        values = {"ids": run_ids, "ms": now() // 1000, "now": now(), "error": error}
        connection.execute(self._database.sql(_PUT_AWAY, "ids"), values)
        connection.execute(self._database.sql(_PARK, "ids"), values)


def hand_over(database: Database, connection: Connection, worker: str) -> None:
    """Let other workers have this one's runs at once. It counts against no run."""
    _released(database, connection, worker)


def _released(database: Database, connection: Connection, worker: str) -> list[str]:
    """The runs that are free now for other workers; those whose end is written down are only told to DBOS as over."""
    values = {"worker": worker, "ms": now() // 1000}
    connection.execute(database.sql(_PUT_AWAY_ENDED), values)
    return list(connection.execute(database.sql(_RELEASE), values).scalars())
