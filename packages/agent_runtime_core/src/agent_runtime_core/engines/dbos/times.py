"""Times as the tables have them: microseconds since 1970, by the clock of whoever writes."""

from __future__ import annotations

import time
from datetime import UTC, datetime

__all__ = ["as_datetime", "as_microseconds", "now"]


def now() -> int:
    """The present time."""
    return time.time_ns() // 1000


def as_microseconds(moment: datetime) -> int:
    """An aware datetime as the tables have it."""
    return round(moment.timestamp() * 1_000_000)


def as_datetime(microseconds: int) -> datetime:
    """What the tables have, as an aware datetime."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)
