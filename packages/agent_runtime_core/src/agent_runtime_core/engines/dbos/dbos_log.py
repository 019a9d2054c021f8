"""What DBOS logs, among what the application logs."""

from __future__ import annotations

import logging
import time

__all__ = ["tame_logger"]

_REPEATS_S = 30.0


def tame_logger() -> None:
    """Let DBOS's logger say what it has to where the application's loggers do, and not on a console of its own."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:  # DBOS gives it one only then
        logger.addHandler(logging.NullHandler())
        logger.addFilter(_Seldom())
        logger.setLevel(logging.WARNING)


class _Seldom(logging.Filter):
    """Lets a line of code speak once in a while: while a database is down, DBOS says so many times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        place, now = (record.pathname, record.lineno), time.monotonic()
        if now - self._said.get(place, -_REPEATS_S) < _REPEATS_S:
            return False
        self._said[place] = now
        return True
