"""Two hundred open streams in one process: little memory, no threads, and each gets what comes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from django_agent_runtime.models import AgentEvent, AgentRun, RunStatus
from tests.django_project.server import Stream
from tests.served_process import free_port, served

ROOT = Path(__file__).parents[4]
STREAMS = 200
MEMORY_MB = 150


@pytest.fixture
def alias(default_alias):
    return default_alias


@pytest.fixture
def process(alias, tmp_path):
    """A server in a process of its own, and where it is."""
    database = connections[alias].settings_dict
    given = {name: database[name] for name in ("ENGINE", "NAME", "OPTIONS")}
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.django_project.worker_settings",
        "AGENT_RUNTIME_TEST_DATABASE": json.dumps(given, default=str),
        "AGENT_RUNTIME_TEST_ENGINE": "in-process",
        "AGENT_RUNTIME_TEST_DESK": str(tmp_path),
    }
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "--port", str(port)]
    command.append("django.core.asgi:get_asgi_application")
    with served(command, port, environment=environment, log=tmp_path / "log", folder=ROOT) as server:
        yield server


def status_of(pid: int) -> dict[str, int]:
    """Threads, and kB of memory, as Linux counts them."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    pairs = (line.split(":", 1) for line in lines)
    return {name: int(value.split()[0]) for name, value in pairs if name in ("VmRSS", "Threads")}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux, which tells a process's memory")
async def test_open_streams_need_little_memory_and_no_threads(process, owner):
    pid, address = process
    runs = [await sync_to_async(owner.run)(status=RunStatus.RUNNING) for _ in range(STREAMS)]
    cookie = {"Cookie": f"sessionid={owner.client.cookies['sessionid'].value}"}
    async with contextlib.AsyncExitStack() as opened:
        # Given: two hundred readers, each of another run
        readers = []
        for run in runs:
            stream = await opened.enter_async_context(Stream(address, f"/agent/runs/{run.pk}/events/", **cookie))
            assert stream.status == 200
            readers.append(stream.frames())

        # When: something happens in each run
        await AgentEvent.objects.abulk_create(
            AgentEvent(run=run, seq=0, event_type="assistant.message", payload={"content": f"line {number}"})
            for number, run in enumerate(runs)
        )
        lines = [(await anext(frames))["data"]["payload"]["content"] for frames in readers]

        # Then: each has heard its own
        assert lines == [f"line {number}" for number in range(STREAMS)]
        status = status_of(pid)
        print(f"{STREAMS} streams: {status['VmRSS'] // 1024} MB, {status['Threads']} threads")
        assert status["VmRSS"] < MEMORY_MB * 1024
        assert status["Threads"] < 20

        # And: the end
        await AgentRun.objects.aupdate(status=RunStatus.CANCELLED)
        ends = await asyncio.gather(*[anext(frames, None) for frames in readers])
        assert ends == [None] * STREAMS
