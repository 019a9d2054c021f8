"""The contract of a `RunEngine` as tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from agent_runtime_core.errors import LLMUnavailable, RunNotFound
from agent_runtime_core.interfaces.run_engine import DurableContext, RunEngine
from agent_runtime_core.interfaces.runs import RunEnd, RunInfo, RunRequest, RunStatus

__all__ = ["RunEngineContract"]

PATIENCE_S = 30.0
"""So long a test waits for what has to come; none waits it out when all is well."""


def request(order_key: str = "", **fields: Any) -> RunRequest:
    """A run of its own conversation, unless one is named."""
    run_id = fields.pop("run_id", None) or str(uuid4())
    return RunRequest(run_id=run_id, agent_key="agent", order_key=order_key or f"conversation {run_id}", **fields)


async def in_time(waiting: Awaitable[Any]) -> Any:
    """What comes of it, or a failure of the test."""
    async with asyncio.timeout(PATIENCE_S):
        return await waiting


class Work:
    """Work of tests: does what the run's input says, and writes down what it did."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.counts: dict[str, int] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.at_gate: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, Callable[[DurableContext], Awaitable[RunEnd]]] = {}

    async def __call__(self, ctx: DurableContext) -> RunEnd:
        name = ctx.request.input.get("task", "echo")
        self.begun.append(ctx.request.run_id)
        end = await self.tasks[name](ctx) if name in self.tasks else await getattr(self, f"_{name}")(ctx)
        self.ended.append(ctx.request.run_id)
        return end

    def gate(self, name: str) -> asyncio.Event:
        """Opens for the runs that wait at it."""
        return self.gates.setdefault(name, asyncio.Event())

    def arrived(self, name: str) -> asyncio.Event:
        """Set when a run waits at the gate."""
        return self.at_gate.setdefault(name, asyncio.Event())

    def count(self, name: str) -> int:
        """How often this was counted, now included."""
        self.counts[name] = self.counts.get(name, 0) + 1
        return self.counts[name]

    async def _echo(self, ctx: DurableContext) -> RunEnd:
        return RunEnd(result={"echo": ctx.request.input.get("text", "")})

    async def _gate(self, ctx: DurableContext) -> RunEnd:
        name = ctx.request.input["gate"]
        self.arrived(name).set()
        await self.gate(name).wait()
        return RunEnd()

    async def _until_cancelled(self, ctx: DurableContext) -> RunEnd:
        self.arrived(ctx.request.run_id).set()
        await ctx.wait_cancelled()
        return RunEnd(result={"cancelled": ctx.cancelled()}, status=RunStatus.CANCELLED)


