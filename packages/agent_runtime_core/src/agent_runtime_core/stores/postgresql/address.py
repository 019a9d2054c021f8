"""The URL of a database: what the driver is told, what our options are, and what may be shown of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from agent_runtime_core.errors import ConfigError

__all__ = ["Address", "read_address"]

_OWN: Mapping[str, Callable[[str], Any]] = {
    "keep_versions": lambda text: None if text == "all" else int(text),
    "max_overflow": int,
    "pool_size": int,
    "pool_timeout_s": float,
}

_DRIVER = {"application_name", "host", "passfile", "sslcert", "sslcrl", "sslkey", "sslmode", "sslrootcert"}
_DRIVER |= {"target_session_attrs"}

_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a database is."""

    dsn: str
    """For the driver; it may hold a password."""
    shown: str
    """For people: without user, password and options."""
    options: Mapping[str, Any]
    """Options of the store's constructor that stood in the URL."""


def read_address(url: str) -> Address:
    """What a URL such as `postgresql://user:password@host:5432/database?pool_size=20` says.

    Raises:
        ConfigError: It is none; the text never shows a password.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in ("postgresql", "postgres"):
        raise ConfigError("the URL of a PostgreSQL database begins with 'postgresql://'.")
    place, _, query = rest.partition("?")
    parts = _split(place)
    own: dict[str, Any] = {}
    driver: dict[str, str] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name in _OWN:
            own[name] = _read(name, text)
        elif name in _DRIVER:
            driver[name] = text
        else:
            known = ", ".join(sorted({*_OWN, *_DRIVER}))
            raise ConfigError(f"postgresql:// has no option {name!r}; known are {known}.")
    if driver.get("sslmode", "prefer") not in _SSL_MODES:
        raise ConfigError(f"sslmode is {driver['sslmode']!r}; give one of {', '.join(_SSL_MODES)}.")
    hosts = parts.netloc.rpartition("@")[2] or driver.get("host", "")
    database = unquote(parts.path.lstrip("/"))
    dsn = f"postgresql://{parts.netloc}/{quote(database, safe='')}"
    return Address(
        dsn=f"{dsn}?{urlencode(driver)}" if driver else dsn,
        shown=f"postgresql://{hosts}/{database}",
        options=own,
    )


def _split(place: str) -> SplitResult:
    try:
        parts = urlsplit(f"postgresql://{place}")
        if "," not in parts.netloc:
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


def _read(name: str, text: str) -> Any:
    try:
        return _OWN[name](text)
    except ValueError as error:
        kind = "seconds" if name.endswith("_s") else "a whole number"
        kind += ", or 'all'" if name == "keep_versions" else ""
        raise ConfigError(f"{name} is {text!r}; give {kind}.") from error
