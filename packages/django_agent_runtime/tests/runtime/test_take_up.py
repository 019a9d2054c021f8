"""What other processes have left, and what they still work at."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from agent_runtime_core.interfaces import RunResult
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from django_agent_runtime.models import AgentConversation, AgentEvent, AgentRun, RunStatus
from django_agent_runtime.models.names import answer_key
from django_agent_runtime.runtime.runs import asubmit
from django_agent_runtime.runtime.worker_name import is_gone, new_worker_name
from django_agent_runtime.stores import DjangoCheckpointStore
from tests.django_project.agents import Agent, said
from tests.django_project.journey import Onboarding
from tests.django_project.runs import ended


@pytest.fixture
def dead() -> str:
    """The name of a process of this machine that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return f"{socket.gethostname()}:{process.pid}:0"


@pytest.fixture
def alive() -> str:
    """The name of another process that is there."""
    return f"{socket.gethostname()}:1:0"


async def left(owner: str, conversation: AgentConversation | None = None, **fields) -> AgentRun:
    """A run that a process has, with a lease that is not over."""
    until = timezone.now() + timedelta(hours=1)
    given = {"agent_key": "agent", "status": RunStatus.RUNNING, "input": said("Hi"), "lease_expires_at": until}
    if conversation is not None:
        given["agent_key"] = conversation.agent_key
    return await AgentRun.objects.acreate(lease_owner=owner, conversation=conversation, **{**given, **fields})


async def begin_working() -> None:
    """Let this process execute a run, whichever."""
    await ended(await begun())


async def begun(**fields) -> AgentRun:
    run = await AgentRun.objects.acreate(**{"agent_key": "agent", "input": said("Hi"), **fields})
    await asubmit(run)
    return run


async def test_what_a_dead_process_has_left_is_taken_up(runs_alias, registered, dead):
    registered(Agent())
    running = await left(dead)
    queued = await left(dead, status=RunStatus.QUEUED)
    nobodys = await left("", status=RunStatus.QUEUED)
    expired = await left("elsewhere:1:0", lease_expires_at=timezone.now() - timedelta(seconds=1))

    await begin_working()

    rows = [await ended(run) for run in (running, queued, nobodys, expired)]
    assert [(row.status, row.attempt) for row in rows] == [
        ("succeeded", 2),
        ("succeeded", 1),
        ("succeeded", 1),
        ("succeeded", 2),
    ]


async def test_a_journey_goes_on_though_its_dead_process_held_the_conversation(runs_alias, registered, dead):
    registered(Agent())
    registered(Onboarding(ScriptedLLM(["Your name?"])))
    conversation = await AgentConversation.objects.acreate(agent_key="onboarding")
    run = await left(dead, conversation)
    store = DjangoCheckpointStore()
    message = {"role": "user", "content": "Hi"}
    await store.begin(
        str(conversation.pk), "onboarding", message=message, message_id=str(run.pk), remember=True, lease_seconds=3600
    )

    await begin_working()

    assert (await ended(run)).status == RunStatus.SUCCEEDED
    assert [message["content"] for message in await store.history(str(conversation.pk))] == ["Hi", "Your name?"]


async def test_an_answer_goes_on_though_its_dead_process_held_the_conversation(runs_alias, registered, dead):
    # Given: a process that died when it had the conversation for a person's answer
    registered(Agent())
    calls = [tool_call_reply("save_name", name="Ada"), tool_call_reply("save_email", email="ada@example.org")]
    store = DjangoCheckpointStore()
    agent = Onboarding(ScriptedLLM([*calls, "That is saved."]), store=store)
    registered(agent)
    conversation = await AgentConversation.objects.acreate(agent_key="onboarding")
    name = str(conversation.pk)
    approval_id = (await agent.send(name, "I am Ada, ada@example.org")).metadata["approval_id"]
    answer = {"approval_id": approval_id, "granted": True, "by": "grace"}
    key = answer_key(approval_id)
    run = await left(dead, conversation, owner_key=key, input={"messages": [], "approval": answer})
    message = {"role": "user", "content": "[Approved by grace: Save ada@example.org?]"}
    await store.begin(name, "onboarding", message=message, message_id=key, remember=True, lease_seconds=3600)

    # When
    await begin_working()

    # Then
    assert (await ended(run)).status == RunStatus.SUCCEEDED
    state = await agent.get_state(name)
    assert state is not None
    assert (state.email, state.step) == ("ada@example.org", "done")


