"""The URL of a Redis server: what the client is told, what our options are, and what may be shown of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from agent_runtime_core.errors import ConfigError

__all__ = ["Address", "read_address"]


def _count_or_all(text: str) -> int | None:
    return None if text == "all" else int(text)


_OWN: Mapping[str, Callable[[str], Any]] = {
    "keep_versions": _count_or_all,
    "key_prefix": str,
    "max_connections": int,
    "timeout_s": float,
}
_TLS = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server is."""

    connection: Mapping[str, Any]
    """For the client's connections; it may hold a password."""
    tls: bool
    """Whether to speak TLS."""
    shown: str
    """For people: without user, password and options."""
    options: Mapping[str, Any]
    """Options of the store's constructor that stood in the URL."""


def read_address(url: str) -> Address:
    """What a URL such as `redis://user:password@host:6379/0?key_prefix=journeys:` says.

    Raises:
        ConfigError: It is none; the text never shows a password.
    """
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in ("redis", "rediss"):
        raise ConfigError("the URL of a Redis server begins with 'redis://', or with 'rediss://' for TLS.")
    place, _, query = rest.partition("?")
    parts, database = _split(scheme, place)
    own: dict[str, Any] = {}
    connection: dict[str, Any] = {"host": parts.hostname or "localhost", "port": parts.port or 6379, "db": database}
    if parts.username:
        connection["username"] = unquote(parts.username)
    if parts.password:
        connection["password"] = unquote(parts.password)
    tls = scheme == "rediss"
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name in _OWN:
            own[name] = _read(name, text)
        elif name in _TLS and tls:
            connection[name] = text
        else:
            known = ", ".join(sorted({*_OWN, *(_TLS if tls else ())}))
            raise ConfigError(f"{scheme}:// has no option {name!r}; known are {known}.")
    shown = f"{scheme}://{connection['host']}:{connection['port']}/{database}"
    return Address(connection=connection, tls=tls, shown=shown, options=own)


def _split(scheme: str, place: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(f"{scheme}://{place}")
        _ = parts.port  # raises, if it is no number
        database = int(parts.path.strip("/") or 0)
    except ValueError:
        parts, database = None, -1
    if parts is None or parts.fragment or parts.netloc.count("@") > 1 or database < 0:
        raise ConfigError(
            f"the URL of the Redis server cannot be read; write it as {scheme}://user:password@host:6379/0 with the "
            "number of the database at the end, and in user and password '%40' for '@', '%2F' for '/', '%3A' for ':', "
            "'%23' for '#', '%3F' for '?' and '%25' for '%'."
        )
    return parts, database


def _read(name: str, text: str) -> Any:
    try:
        return _OWN[name](text)
    except ValueError as error:
        kind = "seconds" if name.endswith("_s") else "a whole number"
        kind += ", or 'all'" if name == "keep_versions" else ""
        raise ConfigError(f"{name} is {text!r}; give {kind}.") from error
