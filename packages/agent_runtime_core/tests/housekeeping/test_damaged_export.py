"""An export of what somebody has damaged: all that can be read, and words for what cannot."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.housekeeping import export_conversation, export_owner
from agent_runtime_core.interfaces import Checkpoint
from agent_runtime_core.stores import InMemoryCheckpointStore, open_store
from tests.postgresql import execute
from tests.redis_server import connected

MESSAGES = [{"role": "user", "content": f"secret {n}"} for n in range(2)]


def damage_sqlite(url: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        ((number,),) = connection.execute("SELECT number FROM conversations WHERE id = CAST('broken' AS BLOB)")
        for statement, key in (
            ("UPDATE versions SET state = '{\"secret' WHERE key = ?", (number << 32) + 2),
            ("UPDATE messages SET body = '{\"secret' WHERE key = ?", number << 32),
        ):
            assert connection.execute(statement, (key,)).rowcount == 1


def damage_postgresql(url: str) -> None:
    numbers = "(SELECT number FROM agent_runtime_conversations WHERE id = 'broken')"
    execute(
        url,
        f"UPDATE agent_runtime_states SET body = '{{\"secret' WHERE agent = 'signup' AND conversation = {numbers}",
        f"UPDATE agent_runtime_new_versions SET states[2] = '{{\"secret' WHERE conversation = {numbers}",
        f"UPDATE agent_runtime_new_messages SET bodies[1] = '{{\"secret' WHERE conversation = {numbers}",
    )


def damage_redis(url: str) -> None:
    with connected(url) as client:
        prefix = url.partition("key_prefix=")[2]
        (states,) = client.scan_iter(f"{prefix}*broken}}:state:signup", count=1000)
        newest: Any = client.zrange(states, -1, -1, withscores=True)
        ((last, version),) = newest
        client.zrem(states, last)
        client.zadd(states, {b'{"secret': version})
        (messages,) = client.scan_iter(f"{prefix}*broken}}:messages", count=1000)
        client.execute_command("LSET", messages, 0, b'{"secret')


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Three conversations of one owner, the second of which is damaged."""
    if request.param == "sqlite":
        url, damage = f"sqlite:///{tmp_path / 'journeys.db'}", damage_sqlite
    elif request.param == "postgresql":
        url, damage = request.getfixturevalue("postgresql_url"), damage_postgresql
    else:
        url, damage = request.getfixturevalue("redis_url"), damage_redis
    async with open_store(url) as opened:  # type: ignore[attr-defined]
        for name in ("a", "broken", "z"):
            await opened.commit(name, "signup", expected_version=0, state={"n": 1}, messages=MESSAGES, owner="ada")
        await opened.commit("broken", "signup", expected_version=1, state={"n": 2}, owner="ada")
        await opened.commit("broken", "billing", expected_version=2, state={"n": 3}, owner="ada")
        await asyncio.to_thread(damage, url)
        yield opened


async def test_what_can_be_read_is_exported_and_what_cannot_is_told(store: Any) -> None:
    exported = await export_conversation(store, "broken", owner="ada")

    assert exported is not None
    assert json.loads(json.dumps(exported)) == exported
    assert exported["messages"] == MESSAGES[1:]
    assert exported["states"] == {"billing": {"state": {"n": 3}, "state_version": 0}}
    assert [each["version"] for each in exported["versions"]] == [1, 2, 3]
    state, messages = exported["unreadable"]
    assert "the state of agent 'signup' of conversation 'broken'" in state
    assert "Its last readable version is 1" in state
    assert messages == "1 of 2 messages cannot be read."
    assert "secret" not in f"{state} {messages}"


async def test_the_other_conversations_of_an_owner_are_exported(store: Any) -> None:
    exports = [each async for each in export_owner(store, "ada")]

    assert [each["conversation_id"] for each in exports] == ["a", "broken", "z"]
    assert ["unreadable" in each for each in exports] == [False, True, False]


class Refusing(InMemoryCheckpointStore):
    """A store that refuses to read.

    Args:
        key: What its error names: a conversation, or the store.
    """

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    async def load(self, conversation_id: str, *_: Any, **__: Any) -> Checkpoint:
        raise StoreUnavailable("it is damaged.", key=self._key)


async def test_a_conversation_of_which_nothing_can_be_read_is_told() -> None:
    store = Refusing("c")
    await store.commit("c", "signup", expected_version=0, messages=MESSAGES, owner="ada")

    (exported,) = [each async for each in export_owner(store, "ada")]

    assert (exported["conversation_id"], exported["version"], exported["messages"]) == ("c", 1, [])
    assert exported["unreadable"] == ["it is damaged."]


async def test_a_store_that_cannot_be_read_is_no_damage() -> None:
    store = Refusing("redis://localhost")
    await store.commit("c", "signup", expected_version=0, messages=MESSAGES, owner="ada")

    with pytest.raises(StoreUnavailable):
        await export_conversation(store, "c", owner="ada")
