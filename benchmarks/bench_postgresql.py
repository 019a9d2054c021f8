"""CPU of a persisted run on PostgreSQL, beside the same rows written by hand, and 500 conversations at once.

`python benchmarks/bench_postgresql.py [rounds]`; the server is `AGENT_RUNTIME_TEST_POSTGRESQL`, or localhost.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

from agent_runtime_core.interfaces.turns import Begun
from agent_runtime_core.stores.postgresql import PostgreSQLCheckpointStore, upgrade

SERVER = os.environ.get("AGENT_RUNTIME_TEST_POSTGRESQL", "postgresql://postgres@localhost:5432/postgres")

RUNS = 200
"""Runs of a round; each is the user's message and two turns, in a conversation of its own."""

AT_ONCE = 500
"""Conversations that talk at the same time; each has 3 runs."""

SIZES = ((1, 1000), (1, 3000), (100, 30), (300, 3))
"""Conversations, and runs of each, whose bytes on disk are measured."""

WORDS = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8").split()
CHANCE = random.Random(1)

IDS = itertools.count()

STATE = {"step": "email", "name": "Ada Lovelace", "email": ""}
USER: dict[str, Any] = {
    "role": "user",
    "content": "Hello, my name is Ada Lovelace and I would like to open an account.",
}
CALL: dict[str, Any] = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "save_name", "arguments": '{"name": "Ada Lovelace"}'}}
    ],
}
RESULT: dict[str, Any] = {"role": "tool", "content": "Saved.", "tool_call_id": "call_1", "name": "save_name"}
REPLY: dict[str, Any] = {"role": "assistant", "content": "Thank you, Ada. At which address can we reach you by e-mail?"}

TABLES = """
    CREATE TABLE conversation (id text PRIMARY KEY, version bigint NOT NULL);
    CREATE TABLE message (conversation text, position bigint, body text NOT NULL, PRIMARY KEY (conversation, position));
    CREATE TABLE state (conversation text, version bigint, body text NOT NULL, PRIMARY KEY (conversation, version));
"""


