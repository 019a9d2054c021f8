"""Conversations in a PostgreSQL database. Needs the extra `postgresql`."""

import agent_runtime_core.stores.postgresql.driver  # noqa: F401 - first: it says which extra is missing
from agent_runtime_core.stores.postgresql.store import PostgreSQLCheckpointStore
from agent_runtime_core.stores.postgresql.upgrade import SchemaChange, upgrade

__all__ = ["PostgreSQLCheckpointStore", "SchemaChange", "upgrade"]
