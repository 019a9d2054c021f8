"""The SQLite store keeps the contract: in a file, in memory, and as two stores on one file."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.errors import ConfigError, LeaseLost, StoreConflict, StoreUnavailable
from agent_runtime_core.interfaces import Begun, Removal, TurnAnswer, Waiting
from agent_runtime_core.stores import SQLiteCheckpointStore
from agent_runtime_core.stores.json_data import encoded
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


async def test_a_moment_without_a_time_zone_is_refused() -> None:
    async with SQLiteCheckpointStore(":memory:") as store:
        with pytest.raises(TypeError, match="updated_before has no time zone; give an aware datetime"):
            await store.conversations(updated_before=datetime(2026, 1, 1))


async def test_a_conversation_is_deleted_at_the_version_that_was_seen_only() -> None:
    async with SQLiteCheckpointStore(":memory:") as store:
        await store.commit("c", "agent", expected_version=0, state={"n": 1}, messages=[{"role": "user"}])
        with pytest.raises(StoreConflict):
            await store.delete("c", expected_version=2)
        with pytest.raises(StoreConflict):
            await store.delete("another", expected_version=1)
        assert await store.delete("c", expected_version=1) == Removal(conversations=1, messages=1, states=1)
        assert await store.delete("c", expected_version=0) == Removal()


async def test_a_clock_that_is_set_back_does_not_hold_a_conversation(tmp_path: Path) -> None:
    # Given: a run that began before the clock was set back by a year, and will not end
    now = 1_800_000_000.0
    async with SQLiteCheckpointStore(tmp_path / "journeys.db", clock=lambda: now) as store:
        lost = await begin(store, "1")
        assert isinstance(lost, Begun)
        now -= 365 * 86_400

        # When
        taken = await begin(store, "2")

        # Then: the next one has the conversation, and the one before is refused
        assert isinstance(taken, Begun)
        with pytest.raises(LeaseLost):
            await store.commit("c", "agent", expected_version=None, lease=lost.lease, finish={})
        now += 9
        assert await begin(store, "3") == Waiting(ahead=0)
        now += 2
        assert isinstance(await begin(store, "3"), Begun)


async def begin(store: SQLiteCheckpointStore, message_id: str) -> TurnAnswer:
    return await store.begin(
        "c", "agent", message={"role": "user"}, message_id=message_id, remember=False, lease_seconds=10
    )


async def test_a_relative_path_stays_where_it_was_first_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: a store that has been used in one directory, on a file that has to be opened again
    file, elsewhere = tmp_path / "journeys.db", tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    async with SQLiteCheckpointStore("journeys.db") as store:
        await store.commit("c", "agent", expected_version=0)
        change(file, "ALTER TABLE conversations RENAME TO lost")
        with pytest.raises(StoreUnavailable):
            await store.load("c", "agent")
        change(file, "ALTER TABLE lost RENAME TO conversations")

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


REPLIES: dict[str, list[dict[str, Any]]] = {
    "text": [{"role": "assistant", "content": "It covers storm, hail and water from pipes, with 500 euros excess."}],
    "tools": [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "look_up", "arguments": '{"policy": "HH-4711", "part": "cover"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "name": "look_up", "content": "storm, hail, water; excess 500 EUR"},
        {"role": "assistant", "content": "It covers storm, hail and water from pipes, with 500 euros excess."},
    ],
}


@pytest.mark.parametrize("kind", ["text", "tools"])
async def test_messages_take_at_most_one_and_a_half_of_their_json(tmp_path: Path, kind: str) -> None:
    # Given: three thousand runs of one conversation, whose messages come without ids of the user's
    path = tmp_path / "journeys.db"
    size = 0
    async with SQLiteCheckpointStore(path) as store:
        for n in range(3000):
            message = {"role": "user", "content": f"{n}: I would like to know more about my policy, please."}
            begun = await store.begin(
                "c", "agent", message=message, message_id=str(n), remember=False, lease_seconds=60, max_messages=0
            )
            assert isinstance(begun, Begun)
            await store.commit(
                "c",
                "agent",
                expected_version=None,
                state={"n": n},
                messages=REPLIES[kind],
                lease=begun.lease,
                finish={},
            )
            size += sum(len(encoded(each, "message")) for each in (message, *REPLIES[kind]))

    # Then: the file, with everything else in it, and nothing beside it
    assert size_of(path) <= 1.5 * size
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
        ({"path": "x.db", "keep_versions": 0}, "keep_versions is 0; give 1 or more, or None to keep all"),
    ],
)
def test_arguments_that_cannot_work_are_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        SQLiteCheckpointStore(**arguments)