class ByHand:
    """What a careful person would write: the driver and its pool; each write is a transaction."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool

    async def send(self, conversation: str) -> None:
        """One run: read, then the message, then each turn with its state."""
        async with self.pool.acquire() as connection:
            version = await connection.fetchval("SELECT version FROM conversation WHERE id = $1", conversation) or 0
            rows = await connection.fetch(
                "SELECT body FROM message WHERE conversation = $1 ORDER BY position DESC LIMIT 200", conversation
            )
            await connection.fetchval(
                "SELECT body FROM state WHERE conversation = $1 ORDER BY version DESC LIMIT 1", conversation
            )
        count = len([json.loads(row["body"]) for row in reversed(rows)])
        turns: tuple[list[dict[str, Any]], ...] = ([USER], [CALL, RESULT], [REPLY])
        for messages in turns:
            state = None if messages == [USER] else STATE
            await self.write(conversation, version, state, count, messages)
            version += 1
            count += len(messages)

    async def write(
        self, conversation: str, version: int, state: dict[str, Any] | None, count: int, messages: list[dict[str, Any]]
    ) -> None:
        """One transaction, refused when somebody else was faster."""
        async with self.pool.acquire() as connection, connection.transaction():
            if version == 0:
                await connection.execute("INSERT INTO conversation VALUES ($1, 1)", conversation)
            else:
                done = await connection.execute(
                    "UPDATE conversation SET version = version + 1 WHERE id = $1 AND version = $2",
                    conversation,
                    version,
                )
                assert done == "UPDATE 1"
            await connection.executemany(
                "INSERT INTO message VALUES ($1, $2, $3)",
                [(conversation, place, json.dumps(message)) for place, message in enumerate(messages, count)],
            )
            if state is not None:
                await connection.execute(
                    "INSERT INTO state VALUES ($1, $2, $3)", conversation, version + 1, json.dumps(state)
                )


async def send(
    store: PostgreSQLCheckpointStore,
    conversation: str,
    window: int = 200,
    *,
    message: dict[str, Any] = USER,
    reply: dict[str, Any] = REPLY,
    state: dict[str, Any] = STATE,
) -> None:
    """One run on a store, as an agent does it."""
    run = await store.begin(
        conversation,
        "agent",
        message=message,
        message_id=uuid4().hex,
        remember=False,
        lease_seconds=60.0,
        max_messages=window,
    )
    assert isinstance(run, Begun), run
    version = run.checkpoint.version
    version = await store.commit(
        conversation, "agent", expected_version=version, state=state, messages=[CALL, RESULT], lease=run.lease
    )
    await store.commit(
        conversation,
        "agent",
        expected_version=version,
        state=state,
        messages=[reply],
        lease=run.lease,
        finish={"response": reply["content"]},
    )


async def measured(send_one: Callable[[str], Awaitable[None]]) -> float:
    """CPU microseconds of this process per run."""
    start = time.process_time()
    for _ in range(RUNS):
        await send_one(f"c{next(IDS)}")
    return (time.process_time() - start) / RUNS * 1e6


async def compare(url: str, rounds: int) -> None:
    """The same runs by hand and on the store, in turn."""
    async with asyncpg.create_pool(url, min_size=1, max_size=10) as pool, PostgreSQLCheckpointStore(url) as store:
        await pool.execute(TABLES)
        subjects: dict[str, Callable[[str], Awaitable[None]]] = {
            "by hand, 4 transactions": ByHand(pool).send,
            "begin and 2 commits": lambda name: send(store, name),
        }
        figures: dict[str, list[float]] = {name: [] for name in subjects}
        for each in subjects.values():
            await measured(each)
        for _ in range(rounds):
            for name, each in subjects.items():
                figures[name].append(await measured(each))
    print(f"\nCPU per persisted run, {rounds} rounds of {RUNS}\n{'':34}{'us median':>10}{'us min':>10}{'ratio':>8}")
    first = next(iter(figures.values()))
    for name, values in figures.items():
        ratio = statistics.median(value / base for value, base in zip(values, first, strict=True))
        print(f"{name:34}{statistics.median(values):10.1f}{min(values):10.1f}{ratio:8.2f}")


async def by_length(url: str) -> None:
    """Runs behind 10 and behind 3,000 others in one conversation, with a window of 20 messages."""
    async with PostgreSQLCheckpointStore(url) as store:
        spent: dict[int, list[float]] = {10: [], 3000: []}
        for _ in range(20):
            for runs_before, values in spent.items():
                name = f"c{next(IDS)}"
                await store.commit(
                    name, "agent", expected_version=0, messages=[USER, CALL, RESULT, REPLY] * runs_before
                )
                await send(store, name, window=20)
                start = time.process_time()
                for _ in range(10):
                    await send(store, name, window=20)
                values.append((time.process_time() - start) / 10 * 1e6)
    figures = {runs_before: statistics.median(values) for runs_before, values in spent.items()}
    print("\nCPU per persisted run by length of the conversation, window of 20 messages")
    for runs_before, value in figures.items():
        print(f"{f'behind {runs_before} runs':34}{value:10.1f}{'':10}{value / figures[10]:8.2f}")


def sentence(length: int = 13) -> str:
    """Words as they stand somewhere in our README, so that they can be compressed as much as English can."""
    start = CHANCE.randrange(len(WORDS) - length)
    return " ".join(WORDS[start : start + length])


async def on_disk(url: str, conversations: int, runs: int) -> None:
    """Bytes of all tables and indexes per message beside the JSON of the messages; conversations take turns."""
    async with PostgreSQLCheckpointStore(url) as store:
        connection = await asyncpg.connect(url)
        size = """SELECT sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables
            WHERE relname LIKE 'agent_runtime_%'"""
        names = [f"c{next(IDS)}" for _ in range(conversations)]
        await connection.execute("VACUUM")
        before = await connection.fetchval(size)
        text = count = 0
        for _ in range(runs):
            for name in names:
                message, reply = {**USER, "content": sentence()}, {**REPLY, "content": sentence()}
                state = {**STATE, "name": sentence(2)}
                await send(store, name, window=20, message=message, reply=reply, state=state)
                messages = (message, CALL, RESULT, reply)
                text += sum(len(json.dumps(each, separators=(",", ":")).encode()) for each in messages)
                count += len(messages)
        await connection.execute("VACUUM")
        grown = await connection.fetchval(size) - before
        print(f"\nBytes on disk per message, conversations: {conversations}, runs of each: {runs}")
        print(f"{'as JSON':34}{text / count:10.0f}")
        print(f"{'tables and indexes':34}{grown / count:10.0f}{'':10}{grown / text:8.2f}")
        await connection.close()


async def at_once(url: str) -> None:
    """Many conversations in one process; every answer that is not a run of its own is an error."""
    async with PostgreSQLCheckpointStore(url) as store:

        async def talk(name: str) -> None:
            for _ in range(3):
                await send(store, name)

        names = [f"c{next(IDS)}" for _ in range(AT_ONCE)]
        start, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*map(talk, names))
        seconds, spent = time.perf_counter() - start, time.process_time() - cpu
        lengths = {len(await store.history(name)) for name in names}
    assert lengths == {12}, lengths
    runs = 3 * AT_ONCE
    print(
        f"\n{AT_ONCE} conversations at once, 3 runs each: {seconds:.1f} s, {runs / seconds:.0f} runs/s, "
        f"{spent / runs * 1e6:.0f} us CPU per run, no conflict"
    )


@asynccontextmanager
async def new_database(server: asyncpg.Connection) -> AsyncIterator[str]:
    """The URL of a database with our tables, which is dropped at the end of the block."""
    name = f"agent_runtime_bench_{uuid4().hex}"
    await server.execute(f"CREATE DATABASE {name}")
    try:
        url = urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))
        await upgrade(url)
        yield url
    finally:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def main() -> None:
    """Measure in databases of our own, and drop them."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    try:
        server = await asyncpg.connect(SERVER, timeout=10)
    except (OSError, asyncpg.PostgresError) as error:
        print(f"skipped: no PostgreSQL server answers ({type(error).__name__}); see AGENT_RUNTIME_TEST_POSTGRESQL")
        return
    try:
        async with new_database(server) as url:
            await compare(url, rounds)
            await by_length(url)
            await at_once(url)
        for conversations, runs in SIZES:
            async with new_database(server) as url:
                await on_disk(url, conversations, runs)
    finally:
        await server.close()


if __name__ == "__main__":
    asyncio.run(main())
