"""Following runs: what is there, what comes, and the end."""

from __future__ import annotations

import asyncio
import threading
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test.utils import CaptureQueriesContext

from agent_runtime_core.interfaces import RunResult
from django_agent_runtime.models import AgentEvent, AgentRun
from django_agent_runtime.runtime.event_feed import present_feed
from django_agent_runtime.runtime.events import Event, afollow, follow
from django_agent_runtime.runtime.runs import asubmit
from tests.django_project.agents import Agent, said


class Told(Agent):
    """Tells what it is let tell."""

    def __init__(self):
        super().__init__(self._tell)
        self.let = threading.Semaphore(0)

    async def _tell(self, ctx):
        for number in range(3):
            await asyncio.to_thread(self.let.acquire, True, 30)
            await ctx.emit("progress.update", {"number": number})
        return RunResult()


async def test_a_run_is_followed_from_any_event_to_its_end(runs_alias, registered):
    agent = registered(Told())
    run = await AgentRun.objects.acreate(agent_key=agent.key, input=said("Hi"))
    await asubmit(run)

    types = []
    async for event in afollow(run.pk, silence_s=30):
        assert event is not None
        types.append(event.event_type)
        agent.let.release()

    assert types == ["run.started", *["progress.update"] * 3, "run.succeeded"]
    rest = [event async for event in afollow(run.pk, 3) if event is not None]
    assert [(event.seq, event.event_type) for event in rest] == [(3, "progress.update"), (4, "run.succeeded")]


async def test_a_thread_can_follow_a_run(runs_alias, registered):
    agent = registered(Told())
    run = await AgentRun.objects.acreate(agent_key=agent.key, input=said("Hi"))
    await asubmit(run)

    def read():
        try:
            for event in follow(run.pk, silence_s=30):
                assert event is not None
                agent.let.release()
                yield event.seq
        finally:
            connections.close_all()

    assert await asyncio.to_thread(lambda: list(read())) == [0, 1, 2, 3, 4]


async def test_silence_is_told(runs_alias):
    run = await AgentRun.objects.acreate(agent_key="nobody")
    events = afollow(run.pk, silence_s=0.01)

    assert await anext(events) is None
    assert await anext(events) is None
    await events.aclose()


async def test_a_run_that_does_not_exist_is_over(runs_alias):
    assert [event async for event in afollow(uuid4())] == []


async def test_an_event_is_json_data(runs_alias, registered):
    run = await AgentRun.objects.acreate(agent_key="nobody", status="succeeded")
    await AgentEvent.objects.acreate(run=run, seq=0, event_type="tool.call", payload={"name": "x"})

    event = await anext(afollow(run.pk))

    assert event is not None
    data = event.to_dict()
    assert list(data) == ["run_id", "seq", "type", "payload", "ts", "visibility_level", "ui_visible"]
    assert (data["type"], data["visibility_level"], data["ui_visible"]) == ("tool.call", "debug", False)
    assert Event.from_dict(data) == event


@pytest.mark.parametrize("readers", [1, 20])
async def test_all_readers_share_two_queries(runs_alias, readers):
    from django_agent_runtime.runtime.event_feed import SyncFollower

    def count():
        runs = [AgentRun.objects.create(agent_key="nobody") for _ in range(readers)]
        with CaptureQueriesContext(connections[runs_alias]) as queries:
            present_feed()._look([SyncFollower(run.pk, 0) for run in runs])
        return len(queries)

    assert await sync_to_async(count)() == 2
