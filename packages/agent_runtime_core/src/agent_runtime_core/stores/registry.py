"""From a URL to a store."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces.checkpoint_store import CheckpointStore
from agent_runtime_core.stores.memory import InMemoryCheckpointStore
from agent_runtime_core.stores.sqlite import SQLiteCheckpointStore

__all__ = ["open_store"]

_METHODS: tuple[str, ...]
_METHODS = ("load", "begin", "commit", "renew", "release", "withdraw", "history", "conversations", "versions", "rewind")
_METHODS += ("fork", "delete_state", "delete_messages", "delete", "info", "close")


def open_store(store: str | os.PathLike[str] | CheckpointStore) -> CheckpointStore:
    """The store that a URL or a path names. A store is given back as it is.

    | URL | store |
    |---|---|
    | `memory://` | in the memory of this process |
    | `sqlite:///journeys.db` | the SQLite file in the present directory |
    | `sqlite:////var/lib/journeys.db` | the SQLite file at an absolute path |
    | `sqlite://` or `sqlite:///:memory:` | SQLite in memory |
    | `postgresql://user:password@host:5432/database` | a PostgreSQL database (extra `postgresql`) |
    | `redis://user:password@host:6379/0?key_prefix=journeys:` | a Redis server (extra `redis`); `rediss://` for TLS |

    Options of a store's constructor stand behind a question mark: `memory://?max_conversations=1000`,
    `sqlite:///journeys.db?synchronous=full&busy_timeout_ms=10000`, `sqlite:///journeys.db?keep_versions=all`. A `%` in
    a path is written `%25`, a `?` `%3F`. A `Path` is the path of a SQLite file. Each call opens a store of its own;
    nothing is read or created before the store is used.

    Raises:
        ConfigError: It is none of these; the text says what is wrong with it.
        MissingDependency: The store needs an extra that is not installed; the text names it.
    """
    if isinstance(store, str):
        return _from_url(store)
    if isinstance(store, os.PathLike):
        return SQLiteCheckpointStore(store)
    if not isinstance(store, type) and all(callable(getattr(store, name, None)) for name in _METHODS):
        return store
    raise ConfigError(
        f"a store is given as a {_name(store)}; give a URL such as 'sqlite:///journeys.db', the Path of a SQLite "
        f"file, or an object with the methods of CheckpointStore ({', '.join(_METHODS)})."
    )


def _from_url(url: str) -> CheckpointStore:
    from urllib.parse import parse_qsl, unquote  # here, because most programs open a store once or never

    scheme, separator, rest = url.partition("://")
    if not separator:
        raise ConfigError(
            f"the store's URL has no '://'. Known are {_known()}; a SQLite file is written "
            f"sqlite:///{url if url and '@' not in url else 'journeys.db'}."  # what is before an @ may be a password
        )
    if scheme.lower() in _SERVERS:
        return _SERVERS[scheme.lower()](url)  # each reads its own URL: a password in it may hold any character
    opener = _OPENERS.get(scheme.lower())
    if opener is None:
        # Only the scheme is told: the rest of a URL may hold a password.
        raise ConfigError(f"no store is known for URLs that begin with '{scheme}://'; known are {_known()}.")
    place, _, query = rest.partition("?")
    return opener(unquote(place), dict(parse_qsl(query, keep_blank_values=True)))


def _memory(place: str, options: Mapping[str, str]) -> CheckpointStore:
    if place:
        raise ConfigError(f"'memory://{place}' names a place, and memory has none; write 'memory://'.")
    values = _read_options("memory", options, {"keep_versions": _count_or_all, "max_conversations": int})
    return InMemoryCheckpointStore(**values)


def _sqlite(place: str, options: Mapping[str, str]) -> CheckpointStore:
    known: dict[str, Callable[[str], Any]] = {
        "busy_timeout_ms": int,
        "keep_versions": _count_or_all,
        "synchronous": str,
    }
    values = _read_options("sqlite", options, known)
    if place in ("", "/:memory:"):
        return SQLiteCheckpointStore(":memory:", **values)
    if place == "/":
        raise ConfigError("'sqlite:///' names no file; write 'sqlite:///journeys.db', or 'sqlite://' for memory.")
    if not place.startswith("/"):
        raise ConfigError(
            f"'sqlite://{place}' has two slashes; write 'sqlite:///{place}' for a path in the present directory, "
            f"'sqlite:////{place}' for an absolute one."
        )
    return SQLiteCheckpointStore(place[1:], **values)


def _redis(url: str) -> CheckpointStore:
    from agent_runtime_core.stores.redis import RedisCheckpointStore  # here, because it needs the extra

    return RedisCheckpointStore(url)


def _postgresql(url: str) -> CheckpointStore:
    from agent_runtime_core.stores.postgresql import PostgreSQLCheckpointStore  # here, because it loads its driver

    return PostgreSQLCheckpointStore(url)


_SERVERS: dict[str, Callable[[str], CheckpointStore]] = {
    "postgres": _postgresql,
    "postgresql": _postgresql,
    "redis": _redis,
    "rediss": _redis,
}
_OPENERS: dict[str, Callable[[str, Mapping[str, str]], CheckpointStore]] = {"memory": _memory, "sqlite": _sqlite}


def _known() -> str:
    return ", ".join(f"{scheme}://" for scheme in sorted({*_OPENERS, *_SERVERS}))


def _read_options(scheme: str, options: Mapping[str, str], known: Mapping[str, Callable[[str], Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in options.items():
        read = known.get(name)
        if read is None:
            raise ConfigError(f"{scheme}:// has no option {name!r}; known are {', '.join(sorted(known))}.")
        try:
            values[name] = read(text)
        except ValueError as error:
            kind = "a whole number, or 'all'" if name == "keep_versions" else "a whole number"
            raise ConfigError(f"{name} is {text!r}; give {kind}.") from error
    return values


def _count_or_all(text: str) -> int | None:
    return None if text == "all" else int(text)


def _name(store: object) -> str:
    return f"class ({store.__name__})" if isinstance(store, type) else type(store).__name__
