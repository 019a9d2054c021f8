"""From a URL to an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_runtime_core.engines.in_process import InProcessRunEngine
from agent_runtime_core.errors import ConfigError

if TYPE_CHECKING:
    from agent_runtime_core.interfaces.run_engine import RunEngine

__all__ = ["open_engine"]

_METHODS = ("start", "stop", "submit", "status", "wait", "events", "cancel", "runs", "retry", "prune", "health")
_DURABLE = ("sqlite", "postgresql", "postgres")


def open_engine(engine: str | RunEngine) -> RunEngine:
    """The engine that a URL names. An engine is given back as it is.

    | URL | engine |
    |---|---|
    | `memory://` | in this process; nothing outlives it |
    | `sqlite:///runs.db` | DBOS on a SQLite file: any number of processes on one machine (extra `durable`) |
    | `postgresql://user:password@host:5432/database` | DBOS on PostgreSQL: any number of machines (extra `durable`) |

    Nothing is connected to or created before the engine is used.

    Raises:
        ConfigError: It is none of these; the text says what is wrong with it.
        MissingDependency: The engine needs the extra `durable`, which is not installed.
    """
    if isinstance(engine, str):
        scheme, separator, _ = engine.partition("://")
        if engine.lower() == "memory://":
            return InProcessRunEngine()
        if separator and scheme.lower() in _DURABLE:
            from agent_runtime_core.engines.dbos import DBOSRunEngine  # here, because it needs the extra

            return DBOSRunEngine(engine)
        # Only the scheme is told: the rest of a URL may hold a password.
        raise ConfigError(
            f"no engine is known for URLs that begin with {scheme + separator!r}; give 'memory://', "
            f"'sqlite:///runs.db' or 'postgresql://user@host/database'."
        )
    if not isinstance(engine, type) and all(callable(getattr(engine, name, None)) for name in _METHODS):
        return engine
    raise ConfigError(
        f"an engine is given as a {type(engine).__name__}; give a URL such as 'sqlite:///runs.db', or an object with "
        f"the methods of RunEngine ({', '.join(_METHODS)})."
    )
