"""What a user wrote, with a note of which characters have been read as a value already."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Any

__all__ = ["READ_LIMIT", "Found", "Passage", "Sure", "clean", "joined_words", "stem", "stems", "words"]

READ_LIMIT = 2_000
"""Characters at the start of a message that rules look at; a value taken whole keeps the rest, too."""

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\u2032": "'"})
_IRREGULAR = {"paid": "pay", "bought": "buy", "sold": "sell", "sent": "send"}
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


class Sure(IntEnum):
    """How far a value can be trusted to be what the user meant."""

    PLAIN = 1
    """The plain words of an answer, taken as they are."""
    LIKELY = 2
    """A number or a yes where one is wanted."""
    EVIDENT = 3
    """It has the form, is one of the choices, or stands behind its own label."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value that a rule read in a passage."""

    value: Any
    """The value, ready to be an argument."""
    start: int
    """Where its words begin in the passage."""
    end: int
    """Where they end."""
    sure: Sure
    """How far to trust it."""


def clean(text: str) -> str:
    """The text with one kind of line end and without characters that no value can hold."""
    return _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


class Passage:
    """A message, or a part of one, that is being read.

    Args:
        text: The words as written.
        asked: What the user was asked just before; empty when nothing was asked.
    """

    __slots__ = ("asked", "left", "text")

    text: str
    """The words as written, cleaned."""
    left: str
    """The first `READ_LIMIT` characters, plain apostrophes, with blanks where a value has been taken."""
    asked: str
    """What the user was asked just before; empty when nothing was asked."""

    def __init__(self, text: str, asked: str = "") -> None:
        self.text = clean(text)
        self.left = self.text[:READ_LIMIT].translate(_APOSTROPHES)
        self.asked = asked

    def copy(self) -> Passage:
        """A passage that can be read on without changing this one."""
        other = Passage.__new__(Passage)
        other.text, other.left, other.asked = self.text, self.left, self.asked
        return other

    def take(self, start: int, end: int) -> None:
        """Blank what has been read, so that nothing else is read from it."""
        self.left = self.left[:start] + " " * (end - start) + self.left[end:]

    def blank(self, value: str) -> None:
        """Blank the first place where this text stands, if it stands anywhere."""
        if value:
            needle = re.escape(value[:READ_LIMIT].translate(_APOSTROPHES))
            place = re.search(rf"(?<![\w@.+-]){needle}(?![\w@]|[.-]\w)", self.left, re.IGNORECASE)
            if place:
                self.take(*place.span())

    @property
    def is_untouched(self) -> bool:
        """Whether nothing was taken from it yet."""
        return self.left == self.text[:READ_LIMIT].translate(_APOSTROPHES)

    def part(self, start: int, end: int) -> str:
        """What is left between two places, as the user wrote it."""
        letters = zip(self.left[start:end], self.text[start:end], strict=False)
        return "".join(left if left == " " else written for left, written in letters)


def words(text: str) -> list[str]:
    """The words of a text in lower case."""
    return _WORD.findall(text[: 2 * READ_LIMIT].translate(_APOSTROPHES).lower())


def joined_words(identifier: str) -> list[str]:
    """The words inside a name: `look_up_order`, `lookUpOrder` and `look-up order` give look, up, order."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", identifier[:200])
    return words(re.sub(r"[_\-./:]+", " ", spaced))


def stem(word: str) -> str:
    """A word without its common English endings, so that `checking`, `checks` and `check` are one."""
    word = word.removesuffix("'s").removesuffix("'")
    word = _IRREGULAR.get(word, word)
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 2 and word[-1] == word[-2]:
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 3 and word.endswith("y") else word


def stems(text: str) -> set[str]:
    """The stems of a text's words, neighbours joined as well, so that `check out` holds `checkout`."""
    found = words(text)
    joined = [first + second for first, second in pairwise(found)]
    return {stem(word) for word in found + joined}
