"""Trying a schema's `pattern` on words, never longer than a moment."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["TEXT_LIMIT", "compiled", "example_of", "is_telling"]

TEXT_LIMIT = 64
"""The longest text in characters that a schema's pattern is tried on."""

_MAX_UNBOUNDED = 4
_MAX_VARIABLE = 10
_WIDE = 8
_ORDINARY = ("hello", "Hello", "the", "yes", "ok", "a", "something else", "Ada Lovelace", "it's fine.", "What?")
_SAMPLES = {"[A-Z]": "ABCDEFGHIJKL", "[a-z]": "abcdefghijkl", "[0-9]": "123456789012", "\\d": "123456789012"}
_PIECE = re.compile(
    r"(?:(?P<set>\[A-Z\]|\[a-z\]|\[0-9\]|\\d)|\\(?P<escaped>[^\w\s])"
    r"|(?P<plain>[\w #/:@_-]))(?:\{(?P<least>\d{1,2})(?:,\d*)?\}|\+)?"
)
_BRACES = re.compile(r"\{(\d+)(,(\d*))?\}")


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern ready for use; None when Python cannot read it or it might run away on some text.

    Python's matcher tries every way to split a text among repeats, which takes for ever when repeats are nested or
    many stand in a row. Such a pattern is not tried here: the answer is taken whole, and whoever runs the tool
    checks it with a better matcher.
    """
    if len(pattern) > 500 or not _is_tame(pattern):
        return None
    try:
        # as in JavaScript: named groups are written without the P, and \d and \w know ASCII only
        return re.compile(re.sub(r"\(\?<(?![=!])", "(?P<", pattern), re.ASCII)
    except (re.error, RecursionError, OverflowError):
        return None


def is_telling(pattern: re.Pattern[str]) -> bool:
    """Whether only special words match, such as order numbers: then a match in a sentence is no accident."""
    return not any(pattern.search(word) for word in _ORDINARY)


def example_of(pattern: str) -> str | None:
    """A text that a plain pattern matches: `AB-1234` for `^[A-Z]{2}-[0-9]{4}$`; None when the pattern is not plain."""
    parts: list[str] = []
    place = 0
    bare = pattern.removeprefix("^").removesuffix("$")
    while place < len(bare):
        piece = _PIECE.match(bare, place)
        if piece is None:
            return None
        least = int(piece["least"] or 1)
        row = _SAMPLES.get(piece["set"] or "", "")
        parts.append(row[:least] if piece["set"] else (piece["escaped"] or piece["plain"]) * least)
        place = piece.end()
    example, regex = "".join(parts), compiled(pattern)
    return example if regex is not None and regex.search(example) else None


def _is_tame(pattern: str) -> bool:
    """Whether no repeat is repeated, and only a few stand in one pattern. Errs on the careful side."""
    unbounded = variable = 0
    inner = [False]  # for each open group: whether it holds something whose length or choice varies
    closed = False  # whether a varying group has just ended
    place = 0
    while place < len(pattern):
        char, width, wide, repeat = pattern[place], 1, False, False
        if char == "\\":
            width = 2
        elif char == "[":
            width = _class_width(pattern, place)
        elif char == "(":
            inner.append(False)
        elif char == ")" and len(inner) > 1:
            closed = inner.pop()
            inner[-1] = inner[-1] or closed
            place += 1
            continue
        elif char == "|":
            inner[-1] = True
        elif char in "*+":
            repeat = wide = True
        elif char == "?" and pattern[place - 1 : place] != "(":
            repeat = True
        elif char == "{" and (braces := _BRACES.match(pattern, place)):
            width = braces.end() - place
            most = braces[1] if braces[2] is None else braces[3]
            repeat = braces[2] is not None or int(braces[1]) > 1
            wide = braces[2] is not None and (not most or int(most) > _WIDE)
            if int(braces[1]) > 1_000 or (most and int(most) > 1_000):
                return False
        if repeat:
            if closed and char != "?":
                return False
            if char != "{" or wide or braces[2] is not None:  # type: ignore[index]  # set whenever char is "{" here
                inner[-1] = True
                variable += 1
                unbounded += wide
        closed = False
        place += width
    return unbounded <= _MAX_UNBOUNDED and variable <= _MAX_VARIABLE


def _class_width(pattern: str, start: int) -> int:
    """The length of the character class that begins here."""
    place = start + 1
    if pattern[place : place + 1] == "^":
        place += 1
    if pattern[place : place + 1] == "]":
        place += 1
    while place < len(pattern) and pattern[place] != "]":
        place += 2 if pattern[place] == "\\" else 1
    return place + 1 - start
