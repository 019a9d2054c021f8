"""A tool's time limit: it costs nothing when nobody waits, and stops what waits too long, whatever it waits in."""

from __future__ import annotations

import asyncio
import contextvars

import anyio
import pytest

from agent_runtime_framework.tools.time_limit import ToolTimeout, within

SOON = 0.02
LONG = 60.0


def cancellations_left() -> int:
    """How many cancellations of the running task nobody has taken back."""
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling()


async def forever() -> str:
    await asyncio.Event().wait()
    return "never"


# Work that ends in time.


async def test_work_that_never_waits_is_done_at_once_even_when_no_time_is_left():
    async def work():
        return "done"

    assert await within(0, work()) == "done"


async def test_work_that_waits_is_awaited():
    async def work():
        await asyncio.sleep(0)
        first = await asyncio.to_thread(lambda: "a")
        second = await asyncio.gather(asyncio.sleep(0, "b"), asyncio.sleep(0, "c"))
        return [first, *second]

    assert await within(LONG, work()) == ["a", "b", "c"]


@pytest.mark.parametrize("waits", [True, False])
async def test_what_the_work_raises_comes_out_as_it_is(waits):
    error = ValueError("broken")

    async def work():
        if waits:
            await asyncio.sleep(0)
        raise error

    with pytest.raises(ValueError, match="broken") as caught:
        await within(LONG, work())

    assert caught.value is error


@pytest.mark.parametrize("waits", [True, False])
async def test_the_works_own_timeout_is_no_timeout_of_ours(waits):
    async def work():
        if waits:
            await asyncio.sleep(0)
        raise TimeoutError("the backend's own")

    with pytest.raises(TimeoutError, match="the backend's own"):
        await within(LONG, work())


async def test_a_future_that_was_cancelled_by_others_is_no_timeout():
    async def work():
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.cancel)
        await future

    task = asyncio.create_task(within(LONG, work()))

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_work_runs_in_the_task_and_the_context_of_its_caller():
    seen = contextvars.ContextVar("seen", default=0)

    async def work():
        seen.set(1)
        before = asyncio.current_task()
        await asyncio.sleep(0)
        seen.set(2)
        return before, asyncio.current_task()

    tasks = await within(LONG, work())

    assert set(tasks) == {asyncio.current_task()}
    assert seen.get() == 2


# Work that does not.


@pytest.mark.parametrize("seconds", [SOON, 0, -1])
async def test_work_that_waits_too_long_is_stopped(seconds):
    ended = []

    async def work():
        try:
            await forever()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    with pytest.raises(ToolTimeout):
        await within(seconds, work())

    assert ended == ["cancelled"]
    assert cancellations_left() == 0
    await asyncio.sleep(0)  # nothing is left of the cancellation


async def test_all_that_the_work_has_started_ends_with_it():
    ended = []

    async def part(name):
        try:
            await forever()
        finally:
            ended.append(name)

    async def work():
        await asyncio.gather(part("a"), asyncio.gather(part("b"), part("c")))

    with pytest.raises(ToolTimeout):
        await within(SOON, work())
    await asyncio.sleep(0)

    assert sorted(ended) == ["a", "b", "c"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_task_group_of_the_work_ends_with_it():
    async def work():
        async with asyncio.TaskGroup() as group:
            group.create_task(forever())
            group.create_task(forever())

    with pytest.raises(ToolTimeout):
        await within(SOON, work())

    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_task_group_that_fails_before_the_limit_is_a_failure_and_no_timeout():
    async def fail():
        await asyncio.sleep(0)
        raise ValueError("broken")

    async def work():
        async with asyncio.TaskGroup() as group:
            group.create_task(forever())
            group.create_task(fail())

    with pytest.raises(ExceptionGroup) as caught:
        await within(LONG, work())

    assert caught.group_contains(ValueError, match="broken")


async def test_a_shorter_timeout_inside_the_work_is_the_works_own():
    async def work():
        try:
            async with asyncio.timeout(SOON):
                await forever()
        except TimeoutError:
            return "gave up"

    assert await within(LONG, work()) == "gave up"


async def test_a_longer_timeout_inside_the_work_does_not_hide_ours():
    async def work():
        async with asyncio.timeout(LONG):
            await forever()

    with pytest.raises(ToolTimeout):
        await within(SOON, work())

    assert cancellations_left() == 0


async def test_two_timeouts_that_end_at_one_moment_leave_a_task_that_can_go_on():
    async def work():
        async with asyncio.timeout(0):
            await forever()

    with pytest.raises((ToolTimeout, TimeoutError)):
        await within(0, work())

    assert cancellations_left() == 0
    await asyncio.sleep(0)


async def test_wait_for_inside_the_work_does_not_hide_ours():
    async def work():
        await asyncio.wait_for(forever(), LONG)

    with pytest.raises(ToolTimeout):
        await within(SOON, work())

    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_the_limit_holds_inside_anyio():
    ended = []

    async def part():
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    async def work():
        async with anyio.create_task_group() as group:
            group.start_soon(part)
            with anyio.move_on_after(LONG):
                await anyio.sleep_forever()

    with pytest.raises(ToolTimeout):
        await within(SOON, work())

    assert ended == [True]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_scope_of_anyio_that_ends_before_the_limit_is_the_works_own():
    async def work():
        with anyio.move_on_after(SOON) as scope:
            await anyio.sleep_forever()
        return scope.cancelled_caught

    assert await within(LONG, work()) is True


async def test_work_that_swallows_its_cancellation_gives_its_result_all_the_same():
    async def work():
        try:
            await forever()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            return "cleaned up"

    assert await within(SOON, work()) == "cleaned up"
    assert cancellations_left() == 0


# Cancellation from outside.


@pytest.mark.parametrize("limit", [LONG, 1e9])
async def test_cancellation_from_outside_is_no_timeout(limit):
    begun = asyncio.Event()
    ended = []

    async def work():
        begun.set()
        try:
            await forever()
        finally:
            ended.append(True)

    task = asyncio.create_task(within(limit, work()))
    await begun.wait()
    task.cancel("enough")

    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert ended == [True]


async def test_cancellation_from_outside_at_the_moment_of_the_timeout_is_not_lost():
    async def cancelled_when_stopped():
        try:
            await forever()
        except asyncio.CancelledError:
            task.cancel()
            raise

    task = asyncio.create_task(within(SOON, cancelled_when_stopped()))

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_timeout_around_ours_stays_the_one_of_its_owner():
    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(SOON):
            await within(LONG, forever())

    assert not isinstance(caught.value, ToolTimeout)
    assert cancellations_left() == 0


async def test_work_that_is_left_alone_is_closed_with_its_owner():
    ended = []

    async def work():
        try:
            await forever()
        finally:
            ended.append(True)

    running = within(LONG, work())
    running.send(None)
    running.close()

    assert ended == [True]
