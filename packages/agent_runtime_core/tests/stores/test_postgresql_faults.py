"""What goes wrong around a database: it restarts, its connections break or run out, and several processes write."""

from __future__ import annotations

import asyncio
import random
import sys
from typing import Any

import asyncpg
import pytest

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces import Begun
from agent_runtime_core.stores.postgresql import PostgreSQLCheckpointStore

USER = {"role": "user", "content": "hello"}
REPLY = {"role": "assistant", "content": "good day"}

BREAK_ALL = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


async def break_connections(url: str) -> int:
    """End every other connection to the database, as a restart does, and say how many there were."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(BREAK_ALL)
    finally:
        await connection.close()


async def begin(store: PostgreSQLCheckpointStore, name: str, message_id: str = "m", **more: Any) -> Any:
    how: dict[str, Any] = {"message": USER, "remember": True, "lease_seconds": 60.0, **more}
    return await store.begin(name, "agent", message_id=message_id, **how)


async def run(store: PostgreSQLCheckpointStore, name: str, message_id: str) -> None:
    begun = await begin(store, name, message_id)
    assert isinstance(begun, Begun)
    assert begun.placed == 1
    assert begun.checkpoint.messages[-1] == USER
    version = begun.checkpoint.version
    version = await store.commit(
        name, "agent", expected_version=version, state={"turn": 1}, messages=[REPLY], lease=begun.lease
    )
    await store.commit(
        name,
        "agent",
        expected_version=version,
        state={"turn": 2},
        messages=[REPLY],
        lease=begun.lease,
        finish={"of": message_id},
    )


async def test_every_call_works_after_all_connections_broke(postgresql_url: str) -> None:
    async with PostgreSQLCheckpointStore(postgresql_url, pool_size=3) as store:
        await asyncio.gather(*(store.commit(f"c{n}", "agent", expected_version=0) for n in range(5)))
        calls = [
            lambda: store.load("c0", "agent"),
            lambda: begin(store, "c0"),
            lambda: store.commit("c1", "agent", expected_version=1, messages=[USER]),
            lambda: store.renew("c0", 1, lease_seconds=60.0),
            lambda: store.release("c0", 1),
            lambda: store.withdraw("c0", "m"),
            lambda: store.history("c1"),
            lambda: store.conversations(),
            lambda: store.versions("c1"),
            lambda: store.rewind("c1", 1),
            lambda: store.fork("c1", "copy"),
            lambda: store.delete_state("c1", "agent"),
            lambda: store.delete_messages("c1"),
            lambda: store.delete("c1"),
            lambda: store.info(),
        ]
        for call in calls:
            assert await break_connections(postgresql_url) > 0
            await call()

        assert {each.conversation_id for each in await store.conversations()} == {"c0", "c2", "c3", "c4", "copy"}


async def test_a_restart_at_any_moment_of_a_run_loses_nothing_and_doubles_nothing(postgresql_url: str) -> None:
    chance = random.Random(4)
    broken = 0
    async with PostgreSQLCheckpointStore(postgresql_url, pool_size=2) as store:
        killer = await asyncpg.connect(postgresql_url)
        for n in range(100):
            # When: all connections break at a random moment of a run
            running = asyncio.create_task(run(store, f"c{n % 4}", f"m{n}"))
            for _ in range(chance.randrange(120)):
                await asyncio.sleep(0)
            broken += await killer.fetchval(BREAK_ALL)

            # Then: it goes on as if nothing had been
            await running
        await killer.close()

        assert broken > 50
        for name in (f"c{n}" for n in range(4)):
            assert await store.history(name) == [USER, REPLY, REPLY] * 25
            assert (await store.load(name, "agent", max_messages=0)).version == 75


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_commit_whose_answer_was_lost_is_done_once(postgresql_url: str, cut: str) -> None:
    # Given: a row that is locked, so that the commit hangs in the server
    async with PostgreSQLCheckpointStore(postgresql_url) as store:
        await store.commit("c", "agent", expected_version=0)
        locker = await asyncpg.connect(postgresql_url)
        transaction = locker.transaction()
        await transaction.start()
        await locker.execute("SELECT FROM agent_runtime_conversations FOR UPDATE")
        commit = asyncio.create_task(store.commit("c", "agent", expected_version=1, messages=[USER]))
        killer = await asyncpg.connect(postgresql_url)
        waits = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        while not (waiting := await killer.fetch(waits)):  # noqa: ASYNC110 - it is the server that waits
            await asyncio.sleep(0)

        # When: its connection breaks, before or after the server could write
        if cut == "after":
            await transaction.rollback()
        await killer.execute("SELECT pg_terminate_backend($1)", waiting[0]["pid"])
        if cut == "before":
            await transaction.rollback()

        # Then
        assert await commit == 2
        assert await store.history("c") == [USER]
        await locker.close()
        await killer.close()


async def test_a_pool_without_a_free_connection_says_so_and_names_the_options(postgresql_url: str) -> None:
    async with PostgreSQLCheckpointStore(postgresql_url, pool_size=1, max_overflow=1, pool_timeout_s=0.05) as store:
        await store.commit("c", "agent", expected_version=0)
        locker = await asyncpg.connect(postgresql_url)
        transaction = locker.transaction()
        await transaction.start()
        await locker.execute("SELECT FROM agent_runtime_conversations FOR UPDATE")
        hanging = [asyncio.create_task(store.commit("c", "agent", expected_version=None)) for _ in range(2)]

        await asyncio.sleep(0)  # they have taken both
        with pytest.raises(StoreUnavailable) as caught:
            await store.load("c", "agent")

        text = str(caught.value)
        assert "all 2 connections to postgresql://" in text
        assert "pool_size (now 1)" in text
        assert "max_overflow (now 1)" in text
        assert "pool_timeout_s" in text

        # And: when they are free again, it works again
        await transaction.rollback()
        await locker.close()
        assert sorted(await asyncio.gather(*hanging)) == [2, 3]
        assert (await store.load("c", "agent")).version == 3


async def test_more_calls_than_connections_all_get_their_turn(postgresql_url: str) -> None:
    async with PostgreSQLCheckpointStore(postgresql_url, pool_size=2) as store:
        await asyncio.gather(*(run(store, f"c{n}", "m") for n in range(100)))

        assert (await store.info()).conversations == 100


async def test_cancelled_calls_give_their_connections_back(postgresql_url: str) -> None:
    async with PostgreSQLCheckpointStore(postgresql_url, pool_size=1, pool_timeout_s=5.0) as store:
        for n in range(30):
            task = asyncio.create_task(store.commit("c", "agent", expected_version=None, messages=[USER]))
            for _ in range(n):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        checkpoint = await store.load("c", "agent")
        assert checkpoint.version == checkpoint.message_count


def test_one_store_in_several_event_loops_one_after_the_other(postgresql_url: str) -> None:
    store = PostgreSQLCheckpointStore(postgresql_url)

    for n in range(3):
        assert asyncio.run(store.commit("c", "agent", expected_version=n)) == n + 1
    asyncio.run(store.close())


async def test_a_closed_store_says_so(postgresql_url: str) -> None:
    store = PostgreSQLCheckpointStore(postgresql_url)
    await store.commit("c", "agent", expected_version=0)
    await store.close()

    with pytest.raises(StoreUnavailable, match="is closed: open another one"):
        await store.load("c", "agent")


async def test_closing_waits_for_the_calls_that_are_on(postgresql_url: str) -> None:
    store = PostgreSQLCheckpointStore(postgresql_url, pool_size=2)
    await store.check()
    calls = [asyncio.create_task(store.commit(f"c{n}", "agent", expected_version=0)) for n in range(10)]
    await asyncio.sleep(0)

    await store.close()

    assert await asyncio.gather(*calls) == [1] * 10


TALKER = """
import asyncio, sys
from agent_runtime_core.interfaces import Begun
from agent_runtime_core.stores import open_store

