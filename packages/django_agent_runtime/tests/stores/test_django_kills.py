"""A process that is killed in the middle of writing leaves whole commits, and its conversation to another one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.db import connections

from agent_runtime_core.interfaces import Begun
from django_agent_runtime.stores import DjangoCheckpointStore
from tests.django_project.settings import NAME_VARIABLE

WRITER = """
import asyncio, sys
from tests.django_project.project import set_up
set_up()
from django_agent_runtime.stores import DjangoCheckpointStore

async def write():
    store = DjangoCheckpointStore(sys.argv[1])
    message = {"role": "user", "content": "go on"}
    run = await store.begin("c", "agent", message=message, message_id="m", remember=True, lease_seconds=0.01)
    version = run.checkpoint.version
    while True:
        pair = [{"n": version}, {"n": version}]
        version = await store.commit(
            "c", "agent", expected_version=version, state={"n": version}, messages=pair, lease=run.lease
        )
        if version == 6:
            print("writing", flush=True)

asyncio.run(write())
"""


def killed_while_writing(alias: str) -> None:
    """Let another process write, and kill it."""
    name = str(connections["postgresql"].settings_dict["NAME"])
    command = [sys.executable, "-c", WRITER, alias]
    with subprocess.Popen(command, env={**os.environ, NAME_VARIABLE: name}, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        writer.kill()


@pytest.mark.allow_blocking("starts a process, and ends it")
async def test_a_killed_process_leaves_whole_commits_and_another_goes_on(alias: str) -> None:
    store = DjangoCheckpointStore(alias)

    killed_while_writing(alias)

    # Then: state, messages and versions are those of one commit
    checkpoint = await store.load("c", "agent")
    assert checkpoint.version > 5
    assert checkpoint.state == {"n": checkpoint.version - 1}
    assert len(checkpoint.messages) == checkpoint.message_count == 2 * (checkpoint.version - 1) + 1
    assert len(await store.versions("c")) == min(checkpoint.version, 200)

    # And: the message is taken up again, where the process was
    message = {"role": "user", "content": "go on"}
    run = await store.begin("c", "agent", message=message, message_id="m", remember=True, lease_seconds=60.0)
    assert isinstance(run, Begun)
    assert (run.placed, run.checkpoint.version) == (0, checkpoint.version)
