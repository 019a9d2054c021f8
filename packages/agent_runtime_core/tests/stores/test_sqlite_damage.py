"""A damaged SQLite file: what cannot be read is named, the rest stays usable, and nothing crashes."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.errors import StoreConflict, StoreUnavailable
from agent_runtime_core.stores import SQLiteCheckpointStore

MESSAGES = [{"role": "user", "content": f"secret {n}"} for n in range(5)]


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A file with two conversations of five messages each."""
    async with SQLiteCheckpointStore(tmp_path / "journeys.db") as store:
        for conversation_id in ("broken", "sound"):
            await store.commit(conversation_id, "agent", expected_version=0, state={"n": 1}, messages=MESSAGES)
    return tmp_path / "journeys.db"


def damage(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement, values).rowcount == 1


async def complaint(path: Path) -> str:
    """What loading the broken conversation says; the sound one has to load."""
    async with SQLiteCheckpointStore(path) as store:
        assert (await store.load("sound", "agent")).messages == MESSAGES
        with pytest.raises(StoreUnavailable) as caught:
            await store.load("broken", "agent")
    assert caught.value.key == "broken"
    said = str(caught.value)
    assert "'broken'" in said
    assert "Restore the file from a backup, or delete the conversation." in said
    assert "secret" not in said
    return said


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('{"role": "user", "content": "secr', "Unterminated string"),
        ('{"role": "user"} and more', "there is something behind the JSON text"),
        ('{"role": "user"}, {"role": "user"}', "there is something behind the JSON text"),
        ('["a list"]', "it is no JSON object"),
        ("", "Expecting value"),
        ('{"n": NaN}', "NaN is not JSON"),
        (b'{"role": "\xff\xfe"}', "'utf-8' codec can't decode byte 0xff"),
        ("[" * 100_000, "it is nested too deeply"),
        (17, "it is no JSON object"),
    ],
)
async def test_a_damaged_message_is_named_by_its_position(path: Path, body: object, problem: str) -> None:
    damage(path, "UPDATE messages SET body = ? WHERE key = (1 << 32) + 3", body)

    said = await complaint(path)

    assert f"message 3 ({problem}" in said


async def test_damage_is_noticed_by_those_who_read_it_only(path: Path) -> None:
    damage(path, "UPDATE messages SET body = '{' WHERE key = (1 << 32) + 1")

    async with SQLiteCheckpointStore(path) as store:
        assert (await store.load("broken", "agent", max_messages=3)).messages == MESSAGES[2:]
        assert await store.history("broken", start=2) == MESSAGES[2:]
        with pytest.raises(StoreUnavailable, match=r"message 1 \("):
            await store.history("broken", limit=2)


async def test_a_missing_message_is_named_by_its_position(path: Path) -> None:
    damage(path, "DELETE FROM messages WHERE key = (1 << 32) + 4")

    assert "message 4 (it is missing)" in await complaint(path)


async def test_an_empty_message_column_is_named_by_its_position(path: Path) -> None:
    # Given: a table whose constraint somebody has removed
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            """
            DROP VIEW history;
            ALTER TABLE messages RENAME TO old;
            CREATE TABLE messages (key INTEGER PRIMARY KEY, body);
            INSERT INTO messages SELECT * FROM old;
            UPDATE messages SET body = NULL WHERE key = (1 << 32) + 2;
            """
        )

    assert "message 2 (there is nothing in it)" in await complaint(path)


@pytest.mark.parametrize("body", ["{", "[]", "", b"\xff"])
async def test_a_damaged_state_is_named(path: Path, body: object) -> None:
    damage(path, "UPDATE states SET body = ? WHERE conversation = 1", body)

    assert "the state of agent 'agent' (" in await complaint(path)


@pytest.mark.parametrize("column", ["version", "message_count"])
@pytest.mark.parametrize("value", ["many", -1, 1.5, b"1"])
async def test_a_damaged_number_is_named(path: Path, column: str, value: object) -> None:
    damage(path, f"UPDATE conversations SET {column} = ? WHERE number = 1", value)

    said = await complaint(path)

    assert "is damaged: its version or its number of messages is no such number" in said
    async with SQLiteCheckpointStore(path) as store:
        for call in (
            store.commit("broken", "agent", expected_version=None, messages=MESSAGES),
            store.delete_state("broken", "agent"),
            store.delete_messages("broken"),
            store.history("broken"),
        ):
            with pytest.raises(StoreUnavailable, match="'broken' is damaged"):
                await call


async def test_a_damaged_conversation_can_be_deleted(path: Path) -> None:
    damage(path, "UPDATE messages SET body = '{' WHERE key = (1 << 32) + 1")
    damage(path, "UPDATE states SET body = '{' WHERE conversation = 1")

    async with SQLiteCheckpointStore(path) as store:
        assert await store.delete("broken") is True
        assert await store.commit("broken", "agent", expected_version=0, messages=MESSAGES) == 1
        assert (await store.load("broken", "agent")).messages == MESSAGES


async def test_a_commit_that_damage_stops_takes_no_other_with_it(path: Path) -> None:
    # Given: a conversation with a message where the next one should go, and commits that wait for a lock together
    damage(path, "INSERT INTO messages VALUES ((1 << 32) + 5, '{}')")
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    async with SQLiteCheckpointStore(path) as store:
        names = ["sound", "broken", "new", "sound", "broken", "sound"]
        commits = asyncio.gather(
            *(store.commit(name, "agent", expected_version=None, state={"n": 2}, messages=MESSAGES) for name in names),
            store.commit("sound", "agent", expected_version=99),
            store.load("sound", "agent"),
            return_exceptions=True,
        )
        await asyncio.sleep(0)

        # When
        lock.execute("COMMIT")
        lock.close()
        outcomes: list[Any] = await commits

        # Then: each has its own outcome
        assert [outcomes[n] for n in (0, 2, 3, 5)] == [2, 1, 3, 4]
        for n in (1, 4):
            assert isinstance(outcomes[n], StoreUnavailable)
            assert "is damaged (UNIQUE constraint failed" in str(outcomes[n])
        assert isinstance(outcomes[6], StoreConflict)
        assert outcomes[7].version == 4
        # And: nothing of the damaged one was written
        checkpoint = await store.load("broken", "agent")
        assert (checkpoint.version, checkpoint.state, checkpoint.message_count) == (1, {"n": 1}, 5)


async def test_a_file_with_flipped_bytes_never_crashes_the_store(path: Path) -> None:
    # Given: the file, many times, with a few bytes changed at random places
    sound = read(path)
    chance = random.Random(20)
    outcomes = set()
    for _ in range(300):
        changed = bytearray(sound)
        for _ in range(chance.choice((1, 3, 30))):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        write(path, changed)

        # When
        async with SQLiteCheckpointStore(path, busy_timeout_ms=0) as store:
            for call in (
                store.load("broken", "agent"),
                store.commit("broken", "agent", expected_version=None, state={}, messages=MESSAGES[:1]),
                store.history("sound", start=1),
                store.delete("sound"),
            ):
                # Then: an answer, or the one error that is promised
                try:
                    await call
                    outcomes.add("answered")
                except StoreUnavailable:
                    outcomes.add("refused")
    assert outcomes == {"answered", "refused"}


def read(path: Path) -> bytes:
    return path.read_bytes()


def write(path: Path, data: bytes | bytearray) -> None:
    for file in path.parent.iterdir():
        file.unlink()
    path.write_bytes(data)
