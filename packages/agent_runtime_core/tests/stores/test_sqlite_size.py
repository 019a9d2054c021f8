"""What a call costs depends on what it gives, not on what is stored: counted in SQLite's own steps, not in time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.stores import SQLiteCheckpointStore
from agent_runtime_core.stores.sqlite import listing, loading, runs
from agent_runtime_core.stores.sqlite.line import Arrival

SMALL, LARGE = 10, 1_000_000

FILL = """
    WITH RECURSIVE n(position) AS (VALUES (0) UNION ALL SELECT position + 1 FROM n WHERE position < ? - 1)
    INSERT INTO {} FROM n
"""


async def begun(path: Path, name: str) -> None:
    async with SQLiteCheckpointStore(path) as store:
        await store.commit(name, "agent", expected_version=0, state={"n": 1})


def filled(path: Path, name: str, count: int) -> None:
    """A conversation as `count` commits of a message each would have left it, with an answered id for each."""
    asyncio.run(begun(path, name))
    with closing(sqlite3.connect(path)) as connection, connection:
        ((number,),) = connection.execute("SELECT number FROM conversations WHERE id = ?", (name.encode(),)).fetchall()
        first = number << 32
        body = """{"role":"user","content":"hello"}"""
        connection.execute(FILL.format(f"messages SELECT position + {first}, '{body}'"), (count,))
        connection.execute(
            FILL.format(f"receipts SELECT {number}, CAST(position AS BLOB), position, 1, position + 1, '{{}}'"),
            (min(count, 100_000),),
        )
        connection.execute(
            FILL.format(f"versions SELECT position + {first + 2}, position, 0, x'62', 0, '{{}}'"), (min(count, 300),)
        )
        connection.execute(
            "UPDATE conversations SET message_count = ?, version = ? WHERE number = ?", (count, count + 1, number)
        )


@pytest.fixture
def steps(tmp_path: Path) -> Any:
    """A function that tells how many steps of SQLite's machine some work takes, on a small and on a large one."""
    path = tmp_path / "journeys.db"
    filled(path, "small", SMALL)
    filled(path, "large", LARGE)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield lambda work: [counted(connection, work, name) for name in ("small", "large")]


def counted(connection: sqlite3.Connection, work: Callable[[sqlite3.Cursor, str], object], name: str) -> int:
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.set_progress_handler(step, 1)
    try:
        assert work(connection.cursor(), name)
    finally:
        connection.set_progress_handler(None, 1)
    return steps


def test_a_window_of_a_million_messages_costs_what_one_of_ten_costs(
    steps: Callable[[Callable[[sqlite3.Cursor, str], object]], list[int]],
) -> None:
    def load(cursor: sqlite3.Cursor, name: str) -> object:
        return loading.load(cursor, 200, "", name, "agent", SMALL, None)

    def history(cursor: sqlite3.Cursor, name: str) -> object:
        return loading.history(cursor, "", name, 2, 5)

    def begin(cursor: sqlite3.Cursor, name: str) -> object:
        arrival = Arrival(b"new", "{}", True, "queue", 60)
        return runs.begin(cursor, lambda: 0.0, 200, "", name, "agent", arrival, SMALL)

    def renew(cursor: sqlite3.Cursor, name: str) -> object:
        return runs.renew(cursor, lambda: 0.0, "", name, lease_of(cursor, name), 60)

    def finish(cursor: sqlite3.Cursor, name: str) -> object:
        return runs.commit(
            cursor, lambda: 0.0, None, "", name, "agent", None, (0, "{}"), ["{}"], lease_of(cursor, name), "{}"
        )

    for work in (load, history, begin, renew, finish):
        small, large = steps(work)
        assert large <= small * 1.1 + 10, work


def lease_of(cursor: sqlite3.Cursor, name: str) -> int:
    ((lease,),) = cursor.execute("SELECT lease FROM conversations WHERE id = ?", (name.encode(),)).fetchall()
    assert isinstance(lease, int)
    return lease


@pytest.fixture
def many(tmp_path: Path) -> Any:
    """The cursor of a file with 20,000 conversations of 20 owners; one of each hundred has been quiet for a day."""
    path = tmp_path / "journeys.db"
    asyncio.run(begun(path, "any"))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("DELETE FROM conversations")
        connection.executemany(
            "INSERT INTO conversations VALUES (NULL, ?, ?, 1, 0, 0.0, ?, ?, 0, 0, 0, x'', -1, 0, CAST('{}' AS BLOB))",
            (
                (b"owner %02d" % (n % 20), b"%06d" % n, 200_000.0 if n % 100 else 1.0, 2 if n % 100 else 0)
                for n in range(20_000)
            ),
        )
        connection.execute("COMMIT")
        yield connection


@pytest.mark.parametrize(
    ("owner", "before", "after"),
    [
        (None, None, None),
        (None, None, ("owner 10", "010000")),
        ("owner 10", None, None),
        ("owner 10", None, ("owner 10", "010000")),
        (None, 300_000.0, ("owner 10", "010000")),
        ("owner 10", 300_000.0, None),
        (None, 100_000.0, None),
        (None, 0.5, None),
        ("owner 00", 100_000.0, None),
    ],
)
def test_a_page_of_conversations_does_not_read_them_all(
    many: sqlite3.Connection, owner: str | None, before: float | None, after: tuple[str, str] | None
) -> None:
    def page(cursor: sqlite3.Cursor, _: str) -> object:
        found = listing.conversations(cursor, owner, before, after, 20)
        assert len(found) == (20 if before != 0.5 else 0)
        assert found == sorted(found, key=lambda info: (info.owner, info.conversation_id))
        assert all(owner in (None, info.owner) for info in found)
        return True

    # To look at all of them takes 200,000 steps and more.
    assert counted(many, page, "") < 20_000
