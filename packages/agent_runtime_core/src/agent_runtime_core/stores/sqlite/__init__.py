"""Conversations in a SQLite file."""

from agent_runtime_core.stores.sqlite.store import SQLiteCheckpointStore

__all__ = ["SQLiteCheckpointStore"]
