"""PostgreSQL's driver and SQLAlchemy, or words that say which extra brings them; imported before anything else here."""

from __future__ import annotations

from agent_runtime_core.errors import MissingDependency

try:
    import asyncpg
    import sqlalchemy
except ImportError as error:
    raise MissingDependency(
        f"{error.name} is required for conversations in PostgreSQL. "
        f"Install it: pip install 'agent_runtime_core[postgresql]'."
    ) from error

__all__ = ["asyncpg", "sqlalchemy"]
