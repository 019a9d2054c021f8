"""Rows that somebody else has changed, and databases that cannot be used."""

from __future__ import annotations

import sqlite3

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces import Answered
from django_agent_runtime.models import AgentCheckpoint, Message, Receipt
from django_agent_runtime.stores import DjangoCheckpointStore
from tests.django_project.project import terminated

HELLO = {"role": "user", "content": "Hello"}
REPLY = {"role": "assistant", "content": "Good day"}


@sync_to_async
def damaged(query, **columns):
    assert query.update(**columns) == 1


async def begin(store, message_id="m", **how):
    return await store.begin("c", "agent", message=HELLO, message_id=message_id, remember=True, lease_seconds=60, **how)


async def test_damaged_and_missing_messages_are_left_out_and_logged(alias, caplog):
    store = DjangoCheckpointStore(alias)
    await store.commit("c", "agent", expected_version=0, messages=[HELLO, REPLY, HELLO, REPLY])
    rows = Message.objects.using(alias)
    await damaged(rows.filter(seq=1), body='{"content": "secret')
    await sync_to_async(rows.filter(seq=2).delete)()

    checkpoint = await store.load("c", "agent")

    assert (checkpoint.messages, checkpoint.message_count) == ([HELLO, REPLY], 4)
    assert await store.history("c", start=1) == [REPLY]
    assert "message 1 of conversation 'c' is damaged" in caplog.text
    assert "message 2 of conversation 'c' is damaged (it is missing)" in caplog.text
    assert "secret" not in caplog.text


async def test_a_damaged_state_says_how_to_go_back(alias):
    store = DjangoCheckpointStore(alias)
    for n in range(3):
        await store.commit("c", "agent", expected_version=n, state={"n": n}, owner="ada")
    await damaged(AgentCheckpoint.objects.using(alias).filter(seq=3), body="[]")

    with pytest.raises(StoreUnavailable, match=r"rewind\('c', 2, owner='ada'\)") as unavailable:
        await store.load("c", "agent", owner="ada")
    assert unavailable.value.key == "c"

    await store.rewind("c", 2, owner="ada")
    assert (await store.load("c", "agent", owner="ada")).state == {"n": 1}
    await damaged(AgentCheckpoint.objects.using(alias).filter(seq=1), body="")
    await damaged(AgentCheckpoint.objects.using(alias).filter(seq=2), body="")
    with pytest.raises(StoreUnavailable, match="delete this state"):
        await store.load("c", "agent", owner="ada")


async def test_a_message_to_an_agent_whose_state_is_damaged_is_kept(alias):
    store = DjangoCheckpointStore(alias)
    await store.commit("c", "agent", expected_version=0, state={"n": 0})
    await store.commit("c", "agent", expected_version=1, state={"n": 1})
    await damaged(AgentCheckpoint.objects.using(alias).filter(seq=2), body="{")

    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="is damaged"):
            await begin(store)

    assert await store.history("c") == [HELLO]
    await store.delete_state("c", "agent")
    run = await begin(store)
    assert (run.placed, run.checkpoint.messages) == (0, [HELLO])


async def test_a_damaged_result_is_empty(alias, caplog):
    store = DjangoCheckpointStore(alias)
    run = await begin(store)
    await store.commit("c", "agent", expected_version=1, messages=[REPLY], lease=run.lease, finish={"text": "secret"})
    await damaged(Receipt.objects.using(alias), result="{text")

    assert await begin(store) == Answered(version=2, messages=[REPLY], result={})
    assert "what is known of a run of conversation 'c' is damaged" in caplog.text


async def test_a_database_without_the_tables_says_to_migrate(alias):
    @sync_to_async
    def renamed(before: str, after: str) -> None:
        with connections[alias].cursor() as cursor:
            cursor.execute(f"ALTER TABLE {before} RENAME TO {after}")

    store = DjangoCheckpointStore(alias)
    await renamed("agent_runtime_conversation", "elsewhere")
    try:
        with pytest.raises(StoreUnavailable, match=r"manage\.py migrate"):
            await store.commit("c", "agent", expected_version=0, messages=[HELLO])
    finally:
        await renamed("elsewhere", "agent_runtime_conversation")
    assert await store.commit("c", "agent", expected_version=0, messages=[HELLO]) == 1


async def test_a_connection_that_the_server_has_closed_is_replaced(postgresql_alias):
    store = DjangoCheckpointStore(postgresql_alias)
    await store.commit("c", "agent", expected_version=0, messages=[HELLO])

    @sync_to_async
    def backend() -> int:
        with connections[postgresql_alias].cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])

    terminated(await backend())

    with pytest.raises(StoreUnavailable, match="look whether its server runs"):
        await store.history("c")
    assert await store.history("c") == [HELLO]


async def test_a_file_that_somebody_else_writes_to_says_what_to_set(default_alias):
    store = DjangoCheckpointStore(default_alias)
    await store.commit("c", "agent", expected_version=0, messages=[HELLO])

    @sync_to_async
    def waits(milliseconds: int) -> None:
        with connections[default_alias].cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")

    other = sqlite3.connect(connections.settings[default_alias]["NAME"], isolation_level=None)
    await waits(0)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match=r"raise 'timeout' in its OPTIONS.*message_id"):
            await store.commit("c", "agent", expected_version=1, messages=[REPLY])
        other.execute("ROLLBACK")
    finally:
        other.close()
        await waits(30_000)

    assert await store.history("c") == [HELLO]
    assert await store.commit("c", "agent", expected_version=1, messages=[REPLY]) == 2
