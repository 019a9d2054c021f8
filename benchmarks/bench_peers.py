"""Ours beside LangGraph's savers and the OpenAI Agents SDK's sessions, on SQLite and PostgreSQL: `make bench-peers`.

`python benchmarks/bench_peers.py <interpreter with requirements/peers.txt> [rounds] [runs of the long conversation]`

Every job is a process of its own; within a round all peers take their turn, so that a busy machine slows all of them.
Without a PostgreSQL server (`AGENT_RUNTIME_TEST_POSTGRESQL`, or localhost) those rows are left out.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

from agent_runtime_core.stores.postgresql import upgrade

PEERS = Path(__file__).parent / "peers"
sys.path.insert(0, str(PEERS))

from workload import message_json  # noqa: E402  # found by the line above

SERVER = os.environ.get("AGENT_RUNTIME_TEST_POSTGRESQL", "postgresql://postgres@localhost:5432/postgres")

CONVERSATIONS = 40
"""Conversations of a process, two runs each."""

JOB_TIMEOUT_S = 600


class Subject(NamedTuple):
    """A row of the tables."""

    name: str
    program: str
    variant: str = ""
    ours: bool = False


SUBJECTS = (
    Subject("by hand, 1 transaction per run", "by_hand.py", ours=True),
    Subject("ours, window 200 (default)", "ours.py", ours=True),
    Subject("ours, window 20", "ours.py", "window 20", ours=True),
    Subject("LangGraph (default: async)", "langgraph_savers.py"),
    Subject("LangGraph, durability exit", "langgraph_savers.py", "exit"),
    Subject("OpenAI Agents SDK", "agents_sdk.py"),
    Subject("OpenAI Agents SDK, limit 20", "agents_sdk.py", "limit 20"),
)


class Runner:
    """Starts the processes.

    Args:
        python: The interpreter of the peers.
    """

    def __init__(self, python: str) -> None:
        self.python = python

    def job(self, subject: Subject, place: str, *job: str) -> dict[str, Any]:
        """What a process measured."""
        command = [
            sys.executable if subject.ours else self.python,
            str(PEERS / subject.program),
            place,
            subject.variant,
            *job,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=JOB_TIMEOUT_S)
        if done.returncode:
            raise SystemExit(f"{subject.name}: {' '.join(job)} failed\n{done.stderr[-2000:]}")
        figures: dict[str, Any] = json.loads(done.stdout)
        return figures


async def _at_server(url: str, statement: str) -> Any:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@contextmanager
def new_place(subject: Subject, postgresql: bool) -> Iterator[str]:
    """A new SQLite file or a new PostgreSQL database."""
    if not postgresql:
        with tempfile.TemporaryDirectory() as folder:
            yield f"{folder}/peer.db"
        return
    name = f"agent_runtime_peers_{uuid4().hex}"
    asyncio.run(_at_server(SERVER, f"CREATE DATABASE {name}"))
    try:
        url = urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))
        if subject.program == "ours.py":
            asyncio.run(upgrade(url))
        yield url
    finally:
        asyncio.run(_at_server(SERVER, f"DROP DATABASE {name} WITH (FORCE)"))


def size_of(place: str) -> int:
    """Bytes that the tables and indexes take, once the log of a SQLite file is in the file."""
    if place.startswith("postgresql://"):
        tables = "SELECT sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables"
        return int(asyncio.run(_at_server(place, tables)))
    connection = sqlite3.connect(place)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return os.path.getsize(place)


def persisted(runner: Runner, postgresql: bool, rounds: int) -> None:
    """CPU per persisted run."""
    figures: dict[Subject, list[float]] = {subject: [] for subject in SUBJECTS if "window 20" not in subject.variant}
    del figures[SUBJECTS[-1]]  # short conversations fit into every window
    for _ in range(rounds):
        for subject, values in figures.items():
            with new_place(subject, postgresql) as place:
                values.append(runner.job(subject, place, "conversations", str(CONVERSATIONS))["us_per_run"])
    base, ours = figures[SUBJECTS[0]], figures[SUBJECTS[1]]
    print(f"\nCPU per persisted run, {rounds} processes of {2 * CONVERSATIONS} runs each")
    print(f"{'':34}{'us median':>10}{'x by hand':>10}{'x ours':>10}")
    for subject, values in figures.items():
        by_hand = statistics.median(value / each for value, each in zip(values, base, strict=True))
        beside = statistics.median(value / each for value, each in zip(values, ours, strict=True))
        print(f"{subject.name:34}{statistics.median(values):10.0f}{by_hand:10.1f}{beside:10.1f}", flush=True)


def long(runner: Runner, postgresql: bool, runs: int) -> None:
    """One conversation of many runs: CPU of the last ones beside those around run 10, and what it takes on disk."""
    print(f"\nOne conversation of {runs} runs; bytes on disk of runs 11 to {runs}, beside the JSON of their messages")
    print(f"{'':34}{'us, run 10':>10}{f'run {runs}':>10}{'ratio':>10}{'MB':>10}{'x JSON':>10}")
    text = message_json(10, runs - 1)
    for subject in SUBJECTS:
        with new_place(subject, postgresql) as place:
            early = runner.job(subject, place, "long", "0", "9")["us_of_runs"][-5:]
            before = size_of(place)
            late = runner.job(subject, place, "long", "10", str(runs - 1))["us_of_runs"][-10:]
            grown = size_of(place) - before
        first, last = statistics.median(early), statistics.median(late)
        print(
            f"{subject.name:34}{first:10.0f}{last:10.0f}{last / first:10.1f}{grown / 1e6:10.2f}{grown / text:10.1f}",
            flush=True,
        )


def main() -> None:
    """Measure and print."""
    runner = Runner(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    try:
        asyncio.run(_at_server(SERVER, "SELECT 1"))
        backends: tuple[bool, ...] = (False, True)
    except (OSError, asyncpg.PostgresError) as error:
        print(f"without PostgreSQL: no server answers ({type(error).__name__}); see AGENT_RUNTIME_TEST_POSTGRESQL")
        backends = (False,)
    for postgresql in backends:
        print(f"\n== {'PostgreSQL' if postgresql else 'SQLite, WAL, synchronous=FULL'}")
        persisted(runner, postgresql, rounds)
        long(runner, postgresql, runs)


if __name__ == "__main__":
    main()
