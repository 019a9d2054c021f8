"""How runs end that do not succeed, and when they begin that wait for their time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent_runtime_core.errors import LLMUnavailable
from agent_runtime_core.interfaces.run_engine import DurableContext, RunEngine
from agent_runtime_core.interfaces.runs import RunEnd, RunStatus
from agent_runtime_core.testing.contracts.engine_work import (
    Work,
    events_of,
    in_time,
    request,
    value_of,
)

__all__ = ["EngineEnds"]


class EngineEnds:
    """The part of the contract about failures, attempts, `retry`, `cancel` and `at`."""

    async def test_a_failure_is_kept_with_its_reason(self, engine: RunEngine, work: Work) -> None:
        async def task(ctx: DurableContext) -> RunEnd:
            raise KeyError("the colour")

        work.tasks["fail"] = task
        submitted = await engine.submit(request(input={"task": "fail"}, max_attempts=5))
        ended = await in_time(engine.wait(submitted.run_id))

        assert ended.status is RunStatus.FAILED
        assert ended.error == {"type": "KeyError", "message": "'the colour'", "retriable": False}
        assert ended.result is None
        assert ended.attempts == 1

    async def test_a_failure_that_may_pass_is_tried_so_often(self, engine: RunEngine, work: Work) -> None:
        async def task(ctx: DurableContext) -> RunEnd:
            raise LLMUnavailable("no connection")

        work.tasks["fail"] = task
        submitted = await engine.submit(request(input={"task": "fail"}, max_attempts=2))
        ended = await in_time(engine.wait(submitted.run_id))

        assert ended.status is RunStatus.FAILED
        assert ended.attempts == 2
        assert ended.error is not None
        assert ended.error["retriable"] is True

    async def test_a_failed_run_holds_up_nobody(self, engine: RunEngine, work: Work) -> None:
        async def task(ctx: DurableContext) -> RunEnd:
            raise KeyError("lost")

        work.tasks["fail"] = task
        await engine.submit(request("one", input={"task": "fail"}))
        behind = await engine.submit(request("one"))

        assert (await in_time(engine.wait(behind.run_id))).status is RunStatus.SUCCEEDED

    async def test_a_run_that_takes_too_long_is_stopped(self, engine: RunEngine, work: Work) -> None:
        submitted = await engine.submit(request(input={"task": "gate", "gate": "never"}, timeout_s=0.05))
        ended = await in_time(engine.wait(submitted.run_id))

        assert ended.status is RunStatus.TIMED_OUT
        assert ended.error is not None
        assert "0.05 s" in ended.error["message"]

    async def test_a_failed_run_can_be_retried_and_keeps_its_journal(self, engine: RunEngine, work: Work) -> None:
        async def task(ctx: DurableContext) -> RunEnd:
            count = await ctx.step("count", lambda: value_of(work.count("step")))
            if work.count("attempt") == 1:
                raise KeyError("lost")
            return RunEnd(result={"count": count})

        work.tasks["fail"] = task
        submitted = await engine.submit(request(input={"task": "fail"}))
        assert (await in_time(engine.wait(submitted.run_id))).status is RunStatus.FAILED

        again = await engine.retry(submitted.run_id)
        ended = await in_time(engine.wait(submitted.run_id))

        assert not again.status.is_over or again.status is RunStatus.SUCCEEDED
        assert ended.status is RunStatus.SUCCEEDED
        assert ended.result == {"count": 1}
        assert ended.error is None
        with pytest.raises(ValueError, match="succeeded"):
            await engine.retry(submitted.run_id)

    async def test_a_run_that_waits_is_cancelled_before_it_begins(self, engine: RunEngine, work: Work) -> None:
        first = await engine.submit(request("one", input={"task": "gate", "gate": "first"}))
        await in_time(work.arrived("first").wait())
        second, third = await engine.submit(request("one")), await engine.submit(request("one"))

        assert await engine.cancel(second.run_id) is True
        ended = await in_time(engine.wait(second.run_id))
        work.gate("first").set()
        await in_time(engine.wait(third.run_id))

        assert ended.status is RunStatus.CANCELLED
        assert work.begun == [first.run_id, third.run_id]
        assert await in_time(events_of(engine, second)) == []
        assert await engine.cancel(second.run_id) is False

    async def test_a_run_that_is_on_learns_that_it_is_to_stop(self, engine: RunEngine, work: Work) -> None:
        submitted = await engine.submit(request(input={"task": "until_cancelled"}))
        await in_time(work.arrived(submitted.run_id).wait())

        assert await engine.cancel(submitted.run_id) is True
        ended = await in_time(engine.wait(submitted.run_id))

        assert ended.status is RunStatus.CANCELLED
        assert ended.result == {"cancelled": True}
        assert await engine.cancel(submitted.run_id) is False

    async def test_the_next_run_begins_when_the_cancelled_one_has_ended(self, engine: RunEngine, work: Work) -> None:
        first = await engine.submit(request("one", input={"task": "gate", "gate": "first"}))
        await in_time(work.arrived("first").wait())
        second = await engine.submit(request("one"))

        await engine.cancel(first.run_id)
        assert second.run_id not in work.begun
        work.gate("first").set()
        await in_time(engine.wait(second.run_id))

        assert work.ended[0] == first.run_id

    async def test_a_scheduled_run_begins_when_it_is_due_and_holds_up_nobody(
        self, engine: RunEngine, work: Work
    ) -> None:
        due = datetime.now(UTC) + timedelta(seconds=0.4)
        later = await engine.submit(request("one"), at=due)
        now = await engine.submit(request("one"))

        assert later.status is RunStatus.SCHEDULED
        assert later.due_at is not None
        assert (await in_time(engine.wait(now.run_id))).status is RunStatus.SUCCEEDED
        ended = await in_time(engine.wait(later.run_id))

        assert work.begun == [now.run_id, later.run_id]
        assert ended.started_at is not None
        assert ended.started_at >= due - timedelta(seconds=0.1)

    async def test_a_scheduled_run_can_be_taken_back(self, engine: RunEngine, work: Work) -> None:
        later = await engine.submit(request(), at=datetime.now(UTC) + timedelta(hours=1))

        assert await engine.cancel(later.run_id) is True

        assert (await in_time(engine.wait(later.run_id))).status is RunStatus.CANCELLED
        assert work.begun == []

    async def test_a_time_that_is_past_is_now(self, engine: RunEngine, work: Work) -> None:
        submitted = await engine.submit(request(), at=datetime.now(UTC) - timedelta(days=1))
        assert (await in_time(engine.wait(submitted.run_id))).status is RunStatus.SUCCEEDED
