"""How old something has to be, as it is written on a command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

__all__ = ["read_age", "read_span"]

_AGE = re.compile(r"(\d+)(h|d|w)")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def read_age(text: str) -> timedelta | datetime:
    """An age, or a day in UTC.

    Raises:
        ValueError: It is neither.
    """
    age = _AGE.fullmatch(text.strip())
    if age is not None:
        return _span(age)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError("give an age such as 12h, 90d or 8w, or a day such as 2026-01-31.") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def read_span(text: str) -> timedelta:
    """A span of time.

    Raises:
        ValueError: It is none.
    """
    age = _AGE.fullmatch(text.strip())
    if age is None:
        raise ValueError("give a time such as 12h, 90d or 8w.")
    return _span(age)


def _span(age: re.Match[str]) -> timedelta:
    return int(age[1]) * _UNITS[age[2]]
