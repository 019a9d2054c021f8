"""Runs are submitted once, done in order, found again and forgotten."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_runtime_core.errors import RunNotFound
from agent_runtime_core.interfaces.run_engine import DurableContext, RunEngine
from agent_runtime_core.interfaces.runs import RunEnd, RunRequest, RunStatus
from agent_runtime_core.testing.contracts.engine_work import (
    PATIENCE_S,
    Work,
    in_time,
    nothing,
    request,
    status_of,
)

__all__ = ["EngineRuns"]


class EngineRuns:
    """The part of the contract about `submit`, `wait`, `runs`, `prune`, `health`, `stop` and the order of runs."""

    async def test_a_run_ends_with_what_its_work_gave(self, engine: RunEngine, work: Work) -> None:
        submitted = await engine.submit(request(run_id="", input={"text": "Ada ✓"}))

        ended = await in_time(engine.wait(submitted.run_id))

        assert ended.status is RunStatus.SUCCEEDED
        assert ended.result == {"echo": "Ada ✓"}
        assert ended.error is None
        assert ended.attempts == 1
        assert ended.submitted_at.tzinfo is not None
        assert ended.started_at is not None
        assert ended.finished_at is not None
        assert ended.submitted_at <= ended.started_at <= ended.finished_at
        assert ended.request.input == {"text": "Ada ✓"}

    async def test_what_is_submitted_before_the_start_runs_after_it(self, engine: RunEngine) -> None:
        submitted = await engine.submit(request(input={"text": "early"}))
        assert submitted.status is RunStatus.QUEUED

        await engine.start(Work())

        assert (await in_time(engine.wait(submitted.run_id))).result == {"echo": "early"}

    async def test_one_id_is_one_run_however_often_it_is_submitted(self, engine: RunEngine, work: Work) -> None:
        first = request(input={"text": "first"})
        again = request(run_id=first.run_id, input={"text": "again"})

        infos = await asyncio.gather(engine.submit(first), *(engine.submit(first) for _ in range(7)))
        ended = await in_time(engine.wait(first.run_id))
        late = await engine.submit(again)

        assert {info.run_id for info in infos} == {first.run_id}
        assert work.begun == [first.run_id]
        assert late.status is RunStatus.SUCCEEDED
        assert late.result == ended.result == {"echo": "first"}

    async def test_an_unknown_run_is_told_as_such(self, engine: RunEngine, work: Work) -> None:
        assert await engine.status("nobody") is None
        assert await engine.cancel("nobody") is False
        with pytest.raises(RunNotFound, match="nobody"):
            await engine.wait("nobody")
        with pytest.raises(RunNotFound, match="nobody"):
            await anext(engine.events("nobody"))
        with pytest.raises(RunNotFound, match="nobody"):
            await engine.retry("nobody")

    @pytest.mark.parametrize("wrong", [{"when": datetime(2026, 1, 1)}, {"names": ("a", "b")}, {1: "one"}])
    async def test_input_is_json_data_or_refused(self, engine: RunEngine, work: Work, wrong: dict[Any, Any]) -> None:
        asked = request(input=wrong)
        with pytest.raises(TypeError, match="input"):
            await engine.submit(asked)
        assert await engine.status(asked.run_id) is None

    async def test_a_request_that_makes_no_sense_is_refused(self, engine: RunEngine, work: Work) -> None:
        with pytest.raises(ValueError, match="run_id"):
            await engine.submit(RunRequest(run_id="", agent_key="agent", order_key="key"))
        with pytest.raises(ValueError, match="order_key"):
            await engine.submit(RunRequest(run_id="run", agent_key="agent", order_key=""))
        with pytest.raises(ValueError, match="max_attempts"):
            await engine.submit(request(max_attempts=0))
        with pytest.raises(ValueError, match="timeout_s"):
            await engine.submit(request(timeout_s=0))
        with pytest.raises(ValueError, match="time zone"):
            await engine.submit(request(), at=datetime(2030, 1, 1))

    async def test_waiting_ends_in_time_and_the_run_goes_on(self, engine: RunEngine, work: Work) -> None:
        submitted = await engine.submit(request(input={"task": "gate", "gate": "closed"}))
        await in_time(work.arrived("closed").wait())

        with pytest.raises(TimeoutError):
            await engine.wait(submitted.run_id, timeout_s=0.01)
        work.gate("closed").set()

        assert (await in_time(engine.wait(submitted.run_id))).status is RunStatus.SUCCEEDED

    async def test_runs_of_one_key_go_one_at_a_time_and_in_order(self, engine: RunEngine, work: Work) -> None:
        at_once = most = 0

        async def task(ctx: DurableContext) -> RunEnd:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await ctx.step("look around", nothing)
            at_once -= 1
            return RunEnd()

        work.tasks["alone"] = task
        asked = [request("one conversation", input={"task": "alone"}) for _ in range(6)]
        for each in asked:
            await engine.submit(each)
        await in_time(asyncio.gather(*(engine.wait(each.run_id) for each in asked)))

        assert work.begun == [each.run_id for each in asked]
        assert most == 1

    async def test_runs_of_other_keys_do_not_wait(self, engine: RunEngine, work: Work) -> None:
        slow = await engine.submit(request("slow", input={"task": "gate", "gate": "slow"}))
        await in_time(work.arrived("slow").wait())
        behind = await engine.submit(request("slow"))

        quick = await engine.submit(request("quick"))
        assert (await in_time(engine.wait(quick.run_id))).status is RunStatus.SUCCEEDED

        assert (await status_of(engine, slow)) is RunStatus.RUNNING
        assert (await status_of(engine, behind)) is RunStatus.QUEUED
        work.gate("slow").set()
        assert (await in_time(engine.wait(behind.run_id))).status is RunStatus.SUCCEEDED

    async def test_runs_are_listed_by_what_they_are(self, engine: RunEngine, work: Work) -> None:
        async def task(ctx: DurableContext) -> RunEnd:
            raise KeyError("lost")

        work.tasks["fail"] = task
        good = await engine.submit(request("one"))
        await in_time(engine.wait(good.run_id))
        bad = await engine.submit(request("two", input={"task": "fail"}))
        await in_time(engine.wait(bad.run_id))

        assert [info.run_id for info in await engine.runs()] == [bad.run_id, good.run_id]
        assert [info.run_id for info in await engine.runs(limit=1, offset=1)] == [good.run_id]
        assert [info.run_id for info in await engine.runs(status=RunStatus.FAILED)] == [bad.run_id]
        assert [info.run_id for info in await engine.runs(order_key="one")] == [good.run_id]
        assert await engine.runs(agent_key="nobody") == []
        assert len(await engine.runs(agent_key="agent")) == 2

    async def test_what_is_pruned_is_gone(self, engine: RunEngine, work: Work) -> None:
        old = await engine.submit(request())
        await in_time(engine.wait(old.run_id))
        between = datetime.now(UTC)
        on = await engine.submit(request(input={"task": "gate", "gate": "on"}))
        await in_time(work.arrived("on").wait())

        assert await engine.prune(finished_before=between - timedelta(hours=1)) == 0
        assert await engine.prune(finished_before=datetime.now(UTC) + timedelta(hours=1)) == 1

        assert await engine.status(old.run_id) is None
        assert (await status_of(engine, on)) is RunStatus.RUNNING

    async def test_health_counts_what_there_is(self, engine: RunEngine, work: Work) -> None:
        await engine.submit(request("one", input={"task": "gate", "gate": "on"}))
        await in_time(work.arrived("on").wait())
        await engine.submit(request("one"))
        await engine.submit(request("two"), at=datetime.now(UTC) + timedelta(hours=1))

        health = await engine.health()

        assert (health.running, health.queued, health.scheduled, health.parked) == (1, 1, 1, 0)
        assert health.workers == 1
        assert health.oldest_queued_s >= 0.0

    async def test_a_stopped_engine_lets_its_runs_end_and_begins_no_other(self, engine: RunEngine, work: Work) -> None:
        on = await engine.submit(request("one", input={"task": "gate", "gate": "on"}))
        await in_time(work.arrived("on").wait())
        behind = await engine.submit(request("one"))

        stopping = asyncio.ensure_future(engine.stop(drain_s=PATIENCE_S))
        await asyncio.wait({stopping}, timeout=0.05)  # lets it begin; it cannot end while the run is on
        work.gate("on").set()
        await in_time(stopping)

        assert (await status_of(engine, on)) is RunStatus.SUCCEEDED
        assert (await status_of(engine, behind)) is RunStatus.QUEUED
        assert work.begun == [on.run_id]

    async def test_it_is_started_once(self, engine: RunEngine, work: Work) -> None:
        with pytest.raises(RuntimeError, match="started before"):
            await engine.start(work)

    async def test_closing_twice_does_nothing(self, engine: RunEngine) -> None:
        await in_time(engine.close())
        closing = asyncio.ensure_future(engine.close())
        done, _ = await asyncio.wait({closing}, timeout=PATIENCE_S)
        assert [task.exception() for task in done] == [None]
