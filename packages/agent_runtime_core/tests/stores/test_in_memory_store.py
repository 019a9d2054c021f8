"""The store in memory keeps the contract, and forgets what was longest untouched."""

from __future__ import annotations

import asyncio
import threading

import pytest

from agent_runtime_core.errors import ConfigError, LeaseLost, StoreConflict, VersionNotFound
from agent_runtime_core.interfaces import Checkpoint, CheckpointStore
from agent_runtime_core.stores import InMemoryCheckpointStore
from agent_runtime_core.testing.contracts import CheckpointStoreContract
from agent_runtime_core.testing.contracts.turn import begun, finish, reply, waiting


class TestInMemoryStore(CheckpointStoreContract):
    @pytest.fixture
    async def store(self):
        async with InMemoryCheckpointStore() as store:
            yield store


class TestBoundedInMemoryStore(CheckpointStoreContract):
    @pytest.fixture
    async def store(self):
        async with InMemoryCheckpointStore(max_conversations=100) as store:
            yield store


async def fill(store: CheckpointStore, *conversation_ids: str) -> None:
    for conversation_id in conversation_ids:
        await store.commit(conversation_id, "agent", expected_version=0, messages=[{"role": "user"}])


async def stored(store: CheckpointStore, *conversation_ids: str) -> list[str]:
    return [name for name in conversation_ids if await store.history(name)]


async def test_the_longest_untouched_conversation_is_dropped() -> None:
    store = InMemoryCheckpointStore(max_conversations=3)

    await fill(store, "a", "b", "c", "d", "e")

    assert await stored(store, "a", "b", "c", "d", "e") == ["c", "d", "e"]
    assert await store.load("a", "agent") == Checkpoint()


async def test_loading_and_committing_keep_a_conversation() -> None:
    # Given: three conversations, the two oldest of which are used again
    store = InMemoryCheckpointStore(max_conversations=3)
    await fill(store, "a", "b", "c")
    await store.load("a", "agent", max_messages=0)
    await store.commit("b", "agent", expected_version=1, state={})

    # When
    await fill(store, "d")

    # Then
    assert await stored(store, "a", "b", "c", "d") == ["a", "b", "d"]


async def test_a_run_in_a_dropped_conversation_ends_in_a_conflict() -> None:
    store = InMemoryCheckpointStore(max_conversations=1)
    await fill(store, "a", "b")

    with pytest.raises(StoreConflict) as caught:
        await store.commit("a", "agent", expected_version=1, state={"n": 1})

    assert caught.value.found_version == 0
    assert await stored(store, "a", "b") == ["b"]  # a conflict drops nobody


async def test_without_a_bound_all_are_kept() -> None:
    store = InMemoryCheckpointStore()
    names = [f"c{n}" for n in range(3000)]

    await fill(store, *names)

    assert await stored(store, *names) == names


@pytest.mark.parametrize("bound", [0, -1])
def test_a_bound_that_keeps_nothing_is_refused(bound: int) -> None:
    with pytest.raises(ConfigError, match=f"max_conversations is {bound}; give 1 or more"):
        InMemoryCheckpointStore(bound)


async def test_a_closed_store_still_answers() -> None:
    store = InMemoryCheckpointStore()
    await fill(store, "a")

    await store.close()

    assert await stored(store, "a") == ["a"]


def test_event_loops_in_several_threads_share_a_store() -> None:
    # Given: threads that append to one conversation, each on an event loop of its own
    store = InMemoryCheckpointStore()

    async def append() -> None:
        for _ in range(50):
            await store.commit("c", "agent", expected_version=None, messages=[{"role": "user"}])

    threads = [threading.Thread(target=asyncio.run, args=(append(),)) for _ in range(4)]

    # When
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # Then
    assert asyncio.run(store.load("c", "agent")).version == 200


class Clock:
    """A clock that somebody sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store_and_clock() -> tuple[InMemoryCheckpointStore, Clock]:
    clock = Clock()
    return InMemoryCheckpointStore(clock=clock), clock


async def test_a_lease_is_over_when_its_time_is(store_and_clock: tuple[InMemoryCheckpointStore, Clock]) -> None:
    store, clock = store_and_clock
    run = await begun(store, "m1", lease_seconds=30.0)

    clock.now += 29.9
    assert await waiting(store, "m2", lease_seconds=30.0) == 0
    assert await store.renew("c", run.lease, lease_seconds=30.0) is True
    clock.now += 29.9
    assert await waiting(store, "m2", lease_seconds=30.0) == 0
    clock.now += 0.2

    assert (await begun(store, "m2")).placed == 1


async def test_a_clock_that_is_set_back_locks_nobody_out(
    store_and_clock: tuple[InMemoryCheckpointStore, Clock],
) -> None:
    # Given: a lease, and a sender in line who is gone, both of a time that lies an hour ahead now
    store, clock = store_and_clock
    await begun(store, "m1", lease_seconds=30.0)
    await waiting(store, "gone", lease_seconds=30.0)

    clock.now -= 3600

    assert (await begun(store, "m2", lease_seconds=30.0)).placed == 2


async def test_a_clock_that_is_set_ahead_lets_the_holder_know(
    store_and_clock: tuple[InMemoryCheckpointStore, Clock],
) -> None:
    store, clock = store_and_clock
    run = await begun(store, "m1", lease_seconds=30.0)

    clock.now += 3600
    taken = await begun(store, "m2", lease_seconds=30.0)

    with pytest.raises(LeaseLost):
        await finish(store, run, [reply("m1")])
    assert await finish(store, taken, [reply("both")]) == 3


async def test_versions_beyond_those_kept_are_dropped() -> None:
    store = InMemoryCheckpointStore(keep_versions=3)
    for n in range(8):
        await store.commit("c", "sales" if n < 3 else "claims", expected_version=n, state={"n": n})

    assert [each.version for each in await store.versions("c")] == [6, 7, 8]
    for version in (6, 7, 8):
        assert (await store.load("c", "sales", at_version=version)).state == {"n": 2}
        assert (await store.load("c", "claims", at_version=version)).state == {"n": version - 1}
    with pytest.raises(VersionNotFound):
        await store.load("c", "sales", at_version=5)
