"""Runs that outlive their process, on DBOS: in a SQLite file or in PostgreSQL. Needs the extra `durable`."""

import agent_runtime_core.engines.dbos.driver  # noqa: F401 - first: it says which extra is missing
from agent_runtime_core.engines.dbos.engine import DBOSRunEngine

__all__ = ["DBOSRunEngine"]
