"""CPU of a persisted run on SQLite, beside the same rows written by hand, and by length of the conversation.

`python benchmarks/bench_persisted.py [rounds]`
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sqlite3
import statistics
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
        connection.execute("CREATE TABLE conversation (id TEXT PRIMARY KEY, version INTEGER, state TEXT)")
        connection.execute(
            "CREATE TABLE message (conversation TEXT, position INTEGER, body TEXT, UNIQUE (conversation, position))"
        )
        return connection

    def _load(self, conversation: str) -> tuple[Any, list[tuple[str]]]:
        row = self.connection.execute(
            "SELECT version, state FROM conversation WHERE id = ?", (conversation,)
        ).fetchone()
        rows = self.connection.execute(
            "SELECT body FROM message WHERE conversation = ? ORDER BY position DESC LIMIT 200", (conversation,)
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
        messages = [json.loads(body) for (body,) in reversed(rows)]
        start = len(messages)
        messages.append({"role": "user", "content": text})
        await bare_run(self.model, state, messages)
        bodies = [json.dumps(message) for message in messages[start:]]
        await loop.run_in_executor(
            self.thread, self._commit, conversation, version + 1, json.dumps(state), start, bodies
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


def main() -> None:
    """Measure and print."""
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
        by_hand.thread.shutdown()
        by_hand_reading.thread.shutdown()


if __name__ == "__main__":
    main()
