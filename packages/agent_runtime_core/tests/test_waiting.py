"""Work ends before the cancellation of its caller goes on, however often he is cancelled."""

from __future__ import annotations

import asyncio
import threading

import pytest

from agent_runtime_core.waiting import done_in_thread, stop


async def test_work_on_a_thread_gives_its_result_or_its_error() -> None:
    assert await done_in_thread(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await done_in_thread(divmod, 1, 0)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancelled_caller_waits_for_the_thread(fails: bool) -> None:
    # Given: work that has begun and waits
    begun, may_end, ended = asyncio.Event(), threading.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        may_end.wait(10)
        ended.set()
        if fails:
            raise ValueError("nobody is there to see it")

    task = asyncio.create_task(done_in_thread(work))
    await begun.wait()

    # When: its caller is cancelled twice
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    before = task.done()
    may_end.set()
    await asyncio.wait({task})

    # Then
    assert (before, task.cancelled(), ended.is_set()) == (False, True, True)


async def test_a_task_that_refuses_to_end_is_asked_again_with_each_cancellation() -> None:
    # Given: a task that ends at the second request only
    requests = 0
    begun = asyncio.Event()

    async def stubborn() -> str:
        nonlocal requests
        begun.set()
        while requests < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                requests += 1
        return "ended"

    task = asyncio.create_task(stubborn())
    await begun.wait()
    stopping = asyncio.create_task(stop(task))
    while requests < 1:  # noqa: ASYNC110 - the event loop itself is what moves on
        await asyncio.sleep(0)
    before = task.done()

    # When
    stopping.cancel()
    await asyncio.wait({stopping})

    # Then
    assert (before, task.result(), stopping.cancelled()) == (False, "ended", True)


async def test_a_task_that_has_ended_is_left_as_it_is() -> None:
    task = asyncio.create_task(asyncio.sleep(0, "result"))
    await task

    await stop(task)

    assert task.result() == "result"
