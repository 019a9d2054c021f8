"""A SQLite file of an earlier version is upgraded when it is opened: whole or not at all, by one process or by many."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces import Begun, Checkpoint
from agent_runtime_core.stores import SQLiteCheckpointStore

VERSION_1 = """
PRAGMA journal_mode = wal;
CREATE TABLE conversations (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    message_count INTEGER NOT NULL
);
CREATE TABLE states (
    conversation INTEGER NOT NULL,
    agent_key TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (conversation, agent_key)
);
CREATE TABLE messages (
    key INTEGER PRIMARY KEY, -- conversation number * 2^32 + position
    body TEXT NOT NULL
);
CREATE VIEW history AS
    SELECT id AS conversation_id, key & 0xFFFFFFFF AS position, body
    FROM conversations JOIN messages ON key BETWEEN number << 32 AND (number << 32) + 0xFFFFFFFF;
INSERT INTO conversations VALUES (1, 'talk', 7, 3), (2, CAST(x'EDA0BD' AS BLOB), 2, 1), (4, 'empty', 1, 0);
INSERT INTO states VALUES (1, 'sales', '{"step":"name"}'), (2, 'sales', '{}'), (1, 'claims', '{"n":1}');
INSERT INTO messages VALUES
    ((1 << 32) + 0, '{"role":"user","content":"hi"}'),
    ((1 << 32) + 1, '{"role":"assistant","content":"é"}'),
    ((1 << 32) + 2, '{"role":"user","content":"ho"}'),
    ((2 << 32) + 0, '{"role":"user","content":"other"}');
PRAGMA application_id = 0x41525443;
PRAGMA user_version = 1;
"""
MESSAGES = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": "é"},
    {"role": "user", "content": "ho"},
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file as version 1 of the tables had it."""
    with closing(sqlite3.connect(tmp_path / "journeys.db")) as connection:
        connection.executescript(VERSION_1)
    return tmp_path / "journeys.db"


def rows(path: Path) -> dict[str, Any]:
    """All that is in the file."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in sorted(names)}
        found["user_version"] = connection.execute("PRAGMA user_version").fetchall()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return found


async def assert_it_is_all_there(path: Path) -> None:
    async with SQLiteCheckpointStore(path) as store:
        sales = Checkpoint(version=7, state={"step": "name"}, messages=MESSAGES, message_count=3)
        assert await store.load("talk", "sales") == sales
        assert (await store.load("talk", "claims")).state == {"n": 1}
        assert await store.load("\ud83d", "sales") == Checkpoint(
            version=2, state={}, messages=[{"role": "user", "content": "other"}], message_count=1
        )
        assert await store.load("empty", "sales") == Checkpoint(version=1)
        infos = await store.conversations()
        assert [(info.owner, info.conversation_id, info.version, info.agent_keys) for info in infos] == [
            ("", "empty", 1, ()),
            ("", "talk", 7, ("claims", "sales")),
            ("", "\ud83d", 2, ("sales",)),
        ]


async def test_a_file_of_version_1_is_upgraded_with_all_that_is_in_it(path: Path) -> None:
    await assert_it_is_all_there(path)

    assert rows(path)["user_version"] == [(2,)]
    await assert_it_is_all_there(path)


async def test_an_upgraded_conversation_goes_on_and_can_be_gone_back_to(path: Path) -> None:
    async with SQLiteCheckpointStore(path) as store:
        assert [info.version for info in await store.versions("talk")] == [7]

        # When: a run in it
        message = {"role": "user", "content": "again"}
        begun = await store.begin("talk", "sales", message=message, message_id="1", remember=False, lease_seconds=60)
        assert isinstance(begun, Begun)
        assert begun.checkpoint.messages == [*MESSAGES, message]
        await store.commit("talk", "sales", expected_version=8, state={"step": "email"}, lease=begun.lease, finish={})

        # Then: the version of the upgrade is there to go back to, with the states of all agents
        assert await store.fork("talk", "copy", version=7) == 7
        assert await store.rewind("talk", 7) == 10
        for name in ("talk", "copy"):
            assert (await store.load(name, "sales")).state == {"step": "name"}
            assert (await store.load(name, "claims")).state == {"n": 1}
            assert await store.history(name) == MESSAGES


async def test_an_upgrade_that_breaks_off_leaves_the_file_as_it_was(path: Path) -> None:
    # Given: a file in which a table of the next version cannot be made
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE receipts (something_else)")
    before = rows(path)

    # When
    async with SQLiteCheckpointStore(path) as store:
        with pytest.raises(StoreUnavailable, match="table receipts already exists"):
            await store.load("talk", "sales")

    # Then
    assert rows(path) == before
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE receipts")
    await assert_it_is_all_there(path)


KILLED_AT = """
import asyncio, os, signal, sqlite3, sys
from agent_runtime_core.stores import SQLiteCheckpointStore

statements = 0

def seen(statement):
    global statements
    statements += 1
    if statements == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

connect = sqlite3.connect

def traced(*arguments, **options):
    connection = connect(*arguments, **options)
    if "mode=rw" in arguments[0]:
        connection.set_trace_callback(seen)
    return connection

sqlite3.connect = traced

async def main():
    async with SQLiteCheckpointStore(sys.argv[1]) as store:
        await store.load("talk", "sales")

asyncio.run(main())
print("done")
"""


def test_a_process_that_is_killed_at_any_statement_of_an_upgrade_leaves_a_whole_file(path: Path) -> None:
    # Given: the file as it was, for each statement that opening it takes
    original = path.with_name("original.db")
    shutil.copy(path, original)
    before = rows(original)
    versions = []
    for statement in range(1, 200, 3):
        for file in path.parent.glob("journeys.db*"):
            file.unlink()
        shutil.copy(original, path)

        # When: the process is killed before it
        finished = subprocess.run([sys.executable, "-c", KILLED_AT, str(path), str(statement)], capture_output=True)
        if finished.returncode == 0:
            break
        assert finished.returncode == -signal.SIGKILL, finished.stderr

        # Then: the file is of the one version or of the other
        found = rows(path)
        versions.append(found["user_version"][0][0])
        if versions[-1] == 1:
            assert found == before
    assert versions[0] == 1
    assert versions[-1] == 2
    assert versions == sorted(versions)
    assert versions.count(1) > 5
    asyncio.run(assert_it_is_all_there(path))


OPEN_TOGETHER = """
import asyncio, sys
from agent_runtime_core.stores import SQLiteCheckpointStore

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    async with SQLiteCheckpointStore(sys.argv[1], busy_timeout_ms=60_000) as store:
        print((await store.load("talk", "sales")).version)
        await store.commit("talk", "sales", expected_version=None)

asyncio.run(main())
"""


@pytest.mark.parametrize("attempt", range(3))
def test_processes_that_upgrade_at_once_do_it_once(path: Path, attempt: int) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_TOGETHER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    said = [process.communicate() for process in processes]

    assert [error for _, error in said] == [""] * 3
    assert all(int(version) >= 7 for version, _ in said)
    found = rows(path)
    assert found["user_version"] == [(2,)]
    assert sorted(name for name in found if name.endswith("_1")) == []
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version FROM conversations WHERE number = 1").fetchall() == [(10,)]