async def test_a_run_whose_attempts_are_used_up_ends(runs_alias, registered, dead):
    agent = registered(Agent())
    run = await left(dead, attempt=3)
    cancelled = await left(dead, cancel_requested_at=timezone.now())

    await begin_working()

    row = await ended(run)
    assert (row.status, row.error["type"], row.lease_owner) == ("timed_out", "LeaseExpired", "")
    assert [event.event_type async for event in AgentEvent.objects.filter(run=run.pk)] == ["run.timed_out"]
    assert (await ended(cancelled)).status == RunStatus.CANCELLED
    assert agent.runs == 1


async def test_what_a_live_process_works_at_is_left_to_it_and_waited_for(runs_alias, registered, alive):
    done = []

    async def work(ctx):
        done.append(ctx.run_id)
        return RunResult()

    registered(Agent(work))
    conversation = await AgentConversation.objects.acreate(agent_key="agent")
    theirs = await left(alive, conversation)
    ours = await begun(conversation=conversation)
    await begin_working()  # another conversation's does not wait
    assert ours.pk not in done

    await AgentRun.objects.filter(pk=theirs.pk).aupdate(status=RunStatus.SUCCEEDED)

    assert (await ended(ours)).status == RunStatus.SUCCEEDED
    assert theirs.pk not in done


async def test_a_run_that_another_process_has_taken_over_is_not_written_to(runs_alias, registered, alive):
    async def work(ctx):
        await AgentRun.objects.filter(pk=ctx.run_id).aupdate(lease_owner=alive)
        return RunResult(final_output={"response": "too late"})

    registered(Agent(work))
    run = await begun()
    await begun_and_ended_elsewhere(run)

    row = await AgentRun.objects.aget(pk=run.pk)
    assert (row.status, row.output, row.lease_owner) == ("running", {}, alive)


async def test_numbers_that_another_process_has_used_are_not_used_again(runs_alias, registered):
    async def work(ctx):
        await ctx.flush()
        # What a process that was frozen, and lost the run meanwhile, writes when it wakes up.
        for seq in (1, 2):
            await AgentEvent.objects.acreate(run_id=ctx.run_id, seq=seq, event_type="late")
        await ctx.emit("progress.update", {"number": 1})
        await ctx.flush()
        await ctx.emit("progress.update", {"number": 2})
        return RunResult()

    registered(Agent(work))
    run = await begun()

    assert (await ended(run)).status == RunStatus.SUCCEEDED
    events = [(event.seq, event.event_type) async for event in AgentEvent.objects.filter(run=run.pk).order_by("seq")]
    assert events == [
        (0, "run.started"),
        (1, "late"),
        (2, "late"),
        (3, "progress.update"),
        (4, "progress.update"),
        (5, "run.succeeded"),
    ]


async def begun_and_ended_elsewhere(run: AgentRun) -> None:
    """Return when this process does not work at the run any more."""
    from django_agent_runtime.runtime.desk import LocalDesk, present_desk

    desk = present_desk()
    assert isinstance(desk, LocalDesk)
    engine = desk._host.engine
    async with asyncio.timeout(30):
        while True:
            info = await engine.status(str(run.pk))
            if info is not None and info.status.is_over:
                return
            await asyncio.sleep(0.01)


def test_processes_are_known_by_their_names(dead, alive):
    own = new_worker_name()

    assert is_gone(dead, own)
    assert not is_gone(alive, own)
    assert not is_gone(own, own)
    assert is_gone(own.rpartition(":")[0] + ":another", own)
    assert not is_gone(dead.replace(socket.gethostname(), "elsewhere"), own)
    assert not is_gone("", own)
    assert not is_gone("odd", own)
