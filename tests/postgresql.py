"""Databases of their own for tests, on a PostgreSQL server."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

from agent_runtime_core.stores.postgresql import upgrade

__all__ = ["SERVER", "ServerMissing", "emptied", "emptied_of_runs", "execute", "in_thread", "new_database"]

SERVER = os.environ.get("AGENT_RUNTIME_TEST_POSTGRESQL", "postgresql://postgres@localhost:5432/postgres")
"""A database from which others may be created and dropped."""

TABLES = ("conversations", "messages", "new_messages", "states", "versions", "new_versions", "waiting", "receipts")

T = TypeVar("T")


class ServerMissing(Exception):
    """No server answers."""


def in_thread(work: Coroutine[Any, Any, T]) -> T:
    """What the coroutine gives, run in a thread and an event loop of its own; fixtures must not touch the test's."""
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(asyncio.run(work))
        except BaseException as error:  # raised again where it is waited for
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def execute(url: str, *statements: str) -> list[Any]:
    """Run statements one after the other, and return the rows of the last one."""

    async def run() -> list[Any]:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            rows: list[Any] = []
            for statement in statements:
                rows = await connection.fetch(statement)
            return rows
        finally:
            await connection.close()

    return in_thread(run())


@contextmanager
def new_database(server: str = SERVER, *, with_tables: bool = True) -> Iterator[str]:
    """The URL of a database that exists as long as the block.

    Raises:
        ServerMissing: No server answers.
    """
    name = f"agent_runtime_test_{uuid4().hex}"
    try:
        execute(server, f"CREATE DATABASE {name}")
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise ServerMissing(f"{type(error).__name__}: {error}") from error
    try:
        url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        if with_tables:
            in_thread(upgrade(url))
        yield url
    finally:
        execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def emptied(url: str) -> str:
    """The URL, when its tables are empty."""
    execute(url, *(f"DELETE FROM agent_runtime_{table}" for table in TABLES))
    return url


def emptied_of_runs(url: str) -> str:
    """The URL, when its tables of runs are empty; they are there once an engine has made them."""
    tables = execute(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'agent_runtime'")
    names = {row["tablename"] for row in tables} & {"runs", "run_steps", "run_events", "workflow_status"}
    names |= {f"workflow_{kind}" for kind in ("input", "output") if "workflow_status" in names}
    execute(url, "SELECT 1", *(f"DELETE FROM agent_runtime.{name}" for name in sorted(names)))
    return url
