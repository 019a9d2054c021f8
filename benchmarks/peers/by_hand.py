"""The bare loop with its rows by hand: one read and one transaction per run, sqlite3 on one thread or asyncpg."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from workload import Peer, Place, Stub, serve

sys.path.insert(0, str(Path(__file__).parent.parent))

import asyncpg
from bench_persisted import ByHand
from journey import bare_run
from stub_client import StubClient

_TABLES = """
    CREATE TABLE IF NOT EXISTS conversation (id text PRIMARY KEY, version bigint NOT NULL, state text NOT NULL);
    CREATE TABLE IF NOT EXISTS message (
        conversation text, position bigint, body text NOT NULL, PRIMARY KEY (conversation, position)
    );
"""


class OnSQLite:
    """sqlite3 in one thread."""

    def __init__(self, path: str) -> None:
        self.stub = Stub()
        self.rows = ByHand(Path(path))
        self.rows.thread.submit(self.rows.connection.execute, "PRAGMA synchronous=FULL").result()
        self.rows.model = StubClient(self.stub)

    async def send(self, conversation: str, text: str) -> None:
        """One run."""
        await self.rows.send(conversation, text)

    async def state(self, conversation: str) -> dict[str, Any]:
        """The stored state."""
        row, _ = self.rows.thread.submit(self.rows._load, conversation).result()
        state: dict[str, Any] = json.loads(row[1])
        return state


class OnPostgreSQL:
    """asyncpg with a pool."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.stub = Stub()
        self.pool = pool
        self.model = StubClient(self.stub)

    async def send(self, conversation: str, text: str) -> None:
        """One run."""
        async with self.pool.acquire() as connection:
            row = await connection.fetchrow("SELECT version, state FROM conversation WHERE id = $1", conversation)
            rows = await connection.fetch(
                "SELECT position, body FROM message WHERE conversation = $1 ORDER BY position DESC LIMIT 200",
                conversation,
            )
        version, state = (0, {"step": "name", "name": "", "email": ""}) if row is None else (row[0], json.loads(row[1]))
        first = rows[0][0] + 1 if rows else 0
        messages = [json.loads(body) for _, body in reversed(rows)]
        start = len(messages)
        messages.append({"role": "user", "content": text})
        await bare_run(self.model, state, messages)
        new = [(conversation, place, json.dumps(each)) for place, each in enumerate(messages[start:], first)]
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO conversation VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET version = $2, state = $3",
                conversation,
                version + 1,
                json.dumps(state),
            )
            await connection.executemany("INSERT INTO message VALUES ($1, $2, $3)", new)

    async def state(self, conversation: str) -> dict[str, Any]:
        """The stored state."""
        text = await self.pool.fetchval("SELECT state FROM conversation WHERE id = $1", conversation)
        state: dict[str, Any] = json.loads(text)
        return state


@asynccontextmanager
async def opened(place: Place) -> AsyncIterator[Peer]:
    """The rows by hand."""
    if place.is_postgresql:
        async with asyncpg.create_pool(place.text, min_size=1, max_size=5) as pool:
            await pool.execute(_TABLES)
            yield OnPostgreSQL(pool)
    else:
        peer = OnSQLite(place.text)
        yield peer
        peer.rows.thread.submit(peer.rows.connection.close).result()
        peer.rows.thread.shutdown()


if __name__ == "__main__":
    serve(opened)
