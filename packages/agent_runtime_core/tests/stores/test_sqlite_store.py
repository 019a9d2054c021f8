"""The SQLite store keeps the contract: in a file, in memory, and as two stores on one file."""

from __future__ import annotations

import itertools
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.errors import ConfigError, StoreUnavailable
from agent_runtime_core.stores import SQLiteCheckpointStore
from agent_runtime_core.testing.contracts import CheckpointStoreContract


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def size_of(file: Path) -> int:
    return file.stat().st_size


def change(file: Path, statement: str) -> None:
    """What another program does to the file."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


class TestSQLiteFile(CheckpointStoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path):
        async with SQLiteCheckpointStore(tmp_path / "journeys.db") as store:
            yield store


class TestSQLiteFileThatWaitsForTheDisk(CheckpointStoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path):
        async with SQLiteCheckpointStore(tmp_path / "journeys.db", synchronous="full") as store:
            yield store


class TestSQLiteInMemory(CheckpointStoreContract):
    @pytest.fixture
    async def store(self):
        async with SQLiteCheckpointStore(":memory:") as store:
            yield store


class TakingTurns:
    """Two stores on one file; every call goes to the other one than the call before."""

    def __init__(self, *stores: SQLiteCheckpointStore) -> None:
        self._stores = stores
        self._turns = itertools.cycle(stores)

    def __getattr__(self, name: str) -> Any:
        return getattr(next(self._turns), name)

    async def close(self) -> None:
        for store in self._stores:
            await store.close()


class TestTwoSQLiteStoresOnOneFile(CheckpointStoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path):
        path = tmp_path / "journeys.db"
        store = TakingTurns(SQLiteCheckpointStore(path), SQLiteCheckpointStore(path))
        yield store
        await store.close()


async def test_another_store_reads_what_was_stored(tmp_path: Path) -> None:
    # Given
    messages = [{"role": "user", "content": "half \ud83d an emoji"}, {"role": "assistant", "content": "é"}]
    async with SQLiteCheckpointStore(tmp_path / "journeys.db") as store:
        await store.commit("c", "agent", expected_version=0, state={"n": 1}, messages=messages)

    # When
    async with SQLiteCheckpointStore(tmp_path / "journeys.db") as store:
        checkpoint = await store.load("c", "agent")

    # Then
    assert (checkpoint.version, checkpoint.state, checkpoint.messages) == (1, {"n": 1}, messages)


async def test_a_relative_path_stays_where_it_was_first_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: a store that has been used in one directory, on a file that has to be opened again
    file, elsewhere = tmp_path / "journeys.db", tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    async with SQLiteCheckpointStore("journeys.db") as store:
        await store.commit("c", "agent", expected_version=0)
        change(file, "ALTER TABLE states RENAME TO lost")
        with pytest.raises(StoreUnavailable):
            await store.load("c", "agent")
        change(file, "ALTER TABLE lost RENAME TO states")

        # When: the process goes elsewhere
        monkeypatch.chdir(elsewhere)

        # Then
        assert (await store.load("c", "agent")).version == 1
    assert names_in(tmp_path) == ["elsewhere", "journeys.db"]
    assert names_in(elsewhere) == []


@pytest.mark.parametrize(
    "name", ["a b.db", "ä 会.db", "100%.db", "what?.db", "a#b.db", "a&b=c;d.db", "file:x.db", "%41.db"]
)
async def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    async with SQLiteCheckpointStore(tmp_path / name) as store:
        await store.commit("c", "agent", expected_version=0)

    assert names_in(tmp_path) == [name]


async def test_ordinary_messages_take_at_most_one_and_a_half_of_their_json(tmp_path: Path) -> None:
    # Given: a thousand messages, committed as a conversation brings them
    path = tmp_path / "journeys.db"
    messages = [
        {"role": ("user", "assistant")[n % 2], "content": f"{n}: I would like to know more about my policy, please."}
        for n in range(1000)
    ]

    # When
    async with SQLiteCheckpointStore(path) as store:
        for n in range(0, 1000, 2):
            await store.commit("c", "agent", expected_version=n // 2, state={"n": n}, messages=messages[n : n + 2])

    # Then: the file, with everything else in it, and nothing beside it
    assert size_of(path) <= 1.5 * sum(len(json.dumps(message)) for message in messages)
    assert names_in(tmp_path) == ["journeys.db"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"path": ""}, "path is '', which names no file"),
        ({"path": "a\0b"}, "which names no file"),
        ({"path": b"bytes.db"}, "path is of type bytes"),
        ({"path": None}, "path is of type NoneType"),
        ({"path": "x.db", "synchronous": "sometimes"}, "synchronous is 'sometimes'; give one of NORMAL, FULL"),
        ({"path": "x.db", "synchronous": 1}, "synchronous is 1; give one of"),
        ({"path": "x.db", "busy_timeout_ms": -1}, "busy_timeout_ms is -1; give milliseconds"),
        ({"path": "x.db", "busy_timeout_ms": 0.5}, "busy_timeout_ms is 0.5; give milliseconds"),
        ({"path": "x.db", "busy_timeout_ms": 10**12}, "give milliseconds"),
    ],
)
def test_arguments_that_cannot_work_are_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        SQLiteCheckpointStore(**arguments)
