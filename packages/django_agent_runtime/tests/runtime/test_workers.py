"""Workers in processes of their own, on the durable engine beside Django's database."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from agent_runtime_core.engines import open_engine
from django_agent_runtime.models import AgentConversation, AgentEvent, AgentRun
from django_agent_runtime.models.names import answer_key
from django_agent_runtime.runtime.engine import durable_url
from django_agent_runtime.runtime.runs import acancel, asubmit
from tests.django_project.agents import said
from tests.django_project.held import Desk
from tests.django_project.runs import ended
from tests.postgresql import execute

ROOT = Path(__file__).parents[4]
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def durable(runs_alias: str, runtime_setting: Callable[..., None]) -> Iterator[str]:
    """The database that everything goes to, with an engine beside it that has no runs."""
    from django.db import connections

    from django_agent_runtime.runtime.desk import close_desk

    runtime_setting(ENGINE="durable")
    yield runs_alias
    close_desk()
    database = connections[runs_alias].settings_dict
    if runs_alias == "default":
        for file in Path(database["NAME"]).parent.glob(Path(database["NAME"]).name + ".runs*"):
            shutil.rmtree(file) if file.is_dir() else file.unlink()
    else:
        place = f"postgresql://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
        execute(place, "DROP SCHEMA IF EXISTS agent_runtime CASCADE")


@pytest.fixture
def start(durable: str, desk: Desk, tmp_path: Path) -> Iterator[Start]:
    """Starts `manage.py runagent`."""
    from django.db import connections

    database = connections[durable].settings_dict
    names = ("ENGINE", "NAME", "HOST", "PORT", "USER", "PASSWORD", "OPTIONS")
    given = {name: database[name] for name in names if database.get(name)}
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.django_project.worker_settings",
        "AGENT_RUNTIME_TEST_DATABASE": json.dumps(given, default=str),
        "AGENT_RUNTIME_TEST_DESK": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    processes: list[subprocess.Popen[bytes]] = []

    def started(*options: str, engine: str = "durable") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "django", "runagent", *options]
        environment["AGENT_RUNTIME_TEST_ENGINE"] = engine
        with (tmp_path / f"worker-{len(processes)}.log").open("wb") as log:
            processes.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
        return processes[-1]

    yield started
    desk.let_go()
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(90)
    for path in sorted(tmp_path.glob("worker-*.log")):
        print(path.name, path.read_text(), sep="\n")  # shown when the test fails


async def begun(conversation: AgentConversation, text: str) -> AgentRun:
    run = await AgentRun.objects.acreate(agent_key="onboarding", conversation=conversation, input=said(text))
    await asubmit(run)
    return run


async def asked_by(desk: Desk, text: str) -> int:
    """The process that has asked the model last, after this text."""
    async with asyncio.timeout(60):
        while True:
            found = [pid for pid, said in desk.asked() if said == text]
            if found:
                return found[-1]
            await asyncio.sleep(0.02)


async def told(run: AgentRun) -> list[str]:
    events = AgentEvent.objects.filter(run=run.pk).order_by("seq")
    return [event.event_type async for event in events if event.event_type != "run.heartbeat"]


ONE_TOOL = ["run.started", "tool.call", "tool.result", "assistant.message", "state.checkpoint", "run.succeeded"]
NO_TOOL = ["run.started", "assistant.message", "state.checkpoint", "run.succeeded"]


async def test_a_worker_is_killed_in_a_call_of_the_model_and_another_finishes(durable, start, desk):
    desk.hold()
    conversation = await AgentConversation.objects.acreate(agent_key="onboarding")
    other = await AgentConversation.objects.acreate(agent_key="onboarding")
    runs = [await begun(conversation, text) for text in ("I am Ada", "two", "three")]
    elsewhere = await begun(other, "elsewhere")
    workers = [start("--noreload"), start("--noreload")]
    victim = await asked_by(desk, "user: I am Ada")

    next(worker for worker in workers if worker.pid == victim).kill()
    desk.let_go()

    rows = [await ended(run) for run in (*runs, elsewhere)]
    assert [row.status for row in rows] == ["succeeded"] * 4
    assert [row.attempt for row in rows] == [1] * 4
    texts = [message.content async for message in conversation.messages.all() if message.role == "user"]
    assert texts == ["I am Ada", "two", "three"]
    assert [message.role async for message in conversation.messages.all()][:4] == [
        "user",
        "assistant",
        "tool",
        "assistant",
    ]
    assert [await told(run) for run in runs] == [ONE_TOOL, NO_TOOL, NO_TOOL]
    for run in runs:
        assert [event.seq async for event in AgentEvent.objects.filter(run=run.pk).order_by("seq")] == list(
            range(await AgentEvent.objects.filter(run=run.pk).acount())
        )


async def test_a_worker_is_killed_behind_the_tool_that_a_person_has_allowed(durable, start, desk):
    # Given: somebody was asked, and says yes
    conversation = await AgentConversation.objects.acreate(agent_key="onboarding")
    workers = [start("--noreload"), start("--noreload")]
    await ended(await begun(conversation, "I am Ada"))
    asked = await ended(await begun(conversation, "Write to ada@example.org"))
    approval_id = asked.output["artifacts"]["stopped_reason"].removeprefix("approval:")
    desk.hold()
    run = await AgentRun.objects.acreate(
        agent_key="onboarding",
        conversation=conversation,
        owner_key=answer_key(approval_id),
        input={"messages": [], "approval": {"approval_id": approval_id, "granted": True, "by": "grace"}},
    )
    await asubmit(run)
    victim = await asked_by(desk, "tool: Saved.")
    async with asyncio.timeout(60):
        while "tool.result" not in await told(run):  # noqa: ASYNC110  # what is held back goes with its process
            await asyncio.sleep(0.02)

    # When
    next(worker for worker in workers if worker.pid == victim).kill()
    desk.let_go()

    # Then
    row = await ended(run)
    assert (row.status, row.attempt) == ("succeeded", 1), row.error
    assert row.output["final_output"] == {
        "response": "You said: Saved.",
        "state": {"step": "done", "name": "Ada", "email": "ada@example.org"},
    }
    assert await told(run) == ONE_TOOL
    written = [message.role async for message in conversation.messages.filter(run=run.pk)]
    assert written == ["user", "assistant", "tool", "assistant"]


async def test_a_worker_that_is_told_to_stop_hands_over_what_does_not_end(durable, start, desk):
    desk.hold()
    conversation = await AgentConversation.objects.acreate(agent_key="onboarding")
    run = await begun(conversation, "Hi")
    first = start("--noreload", "--drain-seconds", "0.1")
    await asked_by(desk, "user: Hi")

    first.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(first.wait, 60) == 0
    assert not (await AgentRun.objects.aget(pk=run.pk)).is_terminal
    desk.let_go()
    start("--noreload")

    row = await ended(run)
    assert (row.status, row.attempt) == ("succeeded", 1)
    assert await told(run) == NO_TOOL


async def test_a_run_is_cancelled_from_another_process(durable, start, desk):
    desk.hold()
    conversation = await AgentConversation.objects.acreate(agent_key="onboarding")
    run, behind = await begun(conversation, "Hi"), await begun(conversation, "behind")
    start("--noreload")
    await asked_by(desk, "user: Hi")

    assert await acancel(behind.pk) is True
    assert await acancel(run.pk) is True

    assert (await ended(run)).status == "cancelled"
    assert (await ended(behind)).status == "cancelled"
    assert (await AgentRun.objects.aget(pk=behind.pk)).started_at is None
    assert [said for _, said in desk.asked()] == ["user: Hi"]


async def test_a_row_that_was_never_submitted_is_found(durable, start):
    from datetime import timedelta

    from django.utils import timezone

    conversation = await AgentConversation.objects.acreate(agent_key="onboarding")
    run = await AgentRun.objects.acreate(
        agent_key="onboarding",
        conversation=conversation,
        input=said("Hi"),
        created_at=timezone.now() - timedelta(minutes=1),
    )
    start("--noreload", "--processes", "2", "--worker-id", "found")

    assert (await ended(run)).status == "succeeded"


async def test_a_run_that_ends_its_workers_is_left_alone(durable, start, desk):
    url = await sync_to_async(durable_url)()
    engine = f"{url}&max_interruptions=0"
    desk.hold()
    run = await begun(await AgentConversation.objects.acreate(agent_key="onboarding"), "Hi")
    start("--noreload", engine=engine)
    victim = await asked_by(desk, "user: Hi")

    os.kill(victim, signal.SIGKILL)
    start("--noreload", engine=engine)

    row = await ended(run)
    assert (row.status, row.error["type"]) == ("failed", "Parked")
    assert await told(run) == ["run.started", "run.failed"]


async def test_the_engine_has_its_records_beside_the_rows(durable, start):
    conversation = await AgentConversation.objects.acreate(agent_key="onboarding")
    run = await begun(conversation, "Hi")

    engine = open_engine(await sync_to_async(durable_url)())
    try:
        info = await engine.status(str(run.pk))
    finally:
        await engine.close()

    assert info is not None
    assert (info.request.order_key, info.request.input) == (str(conversation.pk), {})
