"""DBOS and what it stands on, or words that say which extra brings them; imported before anything else here."""

from __future__ import annotations

from agent_runtime_core.errors import MissingDependency

try:
    import dbos
    import psycopg
    import sqlalchemy
    import sqlalchemy.dialects.postgresql.psycopg
    import sqlalchemy.dialects.sqlite  # both here: loaded by several threads at once, they would block each other
except ImportError as error:
    raise MissingDependency(
        f"{error.name} is required for durable runs. Install it: pip install 'agent_runtime_core[durable]'."
    ) from error

__all__ = ["dbos", "psycopg", "sqlalchemy"]
