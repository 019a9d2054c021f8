"""Which engine executes runs, as the settings say."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.db import DEFAULT_DB_ALIAS, connections, router

from agent_runtime_core.engines import InProcessRunEngine, open_engine
from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces.run_engine import RunEngine
from django_agent_runtime.conf import runtime_settings
from django_agent_runtime.models import AgentRun

__all__ = ["durable_url", "is_in_process", "open_run_engine"]

_SHORT_PAUSE_S = 0.001
"""The runs' own pauses (`RETRY_BACKOFF_BASE`) are the ones that count."""

_OPTIONS = ("passfile", "sslcert", "sslcrl", "sslkey", "sslmode", "sslrootcert", "target_session_attrs")


def is_in_process() -> bool:
    """Whether runs are executed by the process that they are submitted in."""
    return runtime_settings().ENGINE == "in-process"


def open_run_engine(*, pool_size: int | None = None) -> RunEngine:
    """A new engine; nothing is connected to before it is used.

    Args:
        pool_size: Connections that a durable engine keeps open, unless its URL says so.

    Raises:
        ConfigError: Django's database is none that an engine can use.
        MissingDependency: The engine needs the extra `durable`.
    """
    if is_in_process():
        return InProcessRunEngine(retry_pause_s=_SHORT_PAUSE_S, keep_finished=100)
    return open_engine(durable_url(pool_size=pool_size))


def durable_url(*, pool_size: int | None = None) -> str:
    """Where the durable engine keeps its records: the setting's URL, else beside the conversations.

    That is PostgreSQL's database with a schema of its own, or a file beside SQLite's.

    Raises:
        ConfigError: The database is neither.
    """
    given = runtime_settings().ENGINE
    url = given if "://" in given else _beside(connections[router.db_for_write(AgentRun) or DEFAULT_DB_ALIAS])
    options = {"retry_pause_s": _SHORT_PAUSE_S, "pool_size": pool_size}
    added = {name: value for name, value in options.items() if value is not None and f"{name}=" not in url}
    return f"{url}{'&' if '?' in url else '?'}{urlencode(added)}"


def _beside(connection: Any) -> str:
    database = connection.settings_dict
    if connection.vendor == "postgresql":
        return _postgresql(database)
    name = str(database["NAME"])
    if connection.vendor == "sqlite" and name and ":memory:" not in name and "mode=memory" not in name:
        return f"sqlite:///{quote(str(Path(name).absolute()) + '.runs')}"
    raise ConfigError(
        f"ENGINE is 'durable', and runs cannot be kept beside the database {connection.alias!r} "
        f"({connection.vendor}{', in memory' if connection.vendor == 'sqlite' else ''}): use PostgreSQL or a SQLite "
        f"file, or give ENGINE the URL of one."
    )


def _postgresql(database: dict[str, Any]) -> str:
    options = {name: str(value) for name, value in database.get("OPTIONS", {}).items() if name in _OPTIONS}
    host = str(database.get("HOST") or "")
    if host.startswith("/"):  # a socket's directory
        options["host"], host = host, ""
    if ":" in host:
        host = f"[{host}]"
    user, password = (quote(str(database.get(name) or ""), safe="") for name in ("USER", "PASSWORD"))
    login = f"{user}{':' + password if password else ''}@" if user else ""
    port = f":{database['PORT']}" if database.get("PORT") else ""
    query = f"?{urlencode(options)}" if options else ""
    return f"postgresql://{login}{host}{port}/{quote(str(database['NAME']), safe='')}{query}"
