"""Rows that somebody has changed: what cannot be read is named, the rest stays usable."""

from __future__ import annotations

import asyncio
import logging

import pytest

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces import Answered, Begun
from agent_runtime_core.stores.postgresql import PostgreSQLCheckpointStore
from tests.postgresql import execute

MESSAGES = [{"role": "user", "content": f"secret {n}"} for n in range(5)]
NEXT = {"role": "user", "content": "next"}


@pytest.fixture
async def store(postgresql_url: str):
    async with PostgreSQLCheckpointStore(postgresql_url) as store:
        await store.commit("c", "agent", expected_version=0, state={"n": 1}, messages=MESSAGES)
        yield store


@pytest.fixture(params=["open", "full"])
async def table(request: pytest.FixtureRequest, store: PostgreSQLCheckpointStore) -> str:
    """Where the messages are: in the pack that still grows, or in one that is full."""
    if request.param == "open":
        return "agent_runtime_new_messages"
    await store.commit("c", "agent", expected_version=1, messages=[{"role": "user", "content": "x" * 3000}])
    await store.rewind("c", 1)
    return "agent_runtime_messages"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('{"role": "secr', "Unterminated string"),
        ('["a list"]', "it is no JSON object"),
        ("{}, {}", "there is something behind"),
        ("", "there is nothing in it"),
    ],
)
async def test_a_damaged_message_is_left_out_and_named_by_its_position(
    store: PostgreSQLCheckpointStore,
    postgresql_url: str,
    table: str,
    body: str,
    problem: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    statement = f"UPDATE {table} SET bodies[4] = '{body}'"
    await asyncio.to_thread(execute, postgresql_url, statement)

    checkpoint = await store.load("c", "agent")

    assert checkpoint.messages == MESSAGES[:3] + MESSAGES[4:]
    assert (checkpoint.message_count, checkpoint.state) == (5, {"n": 1})
    assert await store.history("c", start=2) == [MESSAGES[2], MESSAGES[4]]
    assert (await store.load("c", "agent", max_messages=1)).messages == MESSAGES[4:]
    assert f"message 3 of conversation 'c' is damaged ({problem}" in caplog.text
    assert "secret" not in caplog.text


async def test_messages_that_are_missing_are_named_by_their_positions(
    store: PostgreSQLCheckpointStore, postgresql_url: str, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(execute, postgresql_url, f"UPDATE {table} SET bodies = bodies[1:3]")

    checkpoint = await store.load("c", "agent")

    assert (checkpoint.messages, checkpoint.message_count) == (MESSAGES[:3], 5)
    for position in (3, 4):
        assert f"message {position} of conversation 'c' is damaged (it is missing)" in caplog.text


async def test_a_conversation_with_a_damaged_message_goes_on(
    store: PostgreSQLCheckpointStore, postgresql_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    await asyncio.to_thread(execute, postgresql_url, "UPDATE agent_runtime_new_messages SET bodies[5] = '{'")

    begun = await store.begin("c", "agent", message=NEXT, message_id="1", remember=True, lease_seconds=60)

    assert isinstance(begun, Begun)
    assert begun.placed == 1
    assert begun.checkpoint.messages == [*MESSAGES[:4], NEXT]
    version = begun.checkpoint.version
    await store.commit(
        "c", "agent", expected_version=version, messages=MESSAGES[:2], lease=begun.lease, finish={"n": 1}
    )

    # And: an answer is given as far as it can be read
    await asyncio.to_thread(execute, postgresql_url, "UPDATE agent_runtime_new_messages SET bodies[7] = '{'")
    await asyncio.to_thread(execute, postgresql_url, "UPDATE agent_runtime_receipts SET result = '{'")
    again = await store.begin("c", "agent", message=NEXT, message_id="1", remember=True, lease_seconds=60)
    assert again == Answered(version=3, messages=MESSAGES[1:2], result={})


async def test_a_damaged_state_names_the_version_to_go_back_to(
    store: PostgreSQLCheckpointStore, postgresql_url: str
) -> None:
    # Given: the state of version 3 is damaged, as the present one and among the versions
    await store.commit("c", "agent", expected_version=1, messages=[NEXT])
    await store.commit("c", "agent", expected_version=2, state={"n": 2})
    await asyncio.to_thread(
        execute,
        postgresql_url,
        "UPDATE agent_runtime_states SET body = '{\"secret'",
        "UPDATE agent_runtime_new_versions SET states[3] = '{\"secret'",
    )

    with pytest.raises(StoreUnavailable) as caught:
        await store.load("c", "agent")

    assert "the state of agent 'agent' of conversation 'c' is damaged" in str(caught.value)
    assert "`agent-runtime store rewind c 2 --store URL`" in str(caught.value)
    assert "secret" not in str(caught.value)

    # And: a message that comes meanwhile is kept, and answered after going back
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="is damaged"):
            await store.begin("c", "agent", message=NEXT, message_id="1", remember=True, lease_seconds=60)
    assert await store.history("c") == [*MESSAGES, NEXT, NEXT]
    assert await store.rewind("c", 2) == 5
    assert (await store.load("c", "agent")).state == {"n": 1}
    assert isinstance(
        await store.begin("c", "agent", message=NEXT, message_id="1", remember=True, lease_seconds=60), Begun
    )


async def test_a_damaged_present_state_is_read_again_from_its_version(
    store: PostgreSQLCheckpointStore, postgresql_url: str
) -> None:
    await asyncio.to_thread(execute, postgresql_url, "UPDATE agent_runtime_states SET body = '{\"secret'")

    with pytest.raises(StoreUnavailable, match="`agent-runtime store rewind c 1 --store URL`"):
        await store.load("c", "agent")

    await store.rewind("c", 1)
    assert (await store.load("c", "agent")).state == {"n": 1}
