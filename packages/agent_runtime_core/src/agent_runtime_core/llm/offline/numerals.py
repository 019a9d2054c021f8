"""Numbers in a text: digits with their signs and units, and number words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Numeral", "numerals"]

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_UNITS = {word: value for value, word in enumerate(_SMALL.split())}
_TENS = {
    word: 10 * place for place, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "dozen": 12}
_NUMBER_WORD = "|".join([*_UNITS, *_TENS, *_SCALES])
_IN_WORDS = re.compile(
    rf"(?<![\w-])(?:an? (?=hundred|thousand|million|dozen|couple of|pair of))?"
    rf"(?:{_NUMBER_WORD})(?:(?: and |-| )(?:{_NUMBER_WORD})){{0,8}}(?![\w])"
    rf"|(?<![\w-])a (?:couple|pair)(?= of )",
    re.IGNORECASE,
)
_IN_DIGITS = re.compile(
    r"(?:(?<![\w/.@-])(?<![0-9][:,])|(?<=\b[xX]))"
    r"(?P<sign>[-\u2212])?(?P<before>[£$€¥#]\s?|(?:USD|EUR|GBP)\s)?"
    r"(?P<digits>[0-9]{1,3}(?:,[0-9]{3}){1,4}(?:\.[0-9]{1,8})?|[0-9]{1,15}(?:[.,][0-9]{1,8})?|\.[0-9]{1,8})"
    r"(?P<after>\s?(?:[£€$%]|(?:square met(?:er|re)s?|sqm|sq\.?\s?m|m2|m²|years? old|years?|yrs?|euros?|pounds?"
    r"|dollars?|usd|eur|gbp"
    r"|kg|km|cm|mm|ml|kwh|[gmlk]|x|pcs|pieces?|people|persons?|percent)(?!\w))|(?:st|nd|rd|th)(?!\w))?"
    r"(?![\w/@]|[.:,-][0-9])",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(?:no|another|first|second|third|fourth|fifth|last|that|this|the|which|any|each|every|other)\s+$", re.IGNORECASE
)
_MONEY = re.compile(r"[£$€¥]|euro|pound|dollar|usd|eur|gbp", re.IGNORECASE)
_YEARS = re.compile(r"year|yr", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number as it stands in a text."""

    value: int | float
    """Whole numbers are `int`, also when written 2.0."""
    start: int
    """Where its words begin, with sign and unit."""
    end: int
    """Where they end."""
    is_money: bool = False
    """Whether a currency stands beside it."""
    is_years: bool = False
    """Whether it counts years, as an age does."""
    has_unit: bool = False
    """Whether any unit stands beside it."""
    is_digits_only: bool = True
    """Whether it was written as a plain row of digits."""


def numerals(text: str) -> list[Numeral]:
    """The numbers of a text in their order; digits inside codes, dates and addresses are none.

    A comma before three digits groups them (1,250 is a thousand and more), any other one is a decimal sign.
    """
    found = [*_digits(text), *_words(text)]
    return sorted(found, key=lambda each: each.start)


def _digits(text: str) -> Iterator[Numeral]:
    for match in _IN_DIGITS.finditer(text):
        after = match["after"] or ""
        if after.strip().lower() in ("st", "nd", "rd", "th"):
            continue  # a third is a place in a row, no number
        digits = match["digits"]
        if re.match(r"0[0-9]", digits):
            continue  # a code or a part of a phone number
        grouped = re.fullmatch(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?", digits)
        plain = digits.replace(",", "" if grouped else ".")
        value = float(plain)
        if match["sign"]:
            value = -value
        if after.strip().lower() == "k":
            value *= 1_000
        beside = (match["before"] or "") + after
        yield Numeral(
            int(value) if value.is_integer() else value,
            match.start(),
            match.end(),
            is_money=_MONEY.search(beside) is not None,
            is_years=_YEARS.search(after) is not None,
            has_unit=bool(beside.strip(" #")),
            is_digits_only=digits.isdigit() and not match["sign"] and not beside,
        )


def _words(text: str) -> Iterator[Numeral]:
    for match in _IN_WORDS.finditer(text):
        if match[0].lower() == "one" and _POINTING.search(text[: match.start()][-12:]):
            continue
        total = current = 0
        if "couple" in match[0].lower() or "pair" in match[0].lower():
            current = 2
        for word in re.findall(r"[a-z]+", match[0].lower()):
            if word in _UNITS or word in _TENS:
                current += _UNITS.get(word, 0) + _TENS.get(word, 0)
            elif word in ("hundred", "dozen"):
                current = (current or 1) * _SCALES[word]
            elif word in _SCALES:
                total, current = total + (current or 1) * _SCALES[word], 0
        unit = re.match(r"[- ]?years?\b", text[match.end() : match.end() + 8], re.IGNORECASE)
        end = match.end() + (unit.end() if unit else 0)
        yield Numeral(
            total + current, match.start(), end, is_years=bool(unit), has_unit=bool(unit), is_digits_only=False
        )