async def send(store, name, message_id):
    while True:
        answer = await store.begin(name, "agent", message={"role": "user", "id": message_id}, message_id=message_id,
                                   remember=True, lease_seconds=60.0)
        if isinstance(answer, Begun):
            break
        await asyncio.sleep(0)
    await store.commit(name, "agent", expected_version=answer.checkpoint.version, lease=answer.lease,
                       messages=[{"role": "assistant", "to": message_id}], state={"last": message_id}, finish={})

async def main(url, who):
    async with open_store(url) as store:
        async def talk(name):
            for n in range(10):
                await send(store, name, f"{who}{n}")
        await asyncio.gather(*(talk(f"c{n}") for n in range(5)))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_two_processes_share_conversations_without_a_conflict(postgresql_url: str) -> None:
    # When: two processes send ten messages each to five conversations, at once
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", TALKER, postgresql_url, who) for who in "ab"
    ]
    assert [await process.wait() for process in processes] == [0, 0]

    # Then: every message is there once, answered before the next one, in the order of its sender
    async with PostgreSQLCheckpointStore(postgresql_url) as store:
        for name in (f"c{n}" for n in range(5)):
            messages = await store.history(name)
            asked = [message["id"] for message in messages[::2]]
            assert [message["to"] for message in messages[1::2]] == asked
            for who in "ab":
                assert [each for each in asked if each[0] == who] == [f"{who}{n}" for n in range(10)]


async def test_a_removal_whose_answer_was_lost_is_not_called_undone(postgresql_url: str) -> None:
    # Given: a trigger that hangs where the server commits
    locker = await asyncpg.connect(postgresql_url)
    await locker.execute("""
        CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER hang AFTER DELETE ON agent_runtime_conversations
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hang()""")
    try:
        async with PostgreSQLCheckpointStore(postgresql_url) as store:
            await store.commit("c", "agent", expected_version=0)
            await locker.execute("SELECT pg_advisory_lock(1)")
            deleting = asyncio.create_task(store.delete("c"))
            waits = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
            while not (waiting := await locker.fetch(waits)):  # noqa: ASYNC110 - it is the server that waits
                await asyncio.sleep(0)

            # When: the connection breaks during the commit
            await locker.execute("SELECT pg_terminate_backend($1)", waiting[0]["pid"])

            # Then: nobody claims to know
            with pytest.raises(StoreUnavailable, match=r"whether that was done is not known\. Look first"):
                await deleting
            assert (await store.load("c", "agent")).version == 1
    finally:
        await locker.execute("DROP TRIGGER hang ON agent_runtime_conversations; DROP FUNCTION hang")
        await locker.close()
