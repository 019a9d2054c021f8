"""When a lease still holds, by a clock that somebody may set."""

from __future__ import annotations

import secrets

__all__ = ["is_held", "new_lease"]

_TOKEN_BITS = 62


def new_lease() -> int:
    """A token that was never given before, as good as certainly; more than 0, and within 64 bits."""
    return secrets.randbits(_TOKEN_BITS) + 1


def is_held(until: float, seconds: float, now: float) -> bool:
    """Whether a lease, or a place in line, that was given for `seconds` and ends at `until` still holds.

    It never holds longer than it was given for: when the clock was set back since, its end lies too far away, and it
    counts as over. That is safe, because its token is not the conversation's any more once somebody else has taken it.
    """
    return now < until <= now + seconds + _SLACK_S


_SLACK_S = 1.0
"""Clocks of two machines may differ by this much."""
