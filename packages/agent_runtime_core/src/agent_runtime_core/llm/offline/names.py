"""People's names: behind words such as `my name is`, and whether words can be a name at all."""

from __future__ import annotations

import re

from agent_runtime_core.llm.offline.formats import holds_other_form
from agent_runtime_core.llm.offline.numerals import numerals
from agent_runtime_core.llm.offline.passage import Found, Sure

__all__ = ["DECLARING", "NAMES", "is_name", "spoken_name"]

NAMES = frozenset({"name", "first name", "last name"})
"""The meanings that want a person's name."""

_NAME_WORD = r"[^\W\d_](?:[^\W\d_]|['.\u2019-](?=[^\W\d_]))*\.?"
_SPOKEN_NAME = re.compile(
    rf"(?P<lead>\b(?:my (?:full |first |last |whole |given |family )?name(?:'s| is|:)|(?:i am|i'm) called"
    rf"|(?:please |you can |just |they |friends |everyone )*calls? me"
    rf"|(?:the )?name(?:'s| is)|i'm|i am|this is|it's|it is|here is"
    rf"|here's))\s+(?P<name>{_NAME_WORD}(?:[ ]{_NAME_WORD}){{0,4}})"
    rf"|^\s*(?P<before>{_NAME_WORD}(?:[ ]{_NAME_WORD}){{0,2}}) (?:here|speaking)(?=\s*(?:[.,!;]|$))",
    re.IGNORECASE,
)
_SURE_LEADS = ("name", "call")
_NO_NAMES = frozenset(
    "a an the not looking here fine good done interested from in at going trying ok okay happy sorry sure ready"
    " calling writing just very so also afraid back new well busy tired on about still really quite only my your"
    " his her our their this that it currently now always never to for with of and or but yes no maybe unsure"
    " unable able all alright okay male female married single old years year ill late wrong right correct true"
    " false great glad available".split()
)
_IN_SENTENCES = frozenset(
    "me a an the to it is are was do you your my i we us up about please not what who why how for".split()
)
_NAME_ENDS = re.compile(
    r"\s+(?:and|but|or|from|with|in|at|by|who|aged?|my|i'm|i|please|thanks|thank|here|speaking|is|of course)\b.*",
    re.IGNORECASE,
)
DECLARING = re.compile(r"(?:i|we|you|they|he|she|can|could|would|let's|let|help|please|my|there)\b", re.IGNORECASE)
"""A pattern for the beginning of a sentence that states or asks something."""


def spoken_name(text: str, written: str, *, asked: bool) -> Found | None:
    """A person's name behind words such as `my name is`; `I'm` and `it's` need a capital or a question before.

    Args:
        text: What is being read.
        written: The same characters as the user typed them.
        asked: Whether the user was asked something.
    """
    for match in _SPOKEN_NAME.finditer(text):
        group = "name" if match["name"] else "before"
        start, end = match.span(group)
        ending = _NAME_ENDS.search(text[start:end])
        end = start + ending.start() if ending else end
        name = written[start:end].rstrip(" .")
        first = name.split(" ")[0] if name else ""
        lead = (match["lead"] or "").lower()
        certain = any(word in lead for word in _SURE_LEADS)
        if not first or first.lower() in _NO_NAMES or (first.lower().endswith("ing") and not certain):
            continue
        if certain or first[:1].isupper() or (asked and len(name.split()) <= 3 and not lead.startswith("here")):
            return Found(name, match.start(), start + len(name), Sure.EVIDENT)
    return None


def is_name(value: str, *, asked: bool) -> bool:
    """Whether the words can be a person's name: few of them, no digits, nothing with a form of its own."""
    parts = value.split()
    first = parts[0].lower().strip(".,") if parts else ""
    if not asked and len(parts) > 1 and not all(part[:1].isupper() for part in parts):
        return False
    return (
        0 < len(parts) <= 7
        and len(value) <= 100
        and not re.search(r"[0-9@/\\_<>{}=+*#]", value)
        and first not in _NO_NAMES
        and not _IN_SENTENCES & set(parts)
        and not DECLARING.match(value)
        and not holds_other_form(value)
        and not numerals(value)
    )
