"""One at a time for each key."""

from __future__ import annotations

import asyncio
import threading

import pytest

from agent_runtime_framework.memory.key_lock import KeyLock


async def turns(times: int = 3) -> None:
    """Let the other tasks run."""
    for _ in range(times):
        await asyncio.sleep(0)


async def test_tasks_get_a_key_one_after_the_other_in_their_order() -> None:
    # Given three tasks that each do something in two parts
    lock = KeyLock()
    done: list[str] = []

    async def work(name: str) -> None:
        async with lock.holding("key"):
            done.append(f"{name} begins")
            await turns()
            done.append(f"{name} ends")

    # When they start together
    await asyncio.gather(work("one"), work("two"), work("three"))

    # Then no part of another comes between
    assert done == ["one begins", "one ends", "two begins", "two ends", "three begins", "three ends"]


async def test_another_key_does_not_wait() -> None:
    lock = KeyLock()

    async with lock.holding("one"), lock.holding("two"):
        pass

    assert lock._waiting == {}


async def test_an_error_gives_the_key_back() -> None:
    lock = KeyLock()

    with pytest.raises(RuntimeError, match="oops"):
        async with lock.holding("key"):
            raise RuntimeError("oops")

    async with lock.holding("key"):
        pass
    assert lock._waiting == {}


async def test_a_task_that_is_cancelled_while_it_waits_leaves_the_queue() -> None:
    # Given a holder, one who waits, and one behind
    lock = KeyLock()
    got: list[str] = []

    async def wait_for_it(name: str) -> None:
        async with lock.holding("key"):
            got.append(name)

    async with lock.holding("key"):
        first = asyncio.create_task(wait_for_it("first"))
        second = asyncio.create_task(wait_for_it("second"))
        await turns()

        # When the one who waits gives up
        first.cancel()
        await turns()

    # Then the one behind gets the key
    await second
    assert first.cancelled()
    assert got == ["second"]
    assert lock._waiting == {}


async def test_a_task_that_is_cancelled_as_it_gets_the_key_passes_it_on() -> None:
    # Given a holder, one who waits, and one behind
    lock = KeyLock()
    got: list[str] = []

    async def wait_for_it(name: str) -> None:
        async with lock.holding("key"):
            got.append(name)

    async with lock.holding("key"):
        first = asyncio.create_task(wait_for_it("first"))
        second = asyncio.create_task(wait_for_it("second"))
        await turns()

    # When the key has been handed over, but the task has not run yet
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)

    # Then the key is not lost
    assert first.cancelled()
    assert got == ["second"]
    assert lock._waiting == {}


def test_event_loops_in_threads_wait_for_each_other() -> None:
    # Given a counter that is read and written with a switch to other tasks in between
    lock = KeyLock()
    counter = {"value": 0}

    async def count() -> None:
        async with lock.holding("key"):
            value = counter["value"]
            await turns()
            counter["value"] = value + 1

    async def count_often() -> None:
        await asyncio.gather(*(count() for _ in range(25)))

    # When four event loops count at once
    threads = [threading.Thread(target=lambda: asyncio.run(count_often())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # Then no count is lost
    assert counter["value"] == 100
    assert lock._waiting == {}


async def test_an_event_loop_that_was_closed_while_it_waited_holds_nobody_up() -> None:
    # Given a place in the queue whose loop was closed without cancelling its tasks
    lock = KeyLock()
    abandoned = asyncio.new_event_loop()
    async with lock.holding("key"):
        lock._waiting["key"].append(abandoned.create_future())
        abandoned.close()

    # Then the key is free as soon as its holder is done
    assert lock._waiting == {}
