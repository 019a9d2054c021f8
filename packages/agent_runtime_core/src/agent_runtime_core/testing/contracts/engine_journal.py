"""What was done and told once is not done or told again."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from agent_runtime_core.errors import LLMUnavailable
from agent_runtime_core.interfaces.run_engine import DurableContext, RunEngine
from agent_runtime_core.interfaces.runs import RunEnd
from agent_runtime_core.testing.contracts.engine_work import (
    Work,
    events_of,
    in_time,
    request,
    value_of,
)

__all__ = ["EngineJournal"]


class EngineJournal:
    """The part of the contract about `DurableContext`: steps, their keys, events and deltas."""

    async def test_a_step_that_was_done_is_not_done_again(self, engine: RunEngine, work: Work) -> None:
        keys: list[str] = []
        seen: list[tuple[int, bool]] = []

        async def task(ctx: DurableContext) -> RunEnd:
            seen.append((ctx.attempt, ctx.recorded("charge")))
            keys.append(ctx.step_key("charge"))
            charged = await ctx.step("charge", lambda: value_of({"receipt": work.count("charge")}))
            if work.count("attempt") < 3:
                raise LLMUnavailable("no connection")
            thanked = await ctx.step("thank", lambda: value_of(work.count("thank")))
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
            first = await ctx.step("after", lambda: value_of(work.count("after")))
            if work.count("attempt") == 1:
                raise LLMUnavailable("once more")
            return RunEnd(result={"first": first, "second": await ctx.step("last", lambda: value_of("done"))})

        work.tasks["giving up"] = task
        submitted = await engine.submit(request(input={"task": "giving up"}, max_attempts=2))

        assert (await in_time(engine.wait(submitted.run_id))).result == {"first": 1, "second": "done"}

    async def test_a_result_that_is_no_json_data_is_not_recorded(self, engine: RunEngine, work: Work) -> None:
        async def task(ctx: DurableContext) -> RunEnd:
            with pytest.raises(TypeError, match="odd"):
                await ctx.step("odd", lambda: value_of({1, 2}))
            return RunEnd(result={"recorded": ctx.recorded("odd")})

        work.tasks["odd"] = task
        submitted = await engine.submit(request(input={"task": "odd"}))

        assert (await in_time(engine.wait(submitted.run_id))).result == {"recorded": False}

    async def test_events_come_in_order_and_can_be_taken_up_anywhere(self, engine: RunEngine, work: Work) -> None:
        async def task(ctx: DurableContext) -> RunEnd:
            for number in range(5):
                await ctx.emit(f"event {number}", {"number": number, "text": "é"})
            return RunEnd()

        work.tasks["tell"] = task
        submitted = await engine.submit(request(input={"task": "tell"}))
        told = await in_time(events_of(engine, submitted))

        assert [event["number"] for _, event in told] == [0, 1, 2, 3, 4]
        assert [offset for offset, _ in told] == sorted({offset for offset, _ in told})
        for place, (offset, _) in enumerate(told):
            assert await in_time(events_of(engine, submitted, after=offset)) == told[place + 1 :]
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
        told = await in_time(events_of(engine, submitted))

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
        told = [event for _, event in await in_time(events_of(engine, submitted))]

        deltas = [event for event in told if event["kind"] == "delta"]
        assert "".join(event["text"] for event in deltas if event["attempt"] == 2) == "one two "
        assert told[0] == {"kind": "begun"}
        assert told[-1] == {"kind": "over"}
