"""Workflows whose progress is rows."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model

from agent_runtime_core.steps import Step, StepCancelledError, StepExecutionError
from django_agent_runtime import DjangoRunContext, DjangoStepExecutor
from django_agent_runtime.models import StepCheckpoint, StepEvent


def steps(done: list[str], failing: bool = False) -> list[Step]:
    async def first(ctx, state):
        done.append("first")
        state["seen"] = 1
        return {"found": 3}

    async def second(ctx, state):
        done.append("second")
        if failing:
            raise ValueError("no")
        return state["seen"]

    return [Step("first", first), Step("second", second, retries=1, retry_delay=0)]


async def test_a_workflow_that_failed_goes_on_in_another_process(runs_alias):
    user = await get_user_model().objects.acreate(username="ada")
    run_id = uuid4()
    done: list[str] = []
    executor = DjangoStepExecutor(DjangoRunContext(run_id, user=user))
    assert await executor.get_checkpoint() is None
    with pytest.raises(StepExecutionError):
        await executor.run(steps(done, failing=True), initial_state={"seen": 0})
    failed = await executor.get_checkpoint()

    results = await DjangoStepExecutor.resume_from_checkpoint(DjangoRunContext(run_id, user=user), steps(done))

    assert done == ["first", "second", "second", "second"]
    assert results == {"first": {"found": 3}, "second": 1}
    assert failed is not None
    assert (failed.status, failed.completed_steps, failed.user_id) == ("failed", ["first"], user.pk)
    assert "ValueError: no" in failed.last_error
    row = await DjangoStepExecutor.get_checkpoint_for_run(run_id)
    assert row is not None
    assert (row.status, row.completed_steps, row.total_attempts) == ("completed", ["first", "second"], 2)
    assert row.completed_at is not None
    assert row.execution_id == failed.execution_id
    types = [event.event_type async for event in StepEvent.objects.filter(run_id=run_id, checkpoint=row)]
    assert types.count("step.completed") == 2
    assert "step.retrying" in types


async def test_any_state_is_kept(runs_alias):
    ctx = DjangoRunContext(uuid4())
    assert await ctx.get_state() is None

    await ctx.checkpoint({"a": [1, {"b": None}]})
    await ctx.checkpoint({"c": "x"})

    assert await DjangoRunContext(ctx.run_id).get_state() == {"c": "x"}
    with pytest.raises(TypeError):
        await ctx.checkpoint({"c": object()})
    assert await ctx.get_state() == {"c": "x"}
    await ctx.checkpoint({})
    assert await ctx.get_state() == {}


async def test_two_workflows_and_other_state_share_a_run(runs_alias):
    ctx = DjangoRunContext(uuid4())
    done: list[str] = []
    await ctx.checkpoint({"mine": True})

    await DjangoStepExecutor(ctx, checkpoint_key="one").run(steps(done))
    await DjangoStepExecutor(ctx, checkpoint_key="two").run(steps(done), initial_state={"x": 1})

    state = await ctx.get_state()
    assert state is not None
    assert set(state) == {"mine", "one", "two"}
    assert state["one"]["completed_steps"] == ["first", "second"]
    assert state["two"]["custom_state"] == {"x": 1, "seen": 1}
    assert await DjangoStepExecutor(ctx, checkpoint_key="one").run(steps(done)) == {"first": {"found": 3}, "second": 1}
    assert len(done) == 4


async def test_a_cancelled_workflow_says_so(runs_alias):
    ctx = DjangoRunContext(uuid4())
    ctx.cancel()

    with pytest.raises(StepCancelledError):
        await DjangoStepExecutor(ctx).run(steps([]))

    assert (await StepCheckpoint.objects.aget(run_id=ctx.run_id, checkpoint_key="_step_executor_state")).status == (
        "cancelled"
    )


async def test_events_are_rows_and_in_the_cache(runs_alias):
    ctx = DjangoRunContext(uuid4())
    await ctx.emit_user_message("Hello!")

    (event,) = await DjangoRunContext(ctx.run_id).get_events()
    assert (event["event_type"], event["payload"]) == ("assistant.message", {"content": "Hello!"})
    assert ctx.get_cached_events() == [event]
    silent = DjangoRunContext(uuid4(), use_cache_for_events=False)
    await silent.emit("progress.update", {})
    assert silent.get_cached_events() == []
