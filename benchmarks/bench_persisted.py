"""CPU of a persisted run on SQLite, beside the same rows written by hand, and by length of the conversation.

`python benchmarks/bench_persisted.py [rounds]`
"""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from journey import BARE_TOOLS, USER_LINES, Onboarding, StubModel, bare_run

from agent_runtime_core.stores import open_store
from agent_runtime_framework import JourneyConfig

RUNS = 300
"""Runs of a round; each is 2 LLM calls and 1 tool call, in a conversation of its own."""

IDS = itertools.count()


class ByHand:
    """What a careful person would write: sqlite3 in one thread, one transaction per run.

    Args:
        path: The file.
        reads: Whether a run reads the conversation first, with one more hop to the thread. Without, it is what can
            least be done: a conversation that is known to be new.
    """

    def __init__(self, path: Path, *, reads: bool = True) -> None:
        self.reads = reads
        self.thread = ThreadPoolExecutor(1)
        self.connection = self.thread.submit(self._open, path).result()
        self.model = StubModel()

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("CREATE TABLE IF NOT EXISTS conversation (id TEXT PRIMARY KEY, version INTEGER, state TEXT)")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS message "
            "(conversation TEXT, position INTEGER, body TEXT, UNIQUE (conversation, position))"
        )
        return connection

    def _load(self, conversation: str) -> tuple[Any, list[tuple[int, str]]]:
        row = self.connection.execute(
            "SELECT version, state FROM conversation WHERE id = ?", (conversation,)
        ).fetchone()
        rows = self.connection.execute(
            "SELECT position, body FROM message WHERE conversation = ? ORDER BY position DESC LIMIT 200",
            (conversation,),
        ).fetchall()
        return row, rows

    def _commit(self, conversation: str, version: int, state: str, start: int, bodies: list[str]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute(
            "INSERT INTO conversation VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET version = ?, state = ?",
            (conversation, version, state, version, state),
        )
        self.connection.executemany(
            "INSERT INTO message VALUES (?, ?, ?)",
            [(conversation, position, body) for position, body in enumerate(bodies, start)],
        )
        self.connection.execute("COMMIT")

    async def send(self, conversation: str, text: str) -> None:
        """One run."""
        loop = asyncio.get_running_loop()
        row, rows = await loop.run_in_executor(self.thread, self._load, conversation) if self.reads else (None, [])
        version, state = (0, {"step": "name", "name": "", "email": ""}) if row is None else (row[0], json.loads(row[1]))
        messages = [json.loads(body) for _, body in reversed(rows)]
        start, position = len(messages), rows[0][0] + 1 if rows else 0
        messages.append({"role": "user", "content": text})
        await bare_run(self.model, state, messages)
        bodies = [json.dumps(message) for message in messages[start:]]
        await loop.run_in_executor(
            self.thread, self._commit, conversation, version + 1, json.dumps(state), position, bodies
        )


def measure(send: Callable[[str, str], Awaitable[Any]]) -> float:
    """CPU microseconds per run, all threads of the process."""

    async def many() -> None:
        for _ in range(RUNS):
            await send(str(next(IDS)), USER_LINES[0])

    start = time.process_time()
    asyncio.run(many())
    return (time.process_time() - start) / RUNS * 1e6


def table(title: str, subjects: dict[str, Callable[[], float]], rounds: int) -> None:
    """Run the subjects in turn and print medians and the ratio to the first."""
    figures: dict[str, list[float]] = {name: [] for name in subjects}
    for each in subjects.values():
        each()
    for _ in range(rounds):
        for name, each in subjects.items():
            figures[name].append(each())
    first = next(iter(figures.values()))
    print(f"\n{title}\n{'':34}{'us median':>10}{'us min':>10}{'ratio':>8}")
    for name, values in figures.items():
        ratio = statistics.median(value / base for value, base in zip(values, first, strict=True))
        print(f"{name:34}{statistics.median(values):10.1f}{min(values):10.1f}{ratio:8.2f}")


def by_length(folder: Path, stored: int, max_messages: int) -> Callable[[], float]:
    """A run in a conversation that already has that many messages, in a store of its own."""
    store = open_store(f"sqlite:///{folder}/{stored}.db")
    agent = Onboarding(StubModel(), JourneyConfig(max_history_messages=max_messages), store=store)
    state = {"step": "name", "name": "", "email": ""}
    pair = [{"role": "user", "content": "x" * 80}, {"role": "assistant", "content": "y" * 200}]

    async def one() -> float:
        name = str(next(IDS))
        await store.commit(name, agent.key, expected_version=0, state=state, messages=pair * (stored // 2))
        spent = 0.0
        for _ in range(30):
            checkpoint = await store.load(name, agent.key, max_messages=0)
            await store.commit(name, agent.key, expected_version=checkpoint.version, state=state)
            start = time.process_time()
            await agent.send(name, USER_LINES[0])
            spent += time.process_time() - start
        return spent / 30 * 1e6

    return lambda: asyncio.run(one())


class Endless(Onboarding):
    """Never arrives: every run is the same tool call and a text."""

    async def execute_tool(self, tools: Any, name: str, arguments: dict[str, Any], /) -> str:
        """Note nothing."""
        return "This is noted, and the journey stays where it is."


def endless(path: Path, window: int | None = None) -> Endless:
    """The journey that never arrives, in that file."""
    config = JourneyConfig() if window is None else JourneyConfig(max_history_messages=window)
    return Endless(StubModel(), config, store=f"sqlite:///{path}")


def said(run: int) -> str:
    """What the user says in a run."""
    return f"{run}: and this is what I wanted to tell you next, if you have a moment for it."


async def grown(path: Path, runs: int) -> None:
    """A conversation with so many runs, each made as a user makes it; prints what it takes on disk."""
    async with endless(path, 20) as agent:
        for run in range(runs):
            await agent.send("long", said(run))
        messages = await agent.store.history("long")
    text = sum(len(json.dumps(message, separators=(",", ":")).encode()) for message in messages)
    size = path.stat().st_size  # noqa: ASYNC240  # nobody waits; closing has put the log into the file
    print(
        f"{runs:6} runs, {len(messages)} messages: {size / len(messages):.0f} bytes per message on disk, "
        f"{text / len(messages):.0f} as JSON: {size / text:.2f}x"
    )


async def next_runs(path: Path, window: int | None, runs: int) -> None:
    """In a process that has just begun: the CPU microseconds of the first run, and the median of some more."""
    async with endless(path, window) as agent:
        spent = []
        for run in range(runs):
            start = time.process_time()
            await agent.send("long", said(run))
            spent.append((time.process_time() - start) * 1e6)
    print(spent[0], statistics.median(spent[1:]))


def by_run(folder: Path, rounds: int) -> None:
    """Run 3,000 beside run 10, each time in a new process on a copy of the file."""
    files = {runs: folder / f"grown-{runs}.db" for runs in (9, 2999)}
    print("\nBytes on disk, all tables and indexes")
    for runs, path in files.items():
        asyncio.run(grown(path, runs))
    print(f"\nCPU per persisted run by number of runs before it, {rounds} new processes of 21 runs")
    print(f"{'':34}{'first run':>10}{'ratio':>8}{'then':>10}{'ratio':>8}")
    for window in (20, None):
        figures: dict[int, list[tuple[float, float]]] = {runs: [] for runs in files}
        for _ in range(rounds):
            for runs, path in files.items():
                copy = Path(shutil.copy(path, folder / "copy.db"))
                command = [sys.executable, __file__, "next", str(copy), str(window or ""), "21"]
                first, then = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
                figures[runs].append((float(first), float(then)))
                copy.unlink()
        base = figures[9]
        for runs, values in figures.items():
            row = f"{f'run {runs + 1}, window {window or 200}':34}"
            for column in (0, 1):
                ratio = statistics.median(
                    value[column] / each[column] for value, each in zip(values, base, strict=True)
                )
                row += f"{statistics.median(value[column] for value in values):10.0f}{ratio:8.2f}"
            print(row)


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["next"]:
        asyncio.run(next_runs(Path(sys.argv[2]), int(sys.argv[3]) if sys.argv[3] else None, int(sys.argv[4])))
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    assert BARE_TOOLS["name"], "the journey begins with a tool"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        by_hand = ByHand(folder / "bare.db", reads=False)
        by_hand_reading = ByHand(folder / "reading.db")
        agent = Onboarding(StubModel(), store=f"sqlite:///{folder}/ours.db")
        subjects = {
            "by hand, 1 transaction, 1 hop": lambda: measure(by_hand.send),
            "the same, read first, 2 hops": lambda: measure(by_hand_reading.send),
            "send: message, 2 turns, 3 hops": lambda: measure(agent.send),
        }
        table(f"CPU per persisted run (2 LLM calls, 1 tool), {rounds} rounds of {RUNS}", subjects, rounds)
        for window in (20, 200):
            lengths = {f"{n} messages stored, window {window}": by_length(folder, n, window) for n in (10, 200, 10_000)}
            table(f"CPU per persisted run by length of the conversation, {rounds} rounds of 30", lengths, rounds)
            for path in folder.glob("[0-9]*"):
                path.unlink()
        by_run(folder, rounds)
        by_hand.thread.shutdown()
        by_hand_reading.thread.shutdown()


if __name__ == "__main__":
    main()
