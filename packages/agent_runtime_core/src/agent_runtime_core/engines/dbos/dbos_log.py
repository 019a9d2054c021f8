"""What DBOS logs, among what the application logs."""

from __future__ import annotations

import logging
import time

__all__ = ["tame_logger"]

_REPEATS_S = 30.0
_HANDED_OVER = "Asyncio task cancelled for workflow"
"""What DBOS warns of when a run is left to another worker, which is nothing to be warned of."""


def tame_logger() -> None:
    """Let DBOS's logger say what it has to where the application's loggers do, and not on a console of its own."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:  # DBOS gives it one only then
        logger.addHandler(logging.NullHandler())
        logger.addFilter(_Seldom())
        logger.setLevel(logging.WARNING)


class _Seldom(logging.Filter):
    """Lets a line of code speak once in a while, for a database that is down DBOS notices many times a second.

    And not at all where nothing is wrong.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.getMessage().startswith(_HANDED_OVER):
            return False
        place, now = (record.pathname, record.lineno), time.monotonic()
        if now - self._said.get(place, -_REPEATS_S) < _REPEATS_S:
            return False
        self._said[place] = now
        return True
