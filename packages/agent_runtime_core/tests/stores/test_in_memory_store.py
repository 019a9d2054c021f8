"""The store in memory keeps the contract, and forgets what was longest untouched."""

from __future__ import annotations

import asyncio
import threading

import pytest

from agent_runtime_core.errors import ConfigError, StoreConflict
from agent_runtime_core.interfaces import Checkpoint, CheckpointStore
from agent_runtime_core.stores import InMemoryCheckpointStore
from agent_runtime_core.testing.contracts import CheckpointStoreContract


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


async def begin(store: CheckpointStore, *conversation_ids: str) -> None:
    for conversation_id in conversation_ids:
        await store.commit(conversation_id, "agent", expected_version=0, messages=[{"role": "user"}])


async def stored(store: CheckpointStore, *conversation_ids: str) -> list[str]:
    return [name for name in conversation_ids if await store.history(name)]


async def test_the_longest_untouched_conversation_is_dropped() -> None:
    store = InMemoryCheckpointStore(max_conversations=3)

    await begin(store, "a", "b", "c", "d", "e")

    assert await stored(store, "a", "b", "c", "d", "e") == ["c", "d", "e"]
    assert await store.load("a", "agent") == Checkpoint()


async def test_loading_and_committing_keep_a_conversation() -> None:
    # Given: three conversations, the two oldest of which are used again
    store = InMemoryCheckpointStore(max_conversations=3)
    await begin(store, "a", "b", "c")
    await store.load("a", "agent", max_messages=0)
    await store.commit("b", "agent", expected_version=1, state={})

    # When
    await begin(store, "d")

    # Then
    assert await stored(store, "a", "b", "c", "d") == ["a", "b", "d"]


async def test_a_run_in_a_dropped_conversation_ends_in_a_conflict() -> None:
    store = InMemoryCheckpointStore(max_conversations=1)
    await begin(store, "a", "b")

    with pytest.raises(StoreConflict) as caught:
        await store.commit("a", "agent", expected_version=1, state={"n": 1})

    assert caught.value.found_version == 0
    assert await stored(store, "a", "b") == ["b"]  # a conflict drops nobody


async def test_without_a_bound_all_are_kept() -> None:
    store = InMemoryCheckpointStore()
    names = [f"c{n}" for n in range(3000)]

    await begin(store, *names)

    assert await stored(store, *names) == names


@pytest.mark.parametrize("bound", [0, -1])
def test_a_bound_that_keeps_nothing_is_refused(bound: int) -> None:
    with pytest.raises(ConfigError, match=f"max_conversations is {bound}; give 1 or more"):
        InMemoryCheckpointStore(bound)


async def test_a_closed_store_still_answers() -> None:
    store = InMemoryCheckpointStore()
    await begin(store, "a")

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
