"""Processes that are killed, and processes at the same time, on one SQLite file."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from agent_runtime_core.interfaces.checkpoint import Checkpoint
from agent_runtime_core.stores import SQLiteCheckpointStore

COMMIT_FOR_EVER = """
import asyncio, sys
from agent_runtime_core.stores import SQLiteCheckpointStore

async def talk(store, name):
    version = (await store.load(name, "agent", max_messages=0)).version
    while True:
        n = version + 1
        messages = [{"role": "user", "n": n}, {"role": "assistant", "n": n}]
        version = await store.commit(name, "agent", expected_version=version, state={"n": n}, messages=messages)
        print(name, version, flush=True)

async def main():
    store = SQLiteCheckpointStore(sys.argv[1])
    await asyncio.gather(talk(store, "a"), talk(store, "b"))

asyncio.run(main())
"""


def test_a_killed_process_leaves_whole_commits_and_all_that_it_was_told(tmp_path: Path) -> None:
    # Given: a process that commits to two conversations at once, killed and begun again
    path = tmp_path / "journeys.db"
    chance = random.Random(9)
    for _ in range(8):
        told: dict[str, int] = {}
        with subprocess.Popen([sys.executable, "-c", COMMIT_FOR_EVER, str(path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(chance.randrange(1, 300))]

            # When: it is killed in the middle
            process.kill()
            lines += process.stdout.readlines()
        for line in lines:
            if line.endswith(b"\n"):
                conversation_id, version = line.split()
                told[conversation_id.decode()] = int(version)

        # Then: each conversation is a row of whole commits, and what was told is there
        found = asyncio.run(loaded(path, *told))
        for name, checkpoint in found.items():
            assert checkpoint.version >= told[name]
            assert checkpoint.state == {"n": checkpoint.version}
            assert [message["n"] for message in checkpoint.messages] == [
                n for n in range(1, checkpoint.version + 1) for _ in range(2)
            ]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def loaded(path: Path, *conversation_ids: str) -> dict[str, Checkpoint]:
    async with SQLiteCheckpointStore(path) as store:
        return {name: await store.load(name, "agent") for name in conversation_ids}


BEGIN_TOGETHER = """
import asyncio, sys
from agent_runtime_core.stores import SQLiteCheckpointStore

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    async with SQLiteCheckpointStore(sys.argv[1], busy_timeout_ms=60_000) as store:
        for n in range(20):
            message = {"role": "user", "of": sys.argv[2], "n": n}
            await store.commit("c", "agent", expected_version=None, messages=[message])

asyncio.run(main())
"""


@pytest.mark.parametrize("attempt", range(3))
def test_processes_that_create_the_file_at_once_lose_nothing(tmp_path: Path, attempt: int) -> None:
    # Given: processes that wait at the line
    path = tmp_path / "journeys.db"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", BEGIN_TOGETHER, str(path), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    # When
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate()[1].strip().rpartition("\n")[2] for process in processes]  # the error, if there is one

    # Then: all commits are there, those of each process in its order
    assert said == [""] * len(processes)
    checkpoint = asyncio.run(loaded(path, "c"))["c"]
    assert checkpoint.version == 80
    for number in range(4):
        assert [message["n"] for message in checkpoint.messages if message["of"] == str(number)] == list(range(20))
