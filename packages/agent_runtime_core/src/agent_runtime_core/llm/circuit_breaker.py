"""A switch that keeps calls away from what has failed several times in a row."""

from __future__ import annotations

import time
from collections.abc import Callable

from agent_runtime_core.errors import ConfigError

__all__ = ["CircuitBreaker"]


class CircuitBreaker:
    """Closed: calls go through. Open: none does. Half open: one does, as a probe, and its end decides.

    Args:
        failures: So many failures in a row open it.
        reset_s: Seconds after which an open one lets a probe through.
        clock: Tells the time in seconds; for tests.

    Raises:
        ConfigError: A value cannot work.
    """

    def __init__(
        self, *, failures: int = 5, reset_s: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if failures < 1:
            raise ConfigError(f"failures must be at least 1, not {failures!r}")
        if not reset_s > 0:
            raise ConfigError(f"reset_s must be above 0 seconds, not {reset_s!r}")
        self._limit = failures
        self._reset_s = reset_s
        self._clock = clock
        self._failed = 0
        self._opened_at: float | None = None
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Whether it is not closed; an open one may be due for a probe."""
        return self._opened_at is not None

    @property
    def wait_s(self) -> float:
        """Seconds until a call may go through; 0 when one may now, or when a probe is under way."""
        if self._opened_at is None:
            return 0.0
        return max(0.0, self._opened_at + self._reset_s - self._clock())

    def lets_through(self) -> bool:
        """Whether a call may be made now. One that may has to be followed by one of the three methods below."""
        if self._opened_at is None:
            return True
        if self._probing or self.wait_s > 0:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """The call got an answer: the breaker is closed."""
        self._failed, self._opened_at, self._probing = 0, None, False

    def failed(self) -> None:
        """The call failed: it counts, and a failed probe opens the breaker anew."""
        self._failed += 1
        if self._probing or (self._opened_at is None and self._failed >= self._limit):
            self._opened_at = self._clock()
        self._probing = False

    def given_up(self) -> None:
        """The call was cancelled, which says nothing; a probe may be made again."""
        self._probing = False