class RunEngineContract:
    """Subclass it and give the fixture `engine`: a new engine that was not started, closed after the test.

    Pauses between attempts should be short there (`retry_pause_s`), or the tests take long.
    """

    @pytest.fixture
    async def work(self, engine: RunEngine) -> AsyncGenerator[Work, None]:
        work = Work()
        await engine.start(work)
        yield work
        for gate in work.gates.values():
            gate.set()

    # Submitting and ending.

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

    # Order.

    async def test_runs_of_one_key_go_one_at_a_time_and_in_order(self, engine: RunEngine, work: Work) -> None:
        at_once = most = 0

        async def task(ctx: DurableContext) -> RunEnd:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await ctx.step("look around", _nothing)
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

        assert (await _status(engine, slow)) is RunStatus.RUNNING
        assert (await _status(engine, behind)) is RunStatus.QUEUED
        work.gate("slow").set()
        assert (await in_time(engine.wait(behind.run_id))).status is RunStatus.SUCCEEDED

    # Steps.

    async def test_a_step_that_was_done_is_not_done_again(self, engine: RunEngine, work: Work) -> None:
        keys: list[str] = []
        seen: list[tuple[int, bool]] = []

        async def task(ctx: DurableContext) -> RunEnd:
            seen.append((ctx.attempt, ctx.recorded("charge")))
            keys.append(ctx.step_key("charge"))
            charged = await ctx.step("charge", lambda: _value({"receipt": work.count("charge")}))
            if work.count("attempt") < 3:
                raise LLMUnavailable("no connection")
            thanked = await ctx.step("thank", lambda: _value(work.count("thank")))
            return RunEnd(result={"charged": charged, "thanked": thanked})

        work.tasks["pay"] = task
        submitted = await engine.submit(request(input={"task": "pay"}, max_attempts=3))
        ended = await in_time(engine.wait(submitted.run_id))

        assert ended.result == {"charged": {"receipt": 1}, "thanked": 1}
        assert ended.attempts == 3
        assert seen == [(1, False), (2, True), (3, True)]
        assert len(set(keys)) == 1

    async def test_step_keys_differ_between_steps_and_runs(self, engine: RunEngine, work: Work) -> None:
        keys: list[str] = []

        async def task(ctx: DurableContext) -> RunEnd:
            keys.extend((ctx.step_key("a"), ctx.step_key("b")))
            return RunEnd()

        work.tasks["keys"] = task
        for _ in range(2):
            submitted = await engine.submit(request(input={"task": "keys"}))
            await in_time(engine.wait(submitted.run_id))

        assert len(set(keys)) == 4

    async def test_a_step_that_failed_is_done_again(self, engine: RunEngine, work: Work) -> None:
        async def unsteady() -> int:
            if work.count("unsteady") == 1:
                raise LLMUnavailable("not now")
            return work.counts["unsteady"]

        async def task(ctx: DurableContext) -> RunEnd:
            return RunEnd(result={"count": await ctx.step("unsteady", unsteady)})

        work.tasks["unsteady"] = task
        submitted = await engine.submit(request(input={"task": "unsteady"}, max_attempts=2))

        assert (await in_time(engine.wait(submitted.run_id))).result == {"count": 2}

    async def test_within_an_attempt_a_failed_step_may_be_tried_again(self, engine: RunEngine, work: Work) -> None:
        async def unsteady() -> int:
            if work.count("unsteady") == 1:
                raise KeyError("not yet")
            return work.counts["unsteady"]

        async def task(ctx: DurableContext) -> RunEnd:
            with pytest.raises(KeyError, match="not yet"):
                await ctx.step("unsteady", unsteady)
            return RunEnd(result={"count": await ctx.step("unsteady", unsteady)})

        work.tasks["unsteady"] = task
        submitted = await engine.submit(request(input={"task": "unsteady"}))

        assert (await in_time(engine.wait(submitted.run_id))).result == {"count": 2}

    async def test_a_step_may_give_up_and_the_run_go_on(self, engine: RunEngine, work: Work) -> None:
        async def task(ctx: DurableContext) -> RunEnd:
            try:
                async with asyncio.timeout(0.01):
                    await ctx.step("endless", asyncio.Event().wait)
            except TimeoutError:
                pass
            first = await ctx.step("after", lambda: _value(work.count("after")))
            if work.count("attempt") == 1:
                raise LLMUnavailable("once more")
            return RunEnd(result={"first": first, "second": await ctx.step("last", lambda: _value("done"))})

        work.tasks["giving up"] = task
        submitted = await engine.submit(request(input={"task": "giving up"}, max_attempts=2))

        assert (await in_time(engine.wait(submitted.run_id))).result == {"first": 1, "second": "done"}

    async def test_a_result_that_is_no_json_data_is_not_recorded(self, engine: RunEngine, work: Work) -> None:
        async def task(ctx: DurableContext) -> RunEnd:
            with pytest.raises(TypeError, match="odd"):
                await ctx.step("odd", lambda: _value({1, 2}))
            return RunEnd(result={"recorded": ctx.recorded("odd")})

        work.tasks["odd"] = task
        submitted = await engine.submit(request(input={"task": "odd"}))

        assert (await in_time(engine.wait(submitted.run_id))).result == {"recorded": False}

    # Events.

    async def test_events_come_in_order_and_can_be_taken_up_anywhere(self, engine: RunEngine, work: Work) -> None:
        async def task(ctx: DurableContext) -> RunEnd:
            for number in range(5):
                await ctx.emit(f"event {number}", {"number": number, "text": "é"})
            return RunEnd()

        work.tasks["tell"] = task
        submitted = await engine.submit(request(input={"task": "tell"}))
        told = await in_time(_events(engine, submitted))

        assert [event["number"] for _, event in told] == [0, 1, 2, 3, 4]
        assert [offset for offset, _ in told] == sorted({offset for offset, _ in told})
        for place, (offset, _) in enumerate(told):
            assert await in_time(_events(engine, submitted, after=offset)) == told[place + 1 :]
        assert told[0][0] >= 1

    async def test_events_are_there_while_the_run_is_on(self, engine: RunEngine, work: Work) -> None:
        async def task(ctx: DurableContext) -> RunEnd:
            await ctx.emit("begun", {"kind": "begun"})
            await ctx.flush()
            await work.gate("told").wait()
            await ctx.emit("over", {"kind": "over"})
            return RunEnd()

        work.tasks["tell"] = task
        submitted = await engine.submit(request(input={"task": "tell"}))
        async with aclosing(engine.events(submitted.run_id)) as events:
            first = await in_time(anext(events))
            work.gate("told").set()
            second = await in_time(anext(events))
            with pytest.raises(StopAsyncIteration):
                await in_time(anext(events))

        assert first[1] == {"kind": "begun"}
        assert second[1] == {"kind": "over"}

    async def test_an_event_is_told_once_however_often_it_is_emitted(self, engine: RunEngine, work: Work) -> None:
        earlier: list[list[Any]] = []

        async def task(ctx: DurableContext) -> RunEnd:
            earlier.append([event["kind"] for event in ctx.earlier_events])
            await ctx.emit("1", {"kind": "begun", "by": ctx.attempt})
            await ctx.emit("1", {"kind": "begun again", "by": ctx.attempt})
            if work.count("attempt") == 1:
                raise LLMUnavailable("once more")
            await ctx.emit("2", {"kind": "over", "by": ctx.attempt})
            return RunEnd()

        work.tasks["tell"] = task
        submitted = await engine.submit(request(input={"task": "tell"}, max_attempts=2))
        told = await in_time(_events(engine, submitted))

        assert [event for _, event in told] == [{"kind": "begun", "by": 1}, {"kind": "over", "by": 2}]
        assert earlier == [[], ["begun"]]

    async def test_deltas_say_of_which_attempt_they_are(self, engine: RunEngine, work: Work) -> None:
        async def task(ctx: DurableContext) -> RunEnd:
            await ctx.emit("1", {"kind": "begun"})
            for word in ("one ", "two "):
                await ctx.emit_delta({"kind": "delta", "text": word})
            if work.count("attempt") == 1:
                raise LLMUnavailable("once more")
            await ctx.emit("2", {"kind": "over"})
            return RunEnd()

        work.tasks["tell"] = task
        submitted = await engine.submit(request(input={"task": "tell"}, max_attempts=2))
        told = [event for _, event in await in_time(_events(engine, submitted))]

        deltas = [event for event in told if event["kind"] == "delta"]
        assert "".join(event["text"] for event in deltas if event["attempt"] == 2) == "one two "
        assert told[0] == {"kind": "begun"}
        assert told[-1] == {"kind": "over"}

    # Failures.

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
            count = await ctx.step("count", lambda: _value(work.count("step")))
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

    # Cancelling.

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
        assert await in_time(_events(engine, second)) == []
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

    # Time.

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

    # Looking and forgetting.

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
        assert (await _status(engine, on)) is RunStatus.RUNNING

    async def test_health_counts_what_there_is(self, engine: RunEngine, work: Work) -> None:
        await engine.submit(request("one", input={"task": "gate", "gate": "on"}))
        await in_time(work.arrived("on").wait())
        await engine.submit(request("one"))
        await engine.submit(request("two"), at=datetime.now(UTC) + timedelta(hours=1))

        health = await engine.health()

        assert (health.running, health.queued, health.scheduled, health.parked) == (1, 1, 1, 0)
        assert health.workers == 1
        assert health.oldest_queued_s >= 0.0

    # Stopping.

    async def test_a_stopped_engine_lets_its_runs_end_and_begins_no_other(self, engine: RunEngine, work: Work) -> None:
        on = await engine.submit(request("one", input={"task": "gate", "gate": "on"}))
        await in_time(work.arrived("on").wait())
        behind = await engine.submit(request("one"))

        stopping = asyncio.ensure_future(engine.stop(drain_s=PATIENCE_S))
        await asyncio.wait({stopping}, timeout=0.05)  # lets it begin; it cannot end while the run is on
        work.gate("on").set()
        await in_time(stopping)

        assert (await _status(engine, on)) is RunStatus.SUCCEEDED
        assert (await _status(engine, behind)) is RunStatus.QUEUED
        assert work.begun == [on.run_id]

    async def test_it_is_started_once(self, engine: RunEngine, work: Work) -> None:
        with pytest.raises(RuntimeError, match="started before"):
            await engine.start(work)

    async def test_closing_twice_does_nothing(self, engine: RunEngine) -> None:
        await in_time(engine.close())
        closing = asyncio.ensure_future(engine.close())
        done, _ = await asyncio.wait({closing}, timeout=PATIENCE_S)
        assert [task.exception() for task in done] == [None]


async def _nothing() -> None:
    await asyncio.sleep(0)


async def _value(value: Any) -> Any:
    return value


async def _status(engine: RunEngine, info: RunInfo) -> RunStatus:
    found = await engine.status(info.run_id)
    assert found is not None
    return found.status


async def _events(engine: RunEngine, info: RunInfo, *, after: int = 0) -> list[tuple[int, dict[str, Any]]]:
    async with aclosing(engine.events(info.run_id, after=after)) as events:
        return [event async for event in events]
