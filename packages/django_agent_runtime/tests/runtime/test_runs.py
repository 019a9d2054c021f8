"""Handing runs over and asking them to stop, with the engine of this process."""

from __future__ import annotations

import asyncio
import threading
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import connections, transaction

from agent_runtime_core.interfaces import ErrorInfo, EventType, RunResult
from django_agent_runtime.models import AgentConversation, AgentEvent, AgentRun, RunStatus
from django_agent_runtime.runtime.runs import acancel, asubmit, submit
from django_agent_runtime.signals import run_completed
from tests.django_project.agents import Agent, Stubborn, said
from tests.django_project.project import terminated
from tests.django_project.runs import ended


async def types_of(run: AgentRun) -> list[str]:
    rows = AgentEvent.objects.using(run._state.db).filter(run=run.pk).order_by("seq")
    return [event.event_type async for event in rows]


async def begun(agent, conversation=None, text="Hi", **fields) -> AgentRun:
    run = await AgentRun.objects.acreate(agent_key=agent.key, conversation=conversation, input=said(text), **fields)
    await asubmit(run)
    return run


# Doing runs.


async def test_a_run_is_done_and_told_in_order(runs_alias, registered):
    async def work(ctx):
        await ctx.emit("progress.update", {"done": 1})
        await ctx.checkpoint({"step": "one"})
        await ctx.emit_user_message("Hello!")
        return RunResult(final_output={"response": "Hello!"}, usage={"total_tokens": 3})

    run = await begun(registered(Agent(work)))

    row = await ended(run)
    assert (row.status, row.lease_owner, row.lease_expires_at) == ("succeeded", "", None)
    assert row.output["final_output"] == {"response": "Hello!"}
    assert row.started_at is not None
    assert row.finished_at is not None
    events = [event async for event in AgentEvent.objects.filter(run=run.pk)]
    assert [event.seq for event in events] == list(range(5))
    assert [event.event_type for event in events] == [
        "run.started",
        "progress.update",
        "state.checkpoint",
        "assistant.message",
        "run.succeeded",
    ]
    assert events[0].payload == {"agent_key": "agent", "attempt": 1}
    assert events[-1].payload == {"output": {"response": "Hello!"}, "usage": {"total_tokens": 3}}


async def test_nothing_runs_before_the_transaction_is_committed(runs_alias, registered):
    agent = registered(Agent())

    def roll_back():
        with transaction.atomic(using=runs_alias):
            run = AgentRun.objects.create(agent_key=agent.key, input=said("Hi"))
            submit(run)
            transaction.set_rollback(True, using=runs_alias)

    await sync_to_async(roll_back)()
    run = await begun(agent)  # it would come behind the other one

    assert (await ended(run)).status == RunStatus.SUCCEEDED
    assert agent.runs == 1


async def test_the_next_run_gets_history_and_state_of_the_one_before(runs_alias, registered):
    seen = []

    async def work(ctx):
        seen.append((ctx.input_messages, await ctx.get_state()))
        await ctx.checkpoint({"count": len(seen)})
        reply = {"role": "assistant", "content": "yes"}
        return RunResult(final_output={}, final_messages=[reply])

    agent = registered(Agent(work))
    conversation = await AgentConversation.objects.acreate(agent_key=agent.key)
    for _ in range(2):
        await ended(await begun(agent, conversation, "yes"))

    first, second = seen
    assert first == ([{"role": "user", "content": "yes"}], None)
    # Equal texts stay different messages.
    assert [message["content"] for message in second[0]] == ["yes", "yes", "yes"]
    assert second[1] == {"count": 1}


async def test_what_a_failed_run_said_and_kept_is_not_the_next_ones(runs_alias, registered):
    seen = []

    async def work(ctx):
        seen.append((len(ctx.input_messages), await ctx.get_state()))
        await ctx.checkpoint({"of": str(ctx.run_id)})
        if len(seen) == 1:
            raise ValueError("no")
        return RunResult()

    agent = registered(Agent(work))
    conversation = await AgentConversation.objects.acreate(agent_key=agent.key)
    failed = await ended(await begun(agent, conversation, max_attempts=1))
    await ended(await begun(agent, conversation))

    assert failed.status == RunStatus.FAILED
    assert seen[1] == (1, None)


