"""Dates and times in a text, written in the common ways, as ISO 8601.

There is no clock here, so "tomorrow" and a day without its year are no dates. In 05/03/2026 the day comes first
(5 March) unless that cannot be; a time without a zone is taken as UTC, because the formats want a zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from agent_runtime_core.llm.offline.passage import Found, Sure

__all__ = ["find_date", "find_date_time", "find_time"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY, _YEAR = r"(?P<day>[0-3]?[0-9])(?:st|nd|rd|th)?", r"(?P<year>[12][0-9]{3})"
_WRITTEN = (
    re.compile(r"(?<![\w-])(?P<year>[12][0-9]{3})[-/.](?P<month>[01]?[0-9])[-/.](?P<day>[0-3]?[0-9])(?![\w/-])"),
    re.compile(rf"(?<![\w-])(?:the )?{_DAY}[ -](?:of )?{_MONTH},?[ -]{_YEAR}(?![\w/-])", re.IGNORECASE),
    re.compile(rf"(?<![\w-]){_MONTH} (?:the )?{_DAY},? {_YEAR}(?![\w/-])", re.IGNORECASE),
)
_BY_NUMBERS = re.compile(
    r"(?<![\w/.-])(?P<first>[0-3]?[0-9])([-/.])(?P<second>[0-3]?[0-9])\2(?P<year>[12][0-9]{3})(?![\w/-])"
)
_ISO_MOMENT = re.compile(
    r"(?<![\w-])(?P<date>[12][0-9]{3}-[01][0-9]-[0-3][0-9])[Tt ](?P<hour>[0-2][0-9]):(?P<minute>[0-5][0-9])"
    r"(?::(?P<second>[0-5][0-9])(?P<part>\.[0-9]{1,6})?)?(?P<zone>Z|[+-][0-1][0-9]:[0-5][0-9])?(?![\w:])"
)
_CLOCK = re.compile(
    r"(?<![\w:.])(?:(?P<hour>[0-2]?[0-9])[:.](?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9]))?(?P<zone>Z"
    r"|[+-][0-1][0-9]:[0-5][0-9])?"
    r"\s?(?P<half>[ap]\.?m\b\.?)?|(?P<full_hour>1[0-2]|0?[1-9])\s?(?P<full_half>[ap]\.?m\b\.?)"
    r"|(?P<named>noon|midday|midnight))(?![\w:])",
    re.IGNORECASE,
)


def find_date(text: str) -> Found | None:
    """The first date of a text as `YYYY-MM-DD`."""
    return next(_dates(text), None)


def find_time(text: str) -> Found | None:
    """The first time of day of a text as `HH:MM:SSZ`, or with the zone that is written there."""
    for match in _CLOCK.finditer(text):
        clock = _clock(match)
        if clock:
            return Found(clock, *match.span(), Sure.EVIDENT)
    return None


def find_date_time(text: str) -> Found | None:
    """The first date that has a time beside it, as `YYYY-MM-DDTHH:MM:SSZ`."""
    for match in _ISO_MOMENT.finditer(text):
        day = _iso(match["date"][:4], match["date"][5:7], match["date"][8:])
        if day and int(match["hour"]) < 24:
            clock = f"{match['hour']}:{match['minute']}:{match['second'] or '00'}{match['part'] or ''}"
            return Found(f"{day}T{clock}{match['zone'] or 'Z'}", *match.span(), Sure.EVIDENT)
    for found in _dates(text):
        rest = text[: found.start] + " " * (found.end - found.start) + text[found.end :]
        clock_found = find_time(rest)
        if clock_found:
            start, end = min(found.start, clock_found.start), max(found.end, clock_found.end)
            return Found(f"{found.value}T{clock_found.value}", start, end, Sure.EVIDENT)
    return None


def _dates(text: str) -> Iterator[Found]:
    for form in _WRITTEN:
        for match in form.finditer(text):
            day = _iso(match["year"], match["month"], match["day"])
            if day:
                yield Found(day, *match.span(), Sure.EVIDENT)
    for match in _BY_NUMBERS.finditer(text):
        day = _iso(match["year"], match["second"], match["first"]) or _iso(
            match["year"], match["first"], match["second"]
        )
        if day:
            yield Found(day, *match.span(), Sure.EVIDENT)


def _iso(year: str, month: str, day: str) -> str | None:
    """The date as text; None when the calendar has no such day."""
    number = int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1
    try:
        return date(int(year), number, int(day)).isoformat()
    except ValueError:
        return None


def _clock(match: re.Match[str]) -> str | None:
    if match["named"]:
        return "00:00:00Z" if match["named"].lower() == "midnight" else "12:00:00Z"
    hour = int(match["hour"] or match["full_hour"])
    half = (match["half"] or match["full_half"] or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    if hour > 23:
        return None
    return f"{hour:02}:{match['minute'] or '00'}:{match['second'] or '00'}{match['zone'] or 'Z'}"
