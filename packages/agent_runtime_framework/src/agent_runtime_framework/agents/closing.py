"""Telling a goodbye from a message that wants something."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["is_closing"]

_MAX_OTHER_WORDS = 5
_WANTS = frozenset(
    "want need can could would please show tell give another more change but how what why when where who which".split()
)


def is_closing(message: str, phrases: Iterable[str]) -> bool:
    """Whether the message holds one of the phrases as whole words and little else.

    A question, a wish ("no thanks, I want another quote") or a longer text is no goodbye.
    """
    text = message.lower().strip()
    if len(text) > 200 or "?" in text:
        return False
    rest = text
    for phrase in phrases:
        rest = re.sub(rf"(?<!\w){re.escape(phrase.lower())}(?!\w)", " ", rest)
    if rest == text:
        return False
    others = re.findall(r"\w+", rest)
    return len(others) <= _MAX_OTHER_WORDS and _WANTS.isdisjoint(others)
