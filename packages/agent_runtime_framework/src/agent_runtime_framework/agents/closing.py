"""Telling a goodbye from a message that wants something."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["is_closing"]

_POLITE_WORDS = frozenset(
    (
        "a again all am and anyway are awesome best brilliant care cheers cool day done enough everybody everyone "
        "everything evening excellent fantastic fine for from friend good great have help helping i im is it later "
        "lot lots lovely m many me much my nice night no now of ok okay one our perfect please really s see so soon "
        "splendid sure take talk team that thats the then there this time to today too touch us very was we weekend "
        "well were wonderful yes you your yours "
    ).split()
)
"""What people say around a goodbye. Any other word may be a wish, and a wish must be heard."""


def is_closing(message: str, phrases: Iterable[str]) -> bool:
    """Whether the message says one of the phrases, as whole words, and nothing else that matters.

    "Thanks for your help!" is a goodbye. A question, or a message with any word beyond the polite ones ("thanks, cancel
    my order"), is none: it costs a reply to answer a goodbye, and an order not to answer a wish.
    """
    text = message.lower().replace("\u2019", "'").strip()
    if len(text) > 200 or "?" in text:
        return False
    rest = text
    for phrase in phrases:
        rest = re.sub(rf"(?<!\w){re.escape(phrase.lower())}(?!\w)", " ", rest)
    return rest != text and _POLITE_WORDS.issuperset(re.findall(r"\w+", rest))
