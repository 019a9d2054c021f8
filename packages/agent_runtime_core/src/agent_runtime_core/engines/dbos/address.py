"""The URL of a durable engine: what the driver is told, what our options are, and what may be shown of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from sqlalchemy import URL

from agent_runtime_core.errors import ConfigError

__all__ = ["Address", "read_address"]

_OWN: Mapping[str, Callable[[str], Any]] = {
    "grace_s": float,
    "max_interruptions": int,
    "poll_s": float,
    "pool_size": int,
    "retry_pause_s": float,
}
_SQLITE: Mapping[str, Callable[[str], Any]] = {**_OWN, "synchronous": str}
_POSTGRESQL: Mapping[str, Callable[[str], Any]] = {**_OWN, "schema": str}

_DRIVER = {"application_name", "connect_timeout", "host", "passfile", "sslcert", "sslcrl", "sslkey", "sslmode"}
_DRIVER |= {"sslrootcert", "target_session_attrs"}

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_SYNCHRONOUS = ("normal", "full")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where an engine keeps its runs."""

    url: URL
    """For SQLAlchemy; it may hold a password."""
    shown: str
    """For people: without user, password and options."""
    file: Path | None
    """The file, when it is SQLite's."""
    schema: str | None
    """The schema of all tables, when it is PostgreSQL's."""
    synchronous: str
    """SQLite's setting of that name."""
    options: Mapping[str, Any]
    """Options of the engine's constructor that stood in the URL."""

    @property
    def is_postgresql(self) -> bool:
        """Whether it is PostgreSQL's."""
        return self.file is None


def read_address(url: str) -> Address:
    """What `sqlite:///runs.db` or `postgresql://user:password@host:5432/database?schema=runs` says.

    Raises:
        ConfigError: It is none; the text never shows a password.
    """
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    place, _, query = rest.partition("?")
    if separator and scheme == "sqlite":
        return _sqlite(unquote(place), query)
    if separator and scheme in ("postgresql", "postgres"):
        return _postgresql(place, query)
    raise ConfigError("the URL of a durable engine begins with 'sqlite:///' or 'postgresql://'.")


def _sqlite(place: str, query: str) -> Address:
    if place in ("", "/", "/:memory:"):
        raise ConfigError(
            "durable runs need a file: write 'sqlite:///runs.db', or 'memory://' for runs that end with the process."
        )
    if not place.startswith("/"):
        raise ConfigError(
            f"'sqlite://{place}' has two slashes; write 'sqlite:///{place}' for a path in the present directory, "
            f"'sqlite:////{place}' for an absolute one."
        )
    options, _ = _read_options("sqlite", query, _SQLITE, set())
    synchronous = options.pop("synchronous", "normal").lower()
    if synchronous not in _SYNCHRONOUS:
        raise ConfigError(f"synchronous is {synchronous!r}; give one of {', '.join(_SYNCHRONOUS)}.")
    file = Path(place[1:])
    return Address(
        url=URL.create("sqlite", database=str(file)),
        shown=f"sqlite:///{file}",
        file=file,
        schema=None,
        synchronous=synchronous,
        options=options,
    )


def _postgresql(place: str, query: str) -> Address:
    parts = _split(place)
    options, driver = _read_options("postgresql", query, _POSTGRESQL, _DRIVER)
    schema = options.pop("schema", "agent_runtime")
    if not _SCHEMA.fullmatch(schema):
        raise ConfigError(f"schema is {schema!r}; give small letters, digits and _, a letter first, 63 at most.")
    database = unquote(parts.path.lstrip("/"))
    if not database:
        raise ConfigError("the URL names no database; write postgresql://user:password@host:5432/database.")
    url = URL.create(
        "postgresql+psycopg",
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        host=parts.hostname,
        port=parts.port,
        database=database,
        query=driver,
    )
    host = parts.netloc.rpartition("@")[2] or driver.get("host", "")
    return Address(
        url=url,
        shown=f"postgresql://{host}/{database}",
        file=None,
        schema=schema,
        synchronous="",
        options=options,
    )


def _split(place: str) -> SplitResult:
    try:
        parts = urlsplit(f"postgresql://{place}")
        _ = parts.port  # raises, if it is no number
    except ValueError:
        parts = None
    if parts is None or parts.fragment or parts.netloc.count("@") > 1:
        raise ConfigError(
            "the URL of the PostgreSQL database cannot be read; write it as "
            "postgresql://user:password@host:5432/database, and in user and password '%40' for '@', '%2F' for '/', "
            "'%3A' for ':', '%23' for '#', '%3F' for '?' and '%25' for '%'."
        )
    return parts


def _read_options(
    scheme: str, query: str, own: Mapping[str, Callable[[str], Any]], driver: set[str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """What stands behind the question mark: options of ours, and the driver's."""
    found: dict[str, Any] = {}
    passed: dict[str, str] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name in driver:
            passed[name] = text
        elif name in own:
            try:
                found[name] = own[name](text)
            except ValueError as error:
                kind = "seconds" if name.endswith("_s") else "a whole number"
                raise ConfigError(f"{name} is {text!r}; give {kind}.") from error
        else:
            known = ", ".join(sorted({*own, *driver}))
            raise ConfigError(f"{scheme}:// has no option {name!r}; known are {known}.")
    return found, passed
