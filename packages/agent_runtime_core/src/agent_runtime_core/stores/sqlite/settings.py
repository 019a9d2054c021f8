"""What a SQLite store is told when it is made and called; what cannot work is refused at once."""

from __future__ import annotations

import os

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.stores.arguments import check_window
from agent_runtime_core.stores.sqlite.tables import MAX_NUMBER

__all__ = ["known_level", "path_text", "possible_timeout", "window"]

_LEVELS = ("NORMAL", "FULL")
_MAX_TIMEOUT_MS = 2**31 - 1


def path_text(path: str | os.PathLike[str]) -> str:
    """The path as text.

    Raises:
        ConfigError: It names no file.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise ConfigError(f"path is of type {type(path).__name__}; give the path of a file as text or as a Path.")
    text = os.fspath(path)
    if not isinstance(text, str) or not text or "\0" in text:
        raise ConfigError(f"path is {text!r}, which names no file; give one such as 'journeys.db'.")
    return text


def known_level(synchronous: str) -> str:
    """The level as SQLite writes it.

    Raises:
        ConfigError: There is no such level.
    """
    level = synchronous.upper() if isinstance(synchronous, str) else synchronous
    if level not in _LEVELS:
        raise ConfigError(f"synchronous is {synchronous!r}; give one of {', '.join(_LEVELS)}.")
    return level


def possible_timeout(busy_timeout_ms: int) -> int:
    """The time to wait, if it is one.

    Raises:
        ConfigError: It is no number of milliseconds.
    """
    if not isinstance(busy_timeout_ms, int) or not 0 <= busy_timeout_ms <= _MAX_TIMEOUT_MS:
        raise ConfigError(f"busy_timeout_ms is {busy_timeout_ms!r}; give milliseconds, 0 to {_MAX_TIMEOUT_MS}.")
    return busy_timeout_ms


def window(name: str, count: int | None) -> int:
    """How many messages or rows; None is more than there can be.

    Raises:
        ValueError: It is negative.
    """
    return MAX_NUMBER if count is None else min(check_window(name, count), MAX_NUMBER)
