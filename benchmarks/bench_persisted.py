"""CPU of a persisted run on SQLite, beside the same rows written by hand, and by length; bytes on disk per message.

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
from uuid import uuid4

from journey import ARGUMENTS, BARE_TOOLS, USER_LINES, Onboarding, StubModel, bare_run

from agent_runtime_core.interfaces import Begun, CheckpointStore
from agent_runtime_core.stores import SQLiteCheckpointStore, open_store
from agent_runtime_core.stores.json_data import encoded
from agent_runtime_framework import JourneyConfig

RUNS = 300
"""Runs of a round; each is 2 LLM calls and 1 tool call, in a conversation of its own."""

IDS = itertools.count()


class ByHand:
    """What a careful person would write: sqlite3 in one thread, one read and one transaction per run."""

    def __init__(self, path: Path) -> None:
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

    def _write(self, conversation: str, state: str, bodies: list[str]) -> None:
        row, rows = self._load(conversation)
        self._commit(conversation, 1 if row is None else row[0] + 1, state, len(rows), bodies)

    async def send_blind(self, conversation: str, text: str) -> None:
        """One run of a new conversation, with all that SQLite does in one hop at its end."""
        loop = asyncio.get_running_loop()
        state = {"step": "name", "name": "", "email": ""}
        messages: list[dict[str, Any]] = [{"role": "user", "content": text}]
        await bare_run(self.model, state, messages)
        bodies = [json.dumps(message) for message in messages]
        await loop.run_in_executor(self.thread, self._write, conversation, json.dumps(state), bodies)

    async def send(self, conversation: str, text: str) -> None:
        """One run: read, answer, write."""
        loop = asyncio.get_running_loop()
        row, rows = await loop.run_in_executor(self.thread, self._load, conversation)
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


STATE = {"step": "email", "name": "Ada", "email": ""}
CALL = {"id": "call_1", "type": "function", "function": {"name": "save_name", "arguments": ARGUMENTS["save_name"]}}
TOOL_REPLIES: list[dict[str, Any]] = [
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "content": "Saved Ada.", "tool_call_id": "call_1", "name": "save_name"},
    {"role": "assistant", "content": "All right, what next?"},
]
TEXT_REPLIES: list[dict[str, Any]] = [
    {"role": "assistant", "content": "It covers storm, hail, water from pipes; 500 euros are yours."}
]


async def run_on(
    store: CheckpointStore, conversation: str, message: dict[str, Any], replies: list[dict[str, Any]]
) -> None:
    """What a run asks of its store: a commit for each turn, the last of which finishes it."""
    begun = await store.begin(
        conversation,
        "agent",
        message=message,
        message_id=uuid4().hex,
        remember=False,
        lease_seconds=15,
        max_messages=20,
    )
    assert isinstance(begun, Begun)
    version = begun.checkpoint.version
    if replies[:-1]:
        version = await store.commit(
            conversation, "agent", expected_version=version, state=STATE, messages=replies[:-1], lease=begun.lease
        )
    finish = {"text": replies[-1]["content"]}
    await store.commit(
        conversation, "agent", expected_version=version, messages=replies[-1:], lease=begun.lease, finish=finish
    )


def bytes_on_disk(folder: Path) -> None:
    """Print the size of the closed file beside the JSON of the messages in it."""
    print(
        f"\nBytes on disk per byte of the messages' JSON\n{'':34}{'messages':>10}{'JSON':>10}{'disk':>10}{'ratio':>8}"
    )
    for conversations, runs in ((1, 3000), (100, 30)):
        for name, replies in (("text", TEXT_REPLIES), ("a tool in each", TOOL_REPLIES)):
            path = folder / "size.db"
            json_bytes, count = asyncio.run(_talk(path, conversations, runs, replies))
            size = path.stat().st_size
            title = f"{conversations} x {runs} runs, {name}"
            print(f"{title:34}{count:10}{json_bytes / count:10.1f}{size / count:10.1f}{size / json_bytes:8.2f}")
            path.unlink()


async def _talk(path: Path, conversations: int, runs: int, replies: list[dict[str, Any]]) -> tuple[int, int]:
    written: list[dict[str, Any]] = []
    async with SQLiteCheckpointStore(path) as store:
        for n in range(runs):
            for conversation in range(conversations):
                message = {"role": "user", "content": f"{n}: I would like to know more about my policy, please."}
                await run_on(store, f"conversation-{conversation}", message, replies)
                written += [message, *replies]
    return sum(len(storable_bytes(encoded(message, "message"))) for message in written), len(written)


def storable_bytes(text: str | bytes) -> bytes:
    """What a database keeps of it."""
    return text.encode() if isinstance(text, str) else text


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    assert BARE_TOOLS["name"], "the journey begins with a tool"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        by_hand = ByHand(folder / "bare.db")
        agent = Onboarding(StubModel(), store=f"sqlite:///{folder}/ours.db")
        store = open_store(f"sqlite:///{folder}/alone.db")

        async def store_alone(conversation: str, text: str) -> None:
            await run_on(store, conversation, {"role": "user", "content": text}, TOOL_REPLIES)

        subjects = {
            "by hand, 1 transaction, 1 hop": lambda: measure(by_hand.send_blind),
            "by hand, read first: 2 hops": lambda: measure(by_hand.send),
            "begin and 2 commits, store alone": lambda: measure(store_alone),
            "send: message, 2 turns": lambda: measure(agent.send),
        }
        table(f"CPU per persisted run (2 LLM calls, 1 tool), {rounds} rounds of {RUNS}", subjects, rounds)
        for window in (20, 200):
            lengths = {f"{n} messages stored, window {window}": by_length(folder, n, window) for n in (10, 200, 10_000)}
            table(f"CPU per persisted run by length of the conversation, {rounds} rounds of 30", lengths, rounds)
            for path in folder.glob("[0-9]*"):
                path.unlink()
        bytes_on_disk(folder)
        by_hand.thread.shutdown()


if __name__ == "__main__":
    main()
