"""A damaged SQLite file: what cannot be read is named, the rest stays usable, and nothing crashes."""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.errors import StoreConflict, StoreUnavailable, VersionNotFound
from agent_runtime_core.interfaces import Answered, Begun, Removal
from agent_runtime_core.stores import SQLiteCheckpointStore

MESSAGES = [{"role": "user", "content": f"secret {n}"} for n in range(5)]
NEXT = {"role": "user", "content": "next"}


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


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What was logged; nothing of it may be what was stored."""
    caplog.set_level(logging.WARNING)

    def said() -> list[str]:
        assert all(record.levelno == logging.WARNING for record in caplog.records)
        assert "secret" not in caplog.text
        return [record.getMessage() for record in caplog.records]

    return said


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('{"role": "user", "content": "secr', "Unterminated string"),
        ('{"role": "user"} and more', "there is something behind the JSON text"),
        ('{"role": "user"}, {"role": "user"}', "there is something behind the JSON text"),
        ('["a list"]', "it is no JSON object"),
        ("", "there is nothing in it"),
        ('{"n": NaN}', "NaN is not JSON"),
        (b'{"role": "\xff\xfe"}', "'utf-8' codec can't decode byte 0xff"),
        ("[" * 100_000, "it is nested too deeply"),
        (17, "it is no JSON object"),
    ],
)
async def test_a_damaged_message_is_left_out_and_named_by_its_position(
    path: Path, body: object, problem: str, warnings: Callable[[], list[str]]
) -> None:
    damage(path, "UPDATE messages SET body = ? WHERE key = (1 << 32) + 3", body)

    async with SQLiteCheckpointStore(path) as store:
        checkpoint = await store.load("broken", "agent")

    assert checkpoint.messages == MESSAGES[:3] + MESSAGES[4:]
    assert (checkpoint.message_count, checkpoint.state) == (5, {"n": 1})
    (said,) = warnings()
    assert f"message 3 of conversation 'broken' in {path} is damaged ({problem}" in said


async def test_a_conversation_with_a_damaged_message_goes_on(path: Path) -> None:
    damage(path, "UPDATE messages SET body = '{' WHERE key = (1 << 32) + 4")

    async with SQLiteCheckpointStore(path) as store:
        begun = await store.begin("broken", "agent", message=NEXT, message_id="1", remember=True, lease_seconds=60)
        assert isinstance(begun, Begun)
        assert begun.checkpoint.messages == [*MESSAGES[:4], NEXT]
        version = begun.checkpoint.version
        await store.commit(
            "broken", "agent", expected_version=version, messages=MESSAGES[:1], lease=begun.lease, finish={}
        )
        assert await store.history("broken") == [*MESSAGES[:4], NEXT, MESSAGES[0]]


async def test_a_damaged_answer_is_given_as_far_as_it_can_be_read(path: Path) -> None:
    async with SQLiteCheckpointStore(path) as store:
        begun = await store.begin("broken", "agent", message=NEXT, message_id="1", remember=True, lease_seconds=60)
        assert isinstance(begun, Begun)
        await store.commit(
            "broken", "agent", expected_version=None, messages=MESSAGES[:2], lease=begun.lease, finish={"n": 1}
        )
        damage(path, "UPDATE messages SET body = '{' WHERE key = (1 << 32) + 6")

        again = await store.begin("broken", "agent", message=NEXT, message_id="1", remember=True, lease_seconds=60)

        assert again == Answered(version=3, messages=MESSAGES[1:2], result={"n": 1})

        # And: what is known of the run may be damaged, too
        damage(path, "UPDATE receipts SET result = '{'")
        again = await store.begin("broken", "agent", message=NEXT, message_id="1", remember=True, lease_seconds=60)
        assert again == Answered(version=3, messages=MESSAGES[1:2])


async def test_damage_is_noticed_by_those_who_read_it_only(path: Path, warnings: Callable[[], list[str]]) -> None:
    damage(path, "UPDATE messages SET body = '{' WHERE key = (1 << 32) + 1")

    async with SQLiteCheckpointStore(path) as store:
        assert (await store.load("sound", "agent")).messages == MESSAGES
        assert (await store.load("broken", "agent", max_messages=3)).messages == MESSAGES[2:]
        assert await store.history("broken", start=2) == MESSAGES[2:]
        assert warnings() == []
        assert await store.history("broken", limit=2) == MESSAGES[:1]
        assert len(warnings()) == 1


async def test_a_missing_message_is_named_by_its_position(path: Path, warnings: Callable[[], list[str]]) -> None:
    damage(path, "DELETE FROM messages WHERE key = (1 << 32) + 4")

    async with SQLiteCheckpointStore(path) as store:
        assert (await store.load("broken", "agent")).messages == MESSAGES[:4]
    assert ["message 4" in said and "(it is missing)" in said for said in warnings()] == [True]


async def test_an_empty_message_column_is_named_by_its_position(path: Path, warnings: Callable[[], list[str]]) -> None:
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

    async with SQLiteCheckpointStore(path) as store:
        assert await store.history("broken", start=2) == MESSAGES[3:]
    assert ["message 2" in said and "(there is nothing in it)" in said for said in warnings()] == [True]


@pytest.mark.parametrize("state", ["{", "[]", "", b"\xff", None])
async def test_a_damaged_state_names_the_version_to_go_back_to(path: Path, state: object) -> None:
    # Given: three versions, the states of the last two of which are damaged
    async with SQLiteCheckpointStore(path) as store:
        await store.commit("broken", "agent", expected_version=1, state={"n": 2}, messages=MESSAGES[:1])
        await store.commit("broken", "agent", expected_version=2, state={"n": 3})
        damage(path, "UPDATE versions SET state = '{' WHERE key = (1 << 32) + 2")
        damage(path, "UPDATE versions SET state = ? WHERE key = (1 << 32) + 3", state)

        # When
        with pytest.raises(StoreUnavailable) as caught:
            await store.load("broken", "agent")

        # Then
        said = str(caught.value)
        assert caught.value.key == "broken"
        assert f"the state of agent 'agent' of conversation 'broken' in {path} is damaged (" in said
        assert "secret" not in said
        if state is not None:  # one that is gone looks like one that was removed
            assert "Its last readable version is 1" in said
            assert "`agent-runtime store rewind broken 1 --store URL`" in said
        assert (await store.load("broken", "agent", at_version=1)).state == {"n": 1}
        assert (await store.load("broken", "another agent")).state is None

        # And: a message that comes meanwhile is kept, and nothing is held for it
        with pytest.raises(StoreUnavailable, match="is damaged"):
            await store.begin("broken", "agent", message=NEXT, message_id="1", remember=True, lease_seconds=60)
        assert (await store.history("broken"))[-1] == NEXT

        # And: so it is
        assert await store.rewind("broken", 1) == 5
        checkpoint = await store.load("broken", "agent")
        assert (checkpoint.version, checkpoint.state, checkpoint.messages) == (5, {"n": 1}, MESSAGES)


async def test_a_state_without_a_readable_version_can_be_removed(path: Path) -> None:
    damage(path, "UPDATE versions SET state = '{' WHERE key >> 32 = 1")

    async with SQLiteCheckpointStore(path) as store:
        with pytest.raises(StoreUnavailable, match="Restore the file from a backup, or delete this state"):
            await store.load("broken", "agent")
        assert await store.delete_state("broken", "agent") is True
        assert (await store.load("broken", "agent")).messages == MESSAGES


@pytest.mark.parametrize("agents", [b"{", b"[]", b'{"agent": "1"}', b"\xff"])
async def test_a_damaged_list_of_agents_is_made_from_their_states(path: Path, agents: bytes) -> None:
    damage(path, "UPDATE conversations SET agents = ? WHERE number = 1", agents)

    async with SQLiteCheckpointStore(path) as store:
        assert (await store.load("broken", "agent")).state == {"n": 1}
        await store.commit("broken", "another agent", expected_version=1, state={"n": 2})
        assert (await store.load("broken", "agent")).state == {"n": 1}
        assert [info.agent_keys for info in await store.conversations()] == [("agent", "another agent"), ("agent",)]


async def test_a_damaged_conversation_is_left_out_of_the_list(path: Path, warnings: Callable[[], list[str]]) -> None:
    damage(path, "UPDATE conversations SET created = 'long ago' WHERE number = 1")

    async with SQLiteCheckpointStore(path) as store:
        assert [info.conversation_id for info in await store.conversations()] == ["sound"]
    assert ["conversation number 1 is damaged and was left out" in said for said in warnings()] == [True]


@pytest.mark.parametrize("column", ["version", "message_count"])
@pytest.mark.parametrize("value", ["many", -1, 1.5, b"1"])
async def test_a_damaged_number_is_named(path: Path, column: str, value: object) -> None:
    damage(path, f"UPDATE conversations SET {column} = ? WHERE number = 1", value)

    async with SQLiteCheckpointStore(path) as store:
        assert (await store.load("sound", "agent")).messages == MESSAGES
        for call in (
            store.load("broken", "agent"),
            store.begin("broken", "agent", message=NEXT, message_id="1", remember=True, lease_seconds=60),
            store.commit("broken", "agent", expected_version=None, messages=MESSAGES),
            store.delete_state("broken", "agent"),
            store.delete_messages("broken"),
            store.history("broken"),
            store.versions("broken"),
        ):
            with pytest.raises(StoreUnavailable, match="'broken' is damaged: its version, its number") as caught:
                await call
            assert "Restore the file from a backup, or delete the conversation." in str(caught.value)
        # And: that advice can be followed
        assert await store.delete("broken") == Removal(conversations=1, messages=5, states=1)
        assert (await store.load("broken", "agent")).version == 0


async def test_a_damaged_conversation_can_be_deleted(path: Path) -> None:
    damage(path, "UPDATE messages SET body = '{' WHERE key = (1 << 32) + 1")
    damage(path, "UPDATE versions SET state = '{' WHERE key >> 32 = 1")

    async with SQLiteCheckpointStore(path) as store:
        assert await store.delete("broken")
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


@pytest.mark.parametrize("whole_pages", [False, True])
async def test_a_file_with_other_bytes_in_it_never_crashes_the_store(path: Path, whole_pages: bool) -> None:
    # Given: the file, many times, with bytes changed at random places
    async with SQLiteCheckpointStore(path) as store:
        for n in range(40):
            await begin(store, "sound", n)
            await store.commit("sound", "agent", expected_version=None, state={"n": n})
    sound = read(path)
    chance = random.Random(20)
    outcomes = set()
    for _ in range(150):
        changed = bytearray(sound)
        if whole_pages:
            start = 4096 * chance.randrange(len(sound) // 4096)
            changed[start + 100 * (start == 0) : start + 4096] = chance.randbytes(4096 - 100 * (start == 0))
        else:
            for _ in range(chance.choice((1, 3, 30))):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
        write(path, changed)

        # When
        async with SQLiteCheckpointStore(path, busy_timeout_ms=0) as store:
            for call in (
                store.load("broken", "agent"),
                store.commit("broken", "agent", expected_version=None, state={}, messages=MESSAGES[:1]),
                store.load("sound", "agent", at_version=20),
                begin(store, "sound", 100),
                store.conversations(),
                store.versions("sound"),
                store.history("sound", start=1),
                store.fork("sound", "new", version=30),
                store.rewind("broken", 1),
                store.delete_messages("new"),
                store.info(),
                store.delete("sound"),
            ):
                # Then: an answer, or an error that is promised
                try:
                    await call
                    outcomes.add("answered")
                except StoreUnavailable:
                    outcomes.add("refused")
                except (VersionNotFound, StoreConflict):
                    outcomes.add("answered")
    assert outcomes == {"answered", "refused"}


async def begin(store: SQLiteCheckpointStore, conversation_id: str, n: int) -> None:
    await store.begin(
        conversation_id, "agent", message=NEXT, message_id=str(n), remember=True, lease_seconds=60, on_busy="merge"
    )


def read(path: Path) -> bytes:
    return path.read_bytes()


def write(path: Path, data: bytes | bytearray) -> None:
    for file in path.parent.iterdir():
        file.unlink()
    path.write_bytes(data)
