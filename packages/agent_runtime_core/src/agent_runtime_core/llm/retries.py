"""Which errors are worth another attempt, and how long to wait before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent_runtime_core.errors import ConfigError, LLMError, LLMRateLimited, LLMTimeout, LLMUnavailable

__all__ = ["Retries"]

_PASSING = (LLMRateLimited, LLMTimeout, LLMUnavailable)


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How often, and after which pauses, a call is tried again.

    Raises:
        ConfigError: A value cannot work; the text names it.
    """

    max_attempts: int = 5
    """Attempts in all, the first one included; 1 never tries again."""
    base_s: float = 0.5
    """The pause before the second attempt in seconds; it doubles with every further one."""
    max_s: float = 30.0
    """The longest pause in seconds; a vendor who asks for a longer one is not asked again. With 0 there are no pauses
    at all, whatever a vendor asks for: for tests."""
    jitter: float = 0.5
    """Which part of a pause is left to chance, 0 to 1: clients that failed together shall not come back together."""

    def __post_init__(self) -> None:
        attempts = self.max_attempts
        if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
            raise ConfigError(f"Retries.max_attempts must be a whole number, at least 1, not {attempts!r}")
        for name in ("base_s", "max_s"):
            value = getattr(self, name)
            if not (isinstance(value, (int, float)) and value >= 0):
                raise ConfigError(f"Retries.{name} must be a number of seconds, 0 or more, not {value!r}")
        if not (isinstance(self.jitter, (int, float)) and 0 <= self.jitter <= 1):
            raise ConfigError(f"Retries.jitter must be between 0 and 1, not {self.jitter!r}")

    def pause_s(self, attempt: int, error: LLMError, chance: float) -> float | None:
        """Seconds to wait after a failed attempt, or None when it is not worth another one.

        Args:
            attempt: Which attempt failed; the first one is 1.
            error: Why.
            chance: A random number from 0 to 1.
        """
        if attempt >= self.max_attempts or not isinstance(error, _PASSING) or _forbidden(error):
            return None
        asked_s = getattr(error, "retry_after_s", None)
        if asked_s and self.max_s:  # never earlier than asked, a little later; "0" is no hint, and would be a storm
            if asked_s > self.max_s:
                return None
            return float(min(asked_s + chance * self.jitter * self.base_s, self.max_s))
        pause = min(self.base_s * 2.0 ** min(attempt - 1, 60), self.max_s)
        return pause * (1 - self.jitter * chance)


def _forbidden(error: LLMError) -> bool:
    """Whether the vendor has said, in a header, that another attempt is in vain."""
    headers = getattr(getattr(error.__cause__, "response", None), "headers", None)
    return isinstance(headers, Mapping) and headers.get("x-should-retry") == "false"
