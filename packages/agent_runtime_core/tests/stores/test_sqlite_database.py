"""Jobs on the connection of a SQLite store: each gets its own outcome, and a broken connection is replaced."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.stores.sqlite.database import Database
from agent_runtime_core.stores.sqlite.job import Job

Work = Callable[[sqlite3.Cursor], Any]


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def outcomes(database: Database, loop: asyncio.AbstractEventLoop, *work: Work, writes: bool = True) -> list[Any]:
    """What the jobs give that are run together: their results, or their errors."""
    jobs = [Job(piece, (), writes, loop, loop.create_future()) for piece in work]
    database.run(jobs)
    return [job.result if job.error is None else job.error for job in jobs]


def remember(text: str) -> Work:
    return lambda cursor: cursor.execute("INSERT INTO messages (body) VALUES (?)", (text,)).rowcount


def remembered(cursor: sqlite3.Cursor) -> list[str]:
    return [text for (text,) in cursor.execute("SELECT body FROM messages")]


def break_down(cursor: sqlite3.Cursor) -> None:
    cursor.execute("INSERT INTO messages (body) VALUES ('half')")
    raise MemoryError("no room")


def break_the_connection(cursor: sqlite3.Cursor) -> None:
    cursor.connection.close()
    raise sqlite3.OperationalError("the connection is gone")


@pytest.mark.parametrize("name", ["journeys.db", ":memory:"])
def test_a_job_that_fails_undoes_its_own_work_only(tmp_path: Path, loop: asyncio.AbstractEventLoop, name: str) -> None:
    database = Database(
        name if name == ":memory:" else str(tmp_path / name), synchronous="NORMAL", busy_timeout_ms=0, clock=time.time
    )

    first, failure, last = outcomes(database, loop, remember("a"), break_down, remember("b"))

    assert (first, last) == (1, 1)
    assert isinstance(failure, StoreUnavailable)
    assert "could not be used: MemoryError: no room. Nothing was written." in str(failure)
    assert outcomes(database, loop, remembered, writes=False) == [["a", "b"]]
    database.close()


def test_an_error_of_sqlite_does_not_empty_a_database_in_memory(loop: asyncio.AbstractEventLoop) -> None:
    database = Database(":memory:", synchronous="NORMAL", busy_timeout_ms=0, clock=time.time)
    outcomes(database, loop, remember("a"))

    (failure,) = outcomes(database, loop, lambda cursor: cursor.execute("nonsense"))

    assert "OperationalError" in str(failure)
    assert outcomes(database, loop, remembered, writes=False) == [["a"]]
    database.close()


@pytest.mark.parametrize("writes", [True, False])
def test_a_broken_connection_is_replaced(tmp_path: Path, loop: asyncio.AbstractEventLoop, writes: bool) -> None:
    database = Database(str(tmp_path / "journeys.db"), synchronous="NORMAL", busy_timeout_ms=0, clock=time.time)
    outcomes(database, loop, remember("a"))

    (failure,) = outcomes(database, loop, break_the_connection, writes=writes)

    assert "the connection is gone" in str(failure)
    assert outcomes(database, loop, remembered, writes=False) == [["a"]]
    database.close()
