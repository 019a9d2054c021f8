"""Stores of conversations: in memory, in a SQLite file, chosen by URL."""

from agent_runtime_core.stores.json_data import check_json_data
from agent_runtime_core.stores.memory import InMemoryCheckpointStore
from agent_runtime_core.stores.registry import open_store
from agent_runtime_core.stores.sqlite import SQLiteCheckpointStore

__all__ = ["InMemoryCheckpointStore", "SQLiteCheckpointStore", "check_json_data", "open_store"]
