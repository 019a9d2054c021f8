"""Values on Redis that somebody has changed: what cannot be read is named, the rest stays usable."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces import Answered, Begun
from agent_runtime_core.stores.redis import RedisCheckpointStore
from tests.redis_server import connected

MESSAGES = [{"role": "user", "content": f"secret {n}"} for n in range(5)]
NEXT = {"role": "user", "content": "next"}
DAMAGE = [b'{"role": "secr', b"\xff\x00", b"", b'["a list"]']


@pytest.fixture
async def store(redis_url: str):
    async with RedisCheckpointStore(redis_url) as store:
        await store.commit("c", "agent", expected_version=0, state={"n": 1}, messages=MESSAGES, owner="ada b")
        yield store


def key_behind(redis_url: str, end: str) -> bytes:
    with connected(redis_url) as client:
        (key,) = client.scan_iter(f"{redis_url.partition('key_prefix=')[2]}*{end}", count=1000)
        return bytes(key)


def damage_message(redis_url: str, position: int, value: bytes) -> None:
    with connected(redis_url) as client:
        client.execute_command("LSET", key_behind(redis_url, ":messages"), position, value)


def damage_last_state(redis_url: str, value: bytes) -> None:
    key = key_behind(redis_url, ":state:agent")
    with connected(redis_url) as client:
        last: Any = client.zrange(key, -1, -1)
        version = last[0].split()[0]
        client.execute_command("ZREM", key, last[0])
        client.execute_command("ZADD", key, version, value)


@pytest.mark.parametrize("value", DAMAGE)
async def test_a_damaged_message_is_left_out_and_named_by_its_position(
    store: RedisCheckpointStore, redis_url: str, value: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(damage_message, redis_url, 3, value)

    checkpoint = await store.load("c", "agent", owner="ada b", max_messages=3)

    assert checkpoint.messages == [MESSAGES[2], MESSAGES[4]]
    assert (checkpoint.message_count, checkpoint.state) == (5, {"n": 1})
    assert await store.history("c", start=2, owner="ada b") == [MESSAGES[2], MESSAGES[4]]
    assert caplog.text.count("message 3 of conversation 'c' is damaged (") == 2
    assert "secret" not in caplog.text


async def test_a_conversation_with_a_damaged_message_goes_on(
    store: RedisCheckpointStore, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(damage_message, redis_url, 4, b"{")

    how: dict[str, Any] = {"message": NEXT, "message_id": "1", "remember": True, "lease_seconds": 60, "owner": "ada b"}
    begun = await store.begin("c", "agent", **how)
    assert isinstance(begun, Begun)
    assert begun.checkpoint.messages == [*MESSAGES[:4], NEXT]
    answer = {"role": "assistant", "content": "secret answer"}
    await store.commit(
        "c", "agent", expected_version=None, messages=[answer], lease=begun.lease, finish={}, owner="ada b"
    )
    await asyncio.to_thread(damage_message, redis_url, 6, b"{")
    answered = await store.begin("c", "agent", **how)
    assert isinstance(answered, Answered)
    assert answered.messages == []
    assert "message 6 of conversation 'c' is damaged" in caplog.text


@pytest.mark.parametrize("value", [b"{broken", b"2 0 {broken", b"2 0 []", b"2", b"x y {}"])
async def test_a_damaged_state_names_the_version_to_go_back_to(
    store: RedisCheckpointStore, redis_url: str, value: bytes
) -> None:
    await store.commit("c", "agent", expected_version=1, state={"secret": 2}, owner="ada b")
    await asyncio.to_thread(damage_last_state, redis_url, value)

    with pytest.raises(StoreUnavailable) as caught:
        await store.load("c", "agent", owner="ada b")
    assert "the state of agent 'agent' of conversation 'c' is damaged" in str(caught.value)
    assert "`agent-runtime store rewind c 1 --owner 'ada b' --store URL`" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert (await store.load("c", "another agent", owner="ada b")).messages == MESSAGES

    # And: a message that comes meanwhile is kept, nothing is held for it, and it is answered after going back
    how: dict[str, Any] = {"message": NEXT, "message_id": "1", "remember": True, "lease_seconds": 60, "owner": "ada b"}
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="is damaged"):
            await store.begin("c", "agent", **how)
    assert await store.history("c", owner="ada b") == [*MESSAGES, NEXT]
    assert await store.rewind("c", 1, owner="ada b") == 4
    assert (await store.load("c", "agent", owner="ada b")).state == {"n": 1}
    assert isinstance(await store.begin("c", "agent", **how), Begun)


async def test_a_state_without_a_readable_version_can_be_removed(store: RedisCheckpointStore, redis_url: str) -> None:
    await asyncio.to_thread(damage_last_state, redis_url, b"{")

    with pytest.raises(StoreUnavailable, match="Restore it from a backup, or delete this state"):
        await store.load("c", "agent", owner="ada b")
    assert await store.delete_state("c", "agent", owner="ada b") is True
    assert (await store.load("c", "agent", owner="ada b")).messages == MESSAGES
