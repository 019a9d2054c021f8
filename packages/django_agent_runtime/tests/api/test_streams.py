"""Streams as clients read them, from a real server: what is there, what comes, resuming, silence and the end."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from rest_framework.authtoken.models import Token

from agent_runtime_core.interfaces import RunResult
from django_agent_runtime.api.opening import Opening
from django_agent_runtime.api.views.streams import Frames
from django_agent_runtime.conf import runtime_settings
from django_agent_runtime.models import AgentEvent, AgentRun
from django_agent_runtime.runtime.event_feed import present_feed
from django_agent_runtime.runtime.events import Event
from django_agent_runtime.runtime.runs import asubmit
from tests.django_project.agents import Agent, said
from tests.django_project.project import in_the_thread_of_the_orm
from tests.django_project.server import Stream, serving
from tests.postgresql import SERVER, execute


class Told(Agent):
    """Tells one thing of each level whenever it is let."""

    def __init__(self):
        super().__init__(self._tell)
        self.let = threading.Semaphore(0)

    async def _tell(self, ctx):
        for number in range(2):
            await asyncio.to_thread(self.let.acquire, True, 30)
            await ctx.emit("tool.call", {"name": "look", "tool_call_id": str(number)})
            await ctx.emit("run.heartbeat", {})
            await ctx.emit("assistant.message", {"content": f"line {number}\n\n"})
        return RunResult()


@pytest.fixture
def server(runs_alias):
    with serving() as address:
        yield address


async def begun(caller, agent):
    run = await sync_to_async(caller.run)(agent_key=agent.key, status="queued", input=said("Hi"))
    await asubmit(run)
    return run


def path(run, query=""):
    return f"/agent/runs/{run.pk}/events/{query}"


async def came(is_so):
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110  # the server's thread makes it so
            await asyncio.sleep(0.01)


def cookie(caller):
    return {"Cookie": f"sessionid={caller.client.cookies['sessionid'].value}"}


async def heard(server, caller, address, **headers):
    async with Stream(server, address, **{**cookie(caller), **headers}) as stream:
        assert stream.status == 200
        return [frame async for frame in stream.frames()]


def types(frames):
    return [frame["event"] for frame in frames]


async def test_a_run_is_followed_from_its_beginning_to_its_end(server, owner, registered):
    # Given: a run under way, and a reader
    agent = registered(Told())
    run = await begun(owner, agent)
    async with Stream(server, path(run), **cookie(owner)) as stream:
        assert stream.status == 200
        assert stream.headers["content-type"] == "text/event-stream"
        assert stream.headers["cache-control"] == "no-cache"
        assert stream.headers["x-accel-buffering"] == "no"

        # When: it goes on only after each line was read
        frames = []
        agent.let.release()
        async for frame in stream.frames():
            frames.append(frame)
            agent.let.release()

    # Then: what users may see has come, in its order, and the stream has ended
    assert types(frames) == ["assistant.message", "assistant.message", "run.succeeded"]
    assert [frame["id"] for frame in frames] == ["3", "6", "7"]
    data = frames[0]["data"]
    assert list(data) == ["run_id", "seq", "type", "payload", "ts", "visibility_level", "ui_visible"]
    assert data["payload"] == {"content": "line 0\n\n"}
    assert data["run_id"] == str(run.pk)


async def ended_run(owner):
    run = await sync_to_async(owner.run)()
    kinds = ["run.started", "tool.call", "assistant.message", "run.heartbeat", "run.succeeded"]
    for seq, kind in enumerate(kinds):
        await AgentEvent.objects.acreate(run=run, seq=seq, event_type=kind, payload={})
    return run


@pytest.mark.parametrize(
    ("query", "headers", "seen"),
    [
        ("", {}, [2, 4]),
        ("?include_debug=1", {}, [1, 2, 4]),
        ("?include_all=YES", {}, [0, 1, 2, 3, 4]),
        ("?include_all=no", {}, [2, 4]),
        ("?from_seq=3", {}, [4]),
        ("?from_seq=4&include_all=true", {}, [4]),
        ("?from_seq=5", {}, []),
        ("", {"Last-Event-ID": "2"}, [4]),
        ("?from_seq=1", {"Last-Event-ID": "3"}, [4]),
    ],
)
async def test_a_reader_gets_what_it_may_see_from_where_it_was(server, owner, query, headers, seen):
    run = await ended_run(owner)

    frames = await heard(server, owner, path(run, query), **headers)

    assert [int(frame["id"]) for frame in frames] == seen


async def test_debug_mode_shows_what_is_for_debugging(server, owner, runtime_setting):
    runtime_setting(DEBUG_MODE=True)
    run = await ended_run(owner)

    assert types(await heard(server, owner, path(run))) == ["tool.call", "assistant.message", "run.succeeded"]


async def test_a_browser_that_has_seen_the_end_is_told_not_to_come_back(server, owner):
    run = await ended_run(owner)

    async with Stream(server, path(run), **cookie(owner), **{"Last-Event-ID": "4"}) as stream:
        assert stream.status == 204


async def test_silence_is_broken(server, owner):
    runtime_settings().SSE_KEEPALIVE_SECONDS = 0.01  # type: ignore[assignment]  # shorter than a project may have it
    run = await sync_to_async(owner.run)(status="running")

    async with Stream(server, path(run), **cookie(owner)) as stream:
        frames = stream.frames()
        assert await anext(frames) == {"": "keepalive"}
        await AgentRun.objects.filter(pk=run.pk).aupdate(status="cancelled")
        assert all([frame == {"": "keepalive"} async for frame in frames])


@pytest.fixture
def no_connections_left(owner):
    """Connections that are broken are not kept for the next test."""
    yield
    connections.close_all()
    in_the_thread_of_the_orm(connections.close_all)


@pytest.mark.parametrize("alias", ["postgresql"], indirect=True)
async def test_a_stream_outlives_the_connections_to_the_database(server, owner, alias, no_connections_left):
    # Given: a reader, and a database that ends all connections
    run = await sync_to_async(owner.run)(status="running")
    async with Stream(server, path(run), **cookie(owner)) as stream:
        frames = stream.frames()
        await AgentEvent.objects.acreate(run=run, seq=0, event_type="assistant.message", payload={})
        assert (await anext(frames))["id"] == "0"
        name = connections.settings[alias]["NAME"]
        ended = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        await asyncio.to_thread(execute, SERVER, ended)
        await sync_to_async(connections.close_all)()

        # When: something happens
        await AgentEvent.objects.acreate(run=run, seq=1, event_type="assistant.message", payload={})

        # Then: it is heard
        assert (await anext(frames))["id"] == "1"
        async with Stream(server, path(run, "?from_seq=1"), **cookie(owner)) as another:
            assert (await anext(another.frames()))["id"] == "1"


def test_silence_is_broken_also_where_much_happens_that_is_not_shown():
    opening = Opening(run_id=uuid4(), events=[], is_over=False, next_seq=0, shows=lambda event: False)
    frames = Frames(opening)
    hidden = Event(opening.run_id, 0, "run.heartbeat")

    assert frames.of(hidden) == ""
    frames.silence_s = 0.0
    assert frames.of(hidden) == ": keepalive\n\n"


async def test_who_leaves_is_followed_no_more(server, owner):
    run = await sync_to_async(owner.run)(status="running")
    await AgentEvent.objects.acreate(run=run, seq=0, event_type="assistant.message", payload={})
    async with Stream(server, path(run), **cookie(owner)) as stream:
        await anext(stream.frames())
        await came(lambda: present_feed()._followers)

    await came(lambda: not present_feed()._followers)


@pytest.mark.parametrize(
    ("wanted", "status", "words"),
    [
        ("/agent/runs/17/events/", 400, "This is no id of a run."),
        ("/agent/runs/{run}/events/?from_seq=-1", 400, "from_seq: Give a whole number, 0 or more."),
        ("/agent/runs/{run}/events/?from_seq=%00", 400, "from_seq: Give a whole number, 0 or more."),
        ("/agent/runs/{other}/events/", 404, "There is no such run."),
        ("/agent/runs/{run}/events/?token=wrong", 200, ""),
    ],
)
async def test_what_is_wrong_is_told_in_json(server, owner, wanted, status, words):
    run = await ended_run(owner)

    async with Stream(server, wanted.format(run=run.pk, other=uuid4()), **cookie(owner)) as stream:
        assert stream.status == status
        if status != 200:
            assert await stream.body() == f'{{"error": "{words}"}}'


async def test_a_last_event_that_is_no_number_is_told(server, owner):
    run = await ended_run(owner)

    async with Stream(server, path(run), **cookie(owner), **{"Last-Event-ID": "x"}) as stream:
        assert stream.status == 400


async def test_a_token_in_the_query_is_enough(server, owner, callers):
    run = await ended_run(owner)
    token = await Token.objects.acreate(user=owner.owner)

    async with Stream(server, path(run, f"?token={token.key}")) as stream:
        assert stream.status == 200
    async with Stream(server, path(run), Authorization=f"Token {token.key}") as stream:
        assert stream.status == 200
    async with Stream(server, path(run, "?token=wrong")) as stream:
        assert stream.status in (401, 403)


async def test_streams_can_be_off(server, owner, runtime_setting):
    run = await ended_run(owner)
    runtime_setting(ENABLE_SSE=False)

    async with Stream(server, path(run), **cookie(owner)) as stream:
        assert stream.status == 503


async def test_a_stream_is_only_read(owner):
    run = await ended_run(owner)

    response = await sync_to_async(owner)("POST", path(run))

    assert (response.status_code, response.json()) == (405, {"error": "Streams are read with GET."})


async def test_open_streams_have_no_threads_and_share_two_queries(server, owner):
    # Given: the threads that the server has anyway
    runs = [await sync_to_async(owner.run)(status="running") for _ in range(10)]
    for run in runs:
        await AgentEvent.objects.acreate(run=run, seq=0, event_type="assistant.message", payload={})
    streams = [Stream(server, path(run), **cookie(owner)) for run in runs]

    # When: ten streams are open
    before = threading.active_count()
    async with contextlib.AsyncExitStack() as opened:
        for stream in streams:
            await opened.enter_async_context(stream)
            await anext(stream.frames())
        await came(lambda: len(present_feed()._followers) == 10 and threading.active_count() <= before + 1)

        # Then: there is the feed's one more
        names = [each.name for each in threading.enumerate()]
        assert names.count("django-agent-runtime-events") == 1
