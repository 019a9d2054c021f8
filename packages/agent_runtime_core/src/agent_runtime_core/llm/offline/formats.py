"""Texts with a form of their own: emails, addresses on the web, codes, phone numbers, dates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from agent_runtime_core.llm.offline.dates import find_date, find_date_time, find_time
from agent_runtime_core.llm.offline.passage import Found, Sure
from agent_runtime_core.llm.offline.patterns import TEXT_LIMIT, compiled, is_telling
from agent_runtime_core.llm.offline.validity import fits, fits_format

__all__ = ["READERS", "find_patterned", "holds_other_form"]

_EMAIL = re.compile(
    r"(?<![\w.@+-])[A-Za-z0-9](?:[A-Za-z0-9._%+'-]{0,62}[A-Za-z0-9_+-])?@"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?){1,8}(?![\w@])"
)
_URL = re.compile(r"(?<![\w@.])(?:https?://|www\.)[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]{1,500}", re.IGNORECASE)
_BARE_URL = re.compile(
    r"(?<![\w@./-])[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[a-z]{2,10}(?:/[A-Za-z0-9._~/?#=&%-]{0,300})?(?![\w@])"
)
_UUID = re.compile(r"(?<![\w-])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![\w-])")
_PHONE = re.compile(r"(?<![\w.+-])\+?\(?[0-9][0-9 ()./-]{5,22}[0-9](?![\w-])")
_POSTCODE = re.compile(
    r"(?<!\w)(?:[A-Za-z]{1,2}[0-9][A-Za-z0-9]? ?[0-9][A-Za-z]{2}|[0-9]{5}(?:-[0-9]{4})?"
    r"|[A-Za-z][0-9][A-Za-z] ?[0-9][A-Za-z][0-9])(?!\w)"
)
_IP = re.compile(r"(?<![\w.:])[0-9a-fA-F.:]{2,45}(?![\w.:])")
_TOKEN = re.compile(r"\S+")
_AROUND = ".,;:!?\"'()[]{}<>\u201c\u201d\u2018\u2019\u00ab\u00bb`"


def _find_email(text: str) -> Found | None:
    for match in _EMAIL.finditer(text):
        if fits_format(match[0], "email"):
            return Found(match[0], *match.span(), Sure.EVIDENT)
    return None


def _find_url(text: str) -> Found | None:
    match = _URL.search(text) or _BARE_URL.search(text)
    if not match:
        return None
    address = match[0].rstrip(".,;:!?'")
    if address.endswith(")") and "(" not in address:
        address = address[:-1]
    value = address if "://" in address else f"https://{address}"
    return Found(value, match.start(), match.start() + len(address), Sure.EVIDENT)


def _find_phone(text: str) -> Found | None:
    for match in _PHONE.finditer(text):
        digits = sum(char.isdigit() for char in match[0])
        if 7 <= digits <= 15 and not re.fullmatch(r"[12][0-9]{3}[-/.][0-9]{2}[-/.][0-9]{2}", match[0]):
            return Found(match[0].strip(), *match.span(), Sure.EVIDENT)
    return None


def _find_ip(text: str) -> Found | None:
    for match in _IP.finditer(text):
        value = match[0].rstrip(".")
        if fits_format(value, "ipv4") or fits_format(value, "ipv6"):
            return Found(value, match.start(), match.start() + len(value), Sure.EVIDENT)
    return None


def _by(pattern: re.Pattern[str]) -> Callable[[str], Found | None]:
    def find(text: str) -> Found | None:
        match = pattern.search(text)
        return Found(match[0], *match.span(), Sure.EVIDENT) if match else None

    return find


def _find_postcode(text: str) -> Found | None:
    found = _by(_POSTCODE)(text)
    return Found(found.value.upper(), found.start, found.end, found.sure) if found else None


READERS: dict[str, Callable[[str], Found | None]] = {
    "email": _find_email,
    "url": _find_url,
    "uuid": _by(_UUID),
    "date-time": find_date_time,
    "date": find_date,
    "time": find_time,
    "postcode": _find_postcode,
    "ip": _find_ip,
    "phone": _find_phone,
}
"""For each meaning with a form of its own, what finds the first such text."""


def find_patterned(text: str, schema: Mapping[str, Any]) -> Found | None:
    """A word, or up to four words, that match the schema's pattern, when the pattern tells them from other words.

    Small letters stand in for capitals where the pattern wants those: `ab-1234` gives `AB-1234`.
    """
    pattern = schema.get("pattern")
    regex = compiled(pattern) if isinstance(pattern, str) else None
    if regex is None or not is_telling(regex):
        return None
    tokens = [match.span() for match in _TOKEN.finditer(text)][:200]
    for change in (str, str.upper, str.lower):
        for value, start, end in _runs(text, tokens):
            changed = change(value)
            if (
                (change is str or any(char.isdigit() for char in value))
                and regex.search(changed)
                and fits(changed, schema)
            ):
                return Found(changed, start, end, Sure.EVIDENT)
    return None


def _runs(text: str, tokens: list[tuple[int, int]]) -> Iterator[tuple[str, int, int]]:
    """Single words first, bare of punctuation, then neighbours together and joined (`AB 1234`, `AB1234`)."""
    for count in (1, 2, 3, 4):
        for place in range(len(tokens) - count + 1):
            start, end = tokens[place][0], tokens[place + count - 1][1]
            run = text[start:end]
            bare = run.strip(_AROUND)
            if not bare or len(run) > TEXT_LIMIT or "\n" in run:
                continue
            at = start + run.index(bare)
            for value in dict.fromkeys((bare, run)) if count == 1 else dict.fromkeys((bare, re.sub(r"\s+", "", bare))):
                yield value, at, at + len(bare)


def holds_other_form(text: str) -> bool:
    """Whether the text is, as a whole, an email, an address on the web, a date, a phone number or the like."""
    line = text.strip(_AROUND + " ")
    for read in READERS.values():
        found = read(line)
        if found and found.end - found.start >= len(line) - 1:
            return True
    return False
