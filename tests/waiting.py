"""Waiting for what another process does: no sleep is a promise that it has happened."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["until"]

_PATIENCE_S = 60.0


def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds.

    Raises:
        TimeoutError: It does not, for a minute.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"it has not come true within {_PATIENCE_S:g} seconds")
        time.sleep(0.005)
