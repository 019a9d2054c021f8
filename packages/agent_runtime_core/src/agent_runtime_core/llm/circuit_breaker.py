"""A switch that keeps calls away from what has failed several times in a row."""

from __future__ import annotations

import time
from collections.abc import Callable

from agent_runtime_core.errors import ConfigError

__all__ = ["CircuitBreaker", "LetThrough"]


class CircuitBreaker:
    """Closed: calls go through. Open: none does. Half open: one does, as a probe, and its end decides.

    Calls that were let through before it opened decide nothing any more, whatever comes of them.

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
        if isinstance(failures, bool) or not isinstance(failures, int) or failures < 1:
            raise ConfigError(f"failures must be a whole number, at least 1, not {failures!r}")
        if not (isinstance(reset_s, (int, float)) and reset_s > 0):
            raise ConfigError(f"reset_s must be above 0 seconds, not {reset_s!r}")
        self._limit = failures
        self._reset_s = reset_s
        self._clock = clock
        self._failed = 0
        self._opened_at: float | None = None
        self._probe: LetThrough | None = None

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

    def let_through(self) -> LetThrough | None:
        """The call that may be made now, which has to be told how it ended; None when none may."""
        call = LetThrough(self)
        if self._opened_at is not None:
            if self._probe is not None or self.wait_s > 0:
                return None
            self._probe = call
        return call

    def _ended(self, call: LetThrough, good: bool | None) -> None:
        """Take note of an end: good, bad, or (None) one that says nothing of who was called."""
        if self._opened_at is not None:
            if call is not self._probe:
                return
            self._probe = None
            if good is False:
                self._opened_at = self._clock()
            elif good:
                self._failed, self._opened_at = 0, None
        elif good:
            self._failed = 0
        elif good is False:
            self._failed += 1
            if self._failed >= self._limit:
                self._opened_at = self._clock()


class LetThrough:
    """One call that a breaker has let through; one of its methods is to be called at its end."""

    __slots__ = ("_breaker",)

    def __init__(self, breaker: CircuitBreaker) -> None:
        self._breaker = breaker

    def succeeded(self) -> None:
        """The call got an answer: it begins the count anew, and as the probe it closes the breaker."""
        self._breaker._ended(self, True)

    def failed(self) -> None:
        """The call failed: it counts, and as the probe it opens the breaker for the whole time again."""
        self._breaker._ended(self, False)

    def given_up(self) -> None:
        """The call was cancelled, which says nothing; when it was the probe, another one may be made."""
        self._breaker._ended(self, None)
