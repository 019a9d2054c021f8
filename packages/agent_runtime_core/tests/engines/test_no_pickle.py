"""A row that somebody has put into DBOS's tables runs no code."""

from __future__ import annotations

import asyncio
import base64
import pickle
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from dbos._serialization import DBOSDefaultSerializer

from agent_runtime_core.engines import DurableContext, RunEnd, RunRequest
from agent_runtime_core.engines.dbos import DBOSRunEngine


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return exec, (f"open({str(self.path)!r}, 'w').close()",)


def put_into(file: Path, run_id: str, pickled: str) -> None:
    """Let the row of a run say that its input is pickled."""
    with closing(sqlite3.connect(file)) as connection, connection:
        statement = "UPDATE workflow_status SET serialization = 'py_pickle' WHERE workflow_uuid = ?"
        assert connection.execute(statement, (run_id,)).rowcount == 1
        connection.execute("DELETE FROM workflow_input WHERE workflow_uuid = ?", (run_id,))
        connection.execute("INSERT INTO workflow_input (workflow_uuid, inputs) VALUES (?, ?)", (run_id, pickled))


async def test_a_pickled_row_is_not_read_and_others_go_on(tmp_path: Path) -> None:
    async def work(ctx: DurableContext) -> RunEnd:
        return RunEnd()

    trap = tmp_path / "trapped"
    pickled = base64.b64encode(pickle.dumps(Trap(trap))).decode()
    engine = DBOSRunEngine(f"sqlite:///{tmp_path}/runs.db", poll_s=0.02)
    for run_id in ("bad", "good"):
        await engine.submit(RunRequest(run_id=run_id, agent_key="agent", order_key=run_id))
    await asyncio.to_thread(put_into, tmp_path / "runs.db", "bad", pickled)

    await engine.start(work)
    await engine.wait("good")
    await engine.stop()

    assert not trap.exists()
    with closing(sqlite3.connect(tmp_path / "runs.db")) as connection:
        rows = connection.execute("SELECT status FROM workflow_status WHERE workflow_uuid = 'bad'")
        assert rows.fetchall() == [("ERROR",)]  # DBOS has come to it, and was refused
    DBOSDefaultSerializer.deserialize(pickled)  # an application's own DBOS is left as it was
    assert trap.exists()
    await engine.close()
