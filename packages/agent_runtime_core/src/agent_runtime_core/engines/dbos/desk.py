"""Where runs are handed in, taken back, handed in again and thrown away, from any process."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from dbos import DBOSClient, DBOSPortableJSONSerializer, EnqueueOptions
from sqlalchemy import Connection

from agent_runtime_core.engines.dbos.database import Database
from agent_runtime_core.engines.dbos.json_text import to_text
from agent_runtime_core.engines.dbos.names import APPLICATION, PROTOCOL, QUEUE, WORKFLOW
from agent_runtime_core.engines.dbos.times import as_microseconds, now
from agent_runtime_core.interfaces.runs import RunRequest, RunStatus

__all__ = ["Desk", "Refusal"]

_INSERT = """
    INSERT INTO {runs} (run_id, agent_key, order_key, request, submitted_at, due_at)
    VALUES (:run_id, :agent_key, :order_key, :request, :submitted_at, :due_at)
    ON CONFLICT (run_id) DO NOTHING RETURNING number
"""
_TAKE_BACK = """
    UPDATE {workflow_status}
    SET status = 'CANCELLED', queue_name = NULL, owner_xid = NULL, updated_at = :ms, completed_at = :ms
    WHERE workflow_uuid = :run_id AND status IN ('ENQUEUED', 'DELAYED') RETURNING 1
"""
_ASK_TO_STOP = """
    UPDATE {runs} SET cancel_asked_at = coalesce(cancel_asked_at, :now)
    WHERE run_id = :run_id AND end_status IS NULL RETURNING 1
"""
_CANCELLED = "UPDATE {runs} SET end_status = 'cancelled', finished_at = :now WHERE run_id = :run_id"
_LOCK = "UPDATE {workflow_status} SET updated_at = updated_at WHERE workflow_uuid = :run_id RETURNING status"
_RENEW = """
    UPDATE {runs}
    SET end_status = NULL, result = NULL, error = NULL, finished_at = NULL, cancel_asked_at = NULL, interruptions = 0
    WHERE run_id = :run_id
"""
_FINISHED = """
    SELECT r.run_id FROM {runs} r LEFT JOIN {workflow_status} w ON w.workflow_uuid = r.run_id
    WHERE r.finished_at < :before AND (w.status IS NULL OR w.status <> 'PENDING') LIMIT :limit
"""
_FORGET = "DELETE FROM {runs} WHERE run_id IN :ids AND finished_at < :before RETURNING run_id"
_ROWS_OF_DBOS = ("workflow_input", "workflow_output", "operation_outputs", "workflow_status")
_OUR_ROWS = ("run_events", "run_steps")

_PRUNED_AT_ONCE = 500
_PRIORITIES = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a run is not retried."""

    status: RunStatus | None = None
    """How it stands; None when there is no such run."""
    is_ending: bool = False
    """Its end is there, and DBOS does not know of it yet: ask again."""


