"""Values on Redis that somebody has changed: what cannot be read is named, the rest stays usable."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces import Answered, Begun, Removal
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
        newest: Any = client.zrange(key, -1, -1, withscores=True)
        ((last, version),) = newest
        client.zrem(key, last)
        client.zadd(key, {value: version})


def damage_version(redis_url: str, version: int, value: bytes) -> None:
    key = key_behind(redis_url, ":versions")
    with connected(redis_url) as client:
        assert client.zremrangebyscore(key, version, version) == 1
        client.zadd(key, {value: version})


def count_of_states(redis_url: str) -> int:
    key = key_behind(redis_url, ":state:agent")
    with connected(redis_url) as client:
        return int(client.zcard(key))


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


@pytest.mark.parametrize(
    "value", [b"{broken", b"{broken -", b"2 0 {broken", b"2 0 []", b"2", b"2 0", b"x y {}", b"2 \xb2 {}", b""]
)
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
    assert (await store.load("c", "agent", owner="ada b", at_version=1)).state == {"n": 1}

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


async def test_a_version_before_the_agent_had_a_state_can_be_gone_back_to(
    store: RedisCheckpointStore, redis_url: str
) -> None:
    # Given: the agent's only state is gone, came back, and is damaged
    await store.delete_state("c", "agent", owner="ada b")
    await store.commit("c", "agent", expected_version=2, state={"n": 3}, owner="ada b")
    await asyncio.to_thread(damage_last_state, redis_url, b"{")

    with pytest.raises(StoreUnavailable, match="Its last readable version is 2"):
        await store.load("c", "agent", owner="ada b")

    assert (await store.load("c", "agent", owner="ada b", at_version=2)).state is None


async def test_the_way_back_is_found_over_many_damaged_states(store: RedisCheckpointStore, redis_url: str) -> None:
    for version in range(1, 4):
        await store.commit("c", "agent", expected_version=version, state={"n": version}, owner="ada b")
        await asyncio.to_thread(damage_last_state, redis_url, b"{ %d" % version)

    with pytest.raises(StoreUnavailable, match="Its last readable version is 1"):
        await store.load("c", "agent", owner="ada b")


async def test_a_damaged_entry_in_the_list_of_versions_is_left_out(
    store: RedisCheckpointStore, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await store.commit("c", "agent", expected_version=1, state={"n": 2}, owner="ada b")
    await store.commit("c", "agent", expected_version=2, state={"n": 3}, owner="ada b")
    await asyncio.to_thread(damage_last_state, redis_url, b"{")
    await asyncio.to_thread(damage_version, redis_url, 2, b"secret")

    assert [each.version for each in await store.versions("c", owner="ada b")] == [1, 3]
    assert "a version of conversation 'c' is damaged" in caplog.text
    assert "secret" not in caplog.text
    with pytest.raises(StoreUnavailable, match="Its last readable version is 1"):
        await store.load("c", "agent", owner="ada b")


async def test_a_damaged_conversation_grows_on_when_old_versions_are_dropped(redis_url: str) -> None:
    async with RedisCheckpointStore(redis_url, keep_versions=2) as store:
        await store.commit("c", "agent", expected_version=0, state={"n": 1}, messages=MESSAGES)
        await asyncio.to_thread(damage_last_state, redis_url, b"{")
        await store.commit("c", "agent", expected_version=1, state={"n": 1}, messages=[NEXT])
        await asyncio.to_thread(damage_version, redis_url, 2, b"?")
        for version in range(2, 6):
            await store.commit("c", "agent", expected_version=version, state={"n": version}, messages=[NEXT])

        assert (await store.load("c", "agent")).state == {"n": 5}
        assert [each.version for each in await store.versions("c")] == [5, 6]
        assert await asyncio.to_thread(count_of_states, redis_url) == 2


async def test_a_damaged_conversation_can_be_deleted(store: RedisCheckpointStore, redis_url: str) -> None:
    await asyncio.to_thread(damage_message, redis_url, 0, b"{")
    await asyncio.to_thread(damage_last_state, redis_url, b"{")

    assert await store.delete("c", owner="ada b") == Removal(conversations=1, messages=5, states=1)
    assert await store.commit("c", "agent", expected_version=0, messages=MESSAGES, owner="ada b") == 1
    assert (await store.load("c", "agent", owner="ada b")).messages == MESSAGES


def damage_receipt(redis_url: str, message_id: str, value: bytes) -> None:
    key = key_behind(redis_url, ":receipts")
    with connected(redis_url) as client:
        assert client.hset(key, message_id, value) == 0


BROKEN_RECEIPTS = [b"\xc1", b"", b"\x01", b"\x92\x01\x02", b"\x94\x01\x02\x03\x04"]


@pytest.mark.parametrize("value", BROKEN_RECEIPTS)
async def test_a_run_goes_on_with_a_damaged_receipt_and_its_message_runs_once(
    store: RedisCheckpointStore, redis_url: str, value: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    how: dict[str, Any] = {"message": NEXT, "message_id": "1", "remember": True, "lease_seconds": 60, "owner": "ada b"}
    begun = await store.begin("c", "agent", **how)
    assert isinstance(begun, Begun)
    await store.release("c", begun.lease, owner="ada b")
    await asyncio.to_thread(damage_receipt, redis_url, "1", value)

    # Then: the message is in the history already, its run begins again, and ends
    again = await store.begin("c", "agent", **how)
    assert isinstance(again, Begun)
    assert (again.placed, again.checkpoint.messages) == (0, [*MESSAGES, NEXT])
    version = await store.commit(
        "c", "agent", expected_version=2, messages=[NEXT], lease=again.lease, finish={"n": 1}, owner="ada b"
    )
    answered = await store.begin("c", "agent", **how)
    assert answered == Answered(version=version, messages=[], result={"n": 1})

    # And: one that was answered stays so, whatever is known of its answer
    await asyncio.to_thread(damage_receipt, redis_url, "1", value)
    caplog.clear()
    assert await store.begin("c", "agent", **how) == Answered(version=version, messages=[], result={})
    assert "what is known of a run of conversation 'c' is damaged" in caplog.text
    other = await store.begin("c", "agent", **(how | {"message_id": "2"}))
    assert isinstance(other, Begun)
    await store.commit("c", "agent", expected_version=None, lease=other.lease, finish={}, owner="ada b")


async def test_a_damaged_receipt_stands_in_the_way_of_no_housekeeping(
    store: RedisCheckpointStore, redis_url: str
) -> None:
    how: dict[str, Any] = {"message": NEXT, "message_id": "1", "remember": True, "lease_seconds": 60, "owner": "ada b"}
    begun = await store.begin("c", "agent", **how)
    assert isinstance(begun, Begun)
    await store.commit("c", "agent", expected_version=2, lease=begun.lease, finish={}, owner="ada b")
    await asyncio.to_thread(damage_receipt, redis_url, "1", b"\xc1")

    assert await store.rewind("c", 1, owner="ada b") == 4
    assert await store.history("c", owner="ada b") == MESSAGES
    assert await store.delete_messages("c", owner="ada b") == 5
    assert await store.fork("c", "copy", owner="ada b") == 5
    assert await store.delete("c", owner="ada b") == Removal(conversations=1, states=1)