async def test_runs_of_one_conversation_go_one_at_a_time_in_order(runs_alias, registered):
    going: set[UUID] = set()
    order: list[str] = []

    async def work(ctx):
        assert not going
        going.add(ctx.run_id)
        order.append(ctx.input_messages[-1]["content"])
        await asyncio.sleep(0.01)
        going.remove(ctx.run_id)
        return RunResult()

    agent = registered(Agent(work))
    conversation = await AgentConversation.objects.acreate(agent_key=agent.key)
    runs = [await begun(agent, conversation, str(n)) for n in range(5)]

    assert [(await ended(run)).status for run in runs] == ["succeeded"] * 5
    assert order == ["0", "1", "2", "3", "4"]


# Failing.


async def test_a_failure_is_tried_again_with_the_state_it_left(runs_alias, registered, quick_retries):
    async def work(ctx):
        if await ctx.get_state() is None:
            await ctx.checkpoint({"tried": True})
            raise ConnectionError("away")
        return RunResult(final_output={"response": "there"})

    run = await begun(registered(Agent(work)))

    row = await ended(run)
    assert (row.status, row.attempt) == ("succeeded", 2)
    assert row.error == {}
    assert await types_of(run) == ["run.started", "state.checkpoint", "error", "run.started", "run.succeeded"]
    error = await AgentEvent.objects.aget(run=run.pk, event_type="error")
    assert error.payload["error_type"] == "ConnectionError"
    assert (error.payload["attempt"], error.payload["max_attempts"], error.payload["retriable"]) == (1, 3, True)


async def test_what_an_earlier_attempt_told_is_not_told_again(runs_alias, registered, quick_retries):
    async def work(ctx):
        await ctx.emit(EventType.TOOL_CALL, {"name": "charge", "arguments": {}, "tool_call_id": "1"})
        await ctx.emit_user_message("One moment")
        if ctx.durable.attempt == 1:
            raise ConnectionError("away")
        await ctx.emit_user_message("One moment")
        return RunResult()

    run = await begun(registered(Agent(work)))

    await ended(run)
    told = await types_of(run)
    assert told.count("tool.call") == 1
    assert told.count("assistant.message") == 2


async def test_a_run_fails_when_its_attempts_are_used_up(runs_alias, registered, quick_retries, caplog):
    async def work(ctx):
        raise ConnectionError("the vendor said sk-abcdefghijklmnopqrstuvwxyz0123456789 is wrong")

    run = await begun(registered(Agent(work)), max_attempts=2)

    row = await ended(run)
    assert (row.status, row.attempt) == ("failed", 2)
    assert row.error["type"] == "ConnectionError"
    assert "ConnectionError" in row.error["stack"]
    assert row.error["retriable"] is False
    assert "sk-abcdefghijklmnopqrstuvwxyz0123456789" not in str(row.error)
    assert (await types_of(run))[-1] == "run.failed"
    assert any(record.levelname == "ERROR" and str(run.pk) in record.getMessage() for record in caplog.records)
    assert "the vendor said" not in "".join(r.getMessage() for r in caplog.records if r.levelname != "DEBUG")


async def test_the_agents_word_on_its_error_counts(runs_alias, registered):
    class Judge(Agent):
        async def on_error(self, ctx, error):
            return ErrorInfo(type="Final", message="give up", retriable=False, details={"why": {1}})

    async def work(ctx):
        raise ValueError("no")

    row = await ended(await begun(registered(Judge(work))))

    assert (row.status, row.attempt) == ("failed", 1)
    assert (row.error["type"], row.error["message"], row.error["details"]) == ("Final", "give up", {})


async def test_an_agent_that_is_not_registered_is_told(runs_alias):
    run = await AgentRun.objects.acreate(agent_key="nobody", input=said("Hi"))
    await asubmit(run)

    row = await ended(run)
    assert (row.status, row.error["type"]) == ("failed", "AgentNotFound")
    assert "'nobody'" in row.error["message"]


@pytest.mark.parametrize(
    "result", [None, RunResult(final_output={"x": float("nan")}), RunResult(usage={"x": object()})]
)
async def test_a_result_that_cannot_be_kept_is_a_failure(runs_alias, registered, result):
    async def work(ctx):
        return result

    row = await ended(await begun(registered(Agent(work))))

    assert (row.status, row.attempt, row.error["type"]) == ("failed", 1, "TypeError")


