"""Conversations in a PostgreSQL database. Needs the extra `postgresql`."""

from agent_runtime_core.errors import MissingDependency

try:
    import alembic as _alembic  # noqa: F401
    import asyncpg as _asyncpg  # noqa: F401
    import sqlalchemy as _sqlalchemy  # noqa: F401
except ImportError as error:
    raise MissingDependency(
        f"{error.name} is required for conversations in PostgreSQL. "
        f"Install it: pip install 'agent_runtime_core[postgresql]'."
    ) from error

from agent_runtime_core.stores.postgresql.store import PostgreSQLCheckpointStore
from agent_runtime_core.stores.postgresql.upgrade import SchemaChange, upgrade

__all__ = ["PostgreSQLCheckpointStore", "SchemaChange", "upgrade"]