class Desk:
    """Takes runs in. All methods block, and may be repeated when their outcome is not known.

    Args:
        database: Where to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._client = DBOSClient(
            system_database_engine=database.engine,
            dbos_system_schema=database.address.schema,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            lazy=True,
            retry_connection_errors=False,
        )

    def register_queue(self, poll_s: float, concurrency: int | None = None) -> None:
        """Make the queue, if it is missing, so that workers find it when they start.

        With `concurrency` it is what a worker goes by in the moment between its start and its own settings.
        """
        self._client.register_queue(
            QUEUE,
            partition_concurrency=1,
            worker_concurrency=concurrency,
            polling_interval_sec=poll_s,
            on_conflict="never_update" if concurrency is None else "always_update",
        )

    def close(self) -> None:
        """Free what the client holds; the database's connections are not its own."""
        self._client.destroy()

    def submit(self, connection: Connection, request: RunRequest, at: datetime | None) -> None:
        """Take a run over, unless it is there."""
        submitted_at = now()
        due_at = None if at is None else as_microseconds(at)
        number = connection.execute(
            self._database.sql(_INSERT),
            {
                "run_id": request.run_id,
                "agent_key": request.agent_key,
                "order_key": request.order_key,
                "request": to_text(asdict(request)),
                "submitted_at": submitted_at,
                "due_at": due_at,
            },
        ).scalar_one_or_none()
        if number is not None:
            self._enqueue(connection, request.run_id, request.order_key, number, due_at)

    def cancel(self, connection: Connection, run_id: str) -> bool:
        """Ask a run to stop, and end one that is not on. Says whether it was under way."""
        values = {"run_id": run_id, "now": now(), "ms": now() // 1000}
        waited = connection.execute(self._database.sql(_TAKE_BACK), values).scalar_one_or_none() is not None
        if connection.execute(self._database.sql(_ASK_TO_STOP), values).scalar_one_or_none() is None:
            return False
        if waited:
            connection.execute(self._database.sql(_CANCELLED), values)
        return True

    def retry(self, connection: Connection, run_id: str) -> Refusal | None:
        """Put a run that is over back into its line, at the end; None when that was done."""
        values = {"run_id": run_id}
        status = connection.execute(self._database.sql(_LOCK), values).scalar_one_or_none()
        row = connection.execute(
            self._database.sql("SELECT order_key, end_status FROM {runs} WHERE run_id = :run_id"), values
        ).one_or_none()
        if row is None:
            return Refusal()
        if row.end_status is None and status in ("DELAYED", "ENQUEUED", "PENDING"):
            return Refusal(status=RunStatus.RUNNING if status == "PENDING" else RunStatus.QUEUED)
        if row.end_status == RunStatus.SUCCEEDED.value:
            return Refusal(status=RunStatus.SUCCEEDED)
        if status == "PENDING":
            return Refusal(status=RunStatus.RUNNING, is_ending=True)
        # DBOS does not begin again what it has ended; its row is made anew, and the journal is ours.
        self._delete(connection, _ROWS_OF_DBOS, [run_id])
        connection.execute(self._database.sql(_RENEW), values)
        last: int = connection.execute(self._database.sql("SELECT max(number) FROM {runs}")).scalar_one()
        self._enqueue(connection, run_id, row.order_key, last + 1, None)
        return None

    def prune(self, connection: Connection, before: datetime) -> int:
        """Forget some of the runs that were over by then, and say how many; 0 when there are no more."""
        values = {"before": as_microseconds(before), "limit": _PRUNED_AT_ONCE}
        found = list(connection.execute(self._database.sql(_FINISHED), values).scalars())
        if not found:
            return 0
        # Once more with the condition: somebody may have just retried one.
        forget = self._database.sql(_FORGET, "ids")
        run_ids = list(connection.execute(forget, {"ids": found, "before": values["before"]}).scalars())
        if run_ids:
            self._delete(connection, (*_ROWS_OF_DBOS, *_OUR_ROWS), run_ids)
        return len(run_ids)

    def _enqueue(self, connection: Connection, run_id: str, order_key: str, number: int, due_at: int | None) -> None:
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": run_id,
            "app_version": PROTOCOL,
            "queue_partition_key": order_key,
            # The order of a line. DBOS has milliseconds for it, in which several runs may be handed in.
            "priority": (number - 1) % _PRIORITIES + 1,
        }
        if due_at is not None:
            options["delay_seconds"] = (due_at - now()) / 1_000_000
        self._client.enqueue_in_transaction(connection, options)

    def _delete(self, connection: Connection, tables: tuple[str, ...], run_ids: list[str]) -> None:
        for table in tables:
            key = "workflow_uuid" if table in _ROWS_OF_DBOS else "run_id"
            statement = self._database.sql(f"DELETE FROM {{{table}}} WHERE {key} IN :ids", "ids")
            connection.execute(statement, {"ids": run_ids})
