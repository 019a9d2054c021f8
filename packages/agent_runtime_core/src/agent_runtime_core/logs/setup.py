"""Switching the log on, when an application asks for it."""

from __future__ import annotations

import logging
import os
from typing import TextIO

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.logs.formats import JsonFormatter, LineFormatter
from agent_runtime_core.logs.run_ids import RunIdsFilter, follow_runs

__all__ = ["configure_logging", "reset_logging"]

_PACKAGES = ("agent_runtime_core", "agent_runtime_framework")
_LEVEL_VARIABLE = "AGENT_RUNTIME_LOG_LEVEL"

_handler: logging.Handler | None = None


def configure_logging(json: bool = False, level: str | int | None = None, stream: TextIO | None = None) -> None:
    """Write the log of the whole application to a stream, each record with the ids of its run.

    Call it once, at the start, instead of `logging.basicConfig`; a second call replaces the first. The libraries never
    call it themselves. Other loggers keep their levels.

    Args:
        json: Whether each record is a JSON object on a line of its own.
        level: The level of the loggers `agent_runtime_core` and `agent_runtime_framework`, by name or number. When
            None, `AGENT_RUNTIME_LOG_LEVEL`, else INFO. At DEBUG the words of the conversation are logged.
        stream: Where to; standard error when None.

    Raises:
        ConfigError: The level does not exist. Nothing was changed.
    """
    global _handler
    number = _number_of(level if level is not None else os.environ.get(_LEVEL_VARIABLE) or "INFO")
    reset_logging()
    _handler = logging.StreamHandler(stream)
    _handler.setFormatter(JsonFormatter() if json else LineFormatter())
    _handler.addFilter(RunIdsFilter())
    logging.getLogger().addHandler(_handler)
    for name in _PACKAGES:
        logging.getLogger(name).setLevel(number)
    follow_runs(True)


def reset_logging() -> None:
    """Take back what `configure_logging` has set up; levels stay."""
    global _handler
    if _handler is not None:
        logging.getLogger().removeHandler(_handler)
        _handler.close()
        _handler = None
    follow_runs(False)


def _number_of(level: str | int) -> int:
    """The number of a level."""
    if isinstance(level, int):
        return level
    levels = logging.getLevelNamesMapping()
    number = levels.get(level.strip().upper())
    if number is None:
        known = ", ".join(sorted(levels, key=lambda name: levels[name]))
        raise ConfigError(
            f"The log level {level!r} does not exist (argument or {_LEVEL_VARIABLE}): give one of {known}."
        )
    return number