async def test_a_run_that_takes_too_long_times_out(runs_alias, registered, runtime_setting):
    runtime_setting(RUN_TIMEOUT_SECONDS=1)

    async def work(ctx):
        await asyncio.Event().wait()

    run = await begun(registered(Agent(work)))

    row = await ended(run)
    assert (row.status, row.attempt) == ("timed_out", 1)
    assert (row.error["type"], row.error["retriable"]) == ("TimeoutError", False)
    last = await AgentEvent.objects.filter(run=run.pk).alast()
    assert last is not None
    assert (last.event_type, last.payload) == ("run.timed_out", {"timeout_seconds": 1})


async def test_a_database_that_goes_away_for_a_moment_loses_nothing(runs_alias, registered):
    if runs_alias != "postgresql":
        pytest.skip("a file does not go away")

    def connection_of_the_run() -> int:
        with connections[runs_alias].cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])

    async def work(ctx):
        await ctx.emit_user_message("Hello!")
        await asyncio.to_thread(terminated, await sync_to_async(connection_of_the_run)())
        return RunResult(final_output={"response": "Hello!"})

    run = await begun(registered(Agent(work)))

    assert (await ended(run)).status == RunStatus.SUCCEEDED
    assert await types_of(run) == ["run.started", "assistant.message", "run.succeeded"]


# Stopping.


async def test_a_run_is_cancelled_in_the_middle_of_a_call(runs_alias, registered):
    agent = registered(Stubborn())
    run = await begun(agent)
    await agent.reached()

    assert await acancel(run.pk) is True

    row = await ended(run)
    assert row.status == RunStatus.CANCELLED
    assert row.cancel_requested_at is not None
    assert await types_of(run) == ["run.started", "run.cancelled"]
    assert agent.was_interrupted
    assert agent.cleaned_up == [run.pk]
    assert await acancel(run.pk) is False


async def test_a_cancellation_by_another_process_is_seen_in_the_row(runs_alias, registered):
    from django.utils import timezone

    agent = registered(Stubborn())
    run = await begun(agent)
    await agent.reached()

    await AgentRun.objects.filter(pk=run.pk).aupdate(cancel_requested_at=timezone.now())

    assert (await ended(run)).status == RunStatus.CANCELLED
    assert agent.was_interrupted


async def test_what_waits_and_is_cancelled_never_starts(runs_alias, registered):
    agent = registered(Stubborn())
    conversation = await AgentConversation.objects.acreate(agent_key=agent.key)
    first = await begun(agent, conversation)
    await agent.reached()
    second = await begun(agent, conversation)

    assert await acancel(str(second.pk)) is True
    row = await ended(second)
    assert (row.status, row.started_at) == ("cancelled", None)
    assert await types_of(second) == ["run.cancelled"]
    await acancel(first.pk)
    await ended(first)

    assert agent.runs == 1


async def test_a_run_that_waits_for_its_next_attempt_is_cancelled_at_once(runs_alias, registered, runtime_setting):
    runtime_setting(RETRY_BACKOFF_BASE=200.0)

    async def work(ctx):
        raise ConnectionError("away")

    agent = registered(Agent(work))
    run = await begun(agent)
    async with asyncio.timeout(30):
        while True:
            if (await AgentRun.objects.aget(pk=run.pk)).attempt == 2:
                break
            await asyncio.sleep(0.01)

    assert await acancel(run.pk) is True
    assert (await ended(run)).status == RunStatus.CANCELLED
    assert agent.runs == 1


async def test_a_run_that_has_ended_cannot_be_cancelled(runs_alias):
    for status in (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.TIMED_OUT):
        run = await AgentRun.objects.acreate(agent_key="a", status=status)
        assert await acancel(run.pk) is False
        assert (await AgentRun.objects.aget(pk=run.pk)).cancel_requested_at is None
    assert await acancel(uuid4()) is False


# What comes behind.


async def test_the_signal_of_a_completed_run_may_use_the_orm(runs_alias, registered):
    heard, was_heard = [], threading.Event()

    def listen(sender, run, output, **_):
        heard.append((AgentRun.objects.get(pk=run.pk).status, output["final_output"]))
        was_heard.set()

    def break_down(sender, **_):
        raise RuntimeError("a receiver")

    run_completed.connect(break_down)
    run_completed.connect(listen)
    try:
        run = await begun(registered(Agent()))
        await ended(run)
        assert await asyncio.to_thread(was_heard.wait, 30)
    finally:
        run_completed.disconnect(listen)
        run_completed.disconnect(break_down)

    assert heard == [("succeeded", {"response": "Hello!"})]
