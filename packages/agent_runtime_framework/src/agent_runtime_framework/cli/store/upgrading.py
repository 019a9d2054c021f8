"""`agent-runtime store upgrade`: a store's tables as this version needs them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agent_runtime_core.errors import AgentRuntimeError
from agent_runtime_core.interfaces import CheckpointStore
from agent_runtime_core.stores import open_store
from agent_runtime_core.stores.sqlite.file import version_of_file
from agent_runtime_framework.cli.failure import CommandError, sentence
from agent_runtime_framework.cli.store.opening import JSON, StoreURL, print_json, print_line, with_store

__all__ = ["upgrade"]


def upgrade(store: StoreURL, json: JSON = False) -> None:
    """Make a store's tables, or bring older ones up to date. SQLite files do so whenever they are opened."""
    if store.lower().startswith(("postgresql://", "postgres://")):
        before, after = _postgresql(store)
    else:
        before = _version_of_file(store)
        after = _opened(store)
    if json:
        print_json({"before": before, "after": after})
    elif not after:
        print_line("This store has no tables; there is nothing to upgrade.")
    elif before == after:
        print_line(f"The tables are of version {after} already.")
    elif before:
        print_line(f"The tables were of version {before}, and are of version {after} now.")
    else:
        print_line(f"There were no tables; now they are there, of version {after}.")


def _postgresql(url: str) -> tuple[str, str]:
    try:
        from agent_runtime_core.stores.postgresql import upgrade as upgrade_database

        change = asyncio.run(upgrade_database(url))
    except AgentRuntimeError as error:
        raise CommandError(f"--store: {sentence(error)}") from error
    return change.before, change.after


def _version_of_file(url: str) -> str:
    """The version of a SQLite file's tables before it is opened; empty where there is none."""
    try:
        path = getattr(open_store(url), "path", None)
        if not isinstance(path, str) or not Path(path).is_file():
            return ""
        return str(version_of_file(path) or "")
    except AgentRuntimeError as error:
        raise CommandError(f"--store: {sentence(error)}") from error


def _opened(url: str) -> str:
    async def schema(store: CheckpointStore) -> str:
        return (await store.info()).schema

    return with_store(url, schema)
