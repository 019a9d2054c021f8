"""One choice of several, and yes or no."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from agent_runtime_core.llm.offline.numerals import numerals
from agent_runtime_core.llm.offline.passage import Found, Sure, joined_words, stem, words
from agent_runtime_core.llm.offline.phrases import agreement, disagreement, is_no, is_question, is_refusal, is_yes

__all__ = ["find_boolean", "find_choice", "find_choices"]

_NOT = re.compile(r"(?:\bnot|\bno|n't|\binstead of|\brather than|\bexcept|\bwithout)(?: \w+)?\s*$", re.IGNORECASE)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_PLACE = re.compile(
    rf"(?:i(?:'d| would) (?:like|prefer) |i(?:'ll| will) (?:take|have) |give me |please )?(?:the )?(?:(?:option"
    rf"|choice|number|no\.?|nr\.?) ?)?"
    rf"(?:(?P<ordinal>{'|'.join(_ORDINALS)}|last|former|latter)|(?P<digits>[0-9]{{1,2}})(?:st|nd|rd|th|\)|\.)?)"
    rf"(?: (?:one|option|choice))?(?: please)?[\s.!]*",
    re.IGNORECASE,
)
_EMPTY_NAMES = frozenset({"has", "the", "should", "does", "wants", "user", "and"})
_NEGATION_REACH = 24
_NEGATION = re.compile(r"\b(?:no|not|never|without|cannot|nor)\b|n't\b", re.IGNORECASE)
_YES_WORDS, _NO_WORDS = {"yes", "y", "true", "accept", "agree", "on"}, {"no", "n", "false", "decline", "reject", "off"}


def find_choice(text: str, choices: Sequence[Any], description: str = "") -> Found | None:
    """The one choice that the text names; None when it names none or several.

    Args:
        text: What the user said.
        choices: The values of an `enum`.
        description: Its description; words that it gives for a choice (`home (house or flat)`) name it, too.
    """
    named = [found for found in find_choices(text, choices) if not _NOT.search(text[: found.start][-30:])]
    values = list({repr(found.value): found for found in named}.values())
    if len(values) == 1:
        return values[0]
    if values:
        return None
    start, end = _edges(text)
    line = text[start:end]
    value = _by_answer(line, choices) if 0 < len(line) <= 60 else None
    if value is not None:
        return Found(value, start, end, Sure.LIKELY)
    value = _by_description(text, choices, description)
    return None if value is None else Found(value, start, end, Sure.LIKELY)


def find_choices(text: str, choices: Sequence[Any]) -> list[Found]:
    """Every place where a choice is named in whole words, in the order of the text; the longer name wins."""
    taken: list[Found] = []
    line = text.strip(" \n\t.,!)(").lower()
    forms = [(form, choice) for choice in choices[:200] for form in _forms(choice)]
    for form, choice in sorted(forms, key=lambda each: -len(each[0])):
        if len(form) == 1 and form != line.removeprefix("option "):  # "a" is a word of its own in any sentence
            continue
        ending = r"(?:e?s|'s)?" if form[-1:].isalpha() and len(form) > 2 else ""
        needle = r"[\s_-]?".join(re.escape(part) for part in form.split(" "))
        for match in re.finditer(rf"(?<![\w-]){needle}{ending}(?![\w-])", text, re.IGNORECASE):
            if not any(match.start() < other.end and other.start < match.end() for other in taken):
                taken.append(Found(choice, *match.span(), Sure.EVIDENT))
    if all(isinstance(choice, (int, float)) and not isinstance(choice, bool) for choice in choices):
        for number in numerals(text):
            fitting = [choice for choice in choices if choice == number.value]
            if fitting and not any(number.start < other.end and other.start < number.end for other in taken):
                taken.append(Found(fitting[0], number.start, number.end, Sure.EVIDENT))
    return sorted(taken, key=lambda found: found.start)


def find_boolean(text: str, names: Sequence[str] = (), *, answers: bool = True) -> Found | None:
    """Yes or no, as the answer to a question, or by the words of the parameter's own name.

    Args:
        text: What the user said.
        names: The words that name the parameter: `I accept the quote` is a yes to `accept`.
        answers: Whether a yes or a no alone counts.
    """
    if answers and not (is_refusal(text) and not is_yes(text)):
        for value, place in ((False, disagreement(text)), (True, agreement(text))):
            if place is not None:
                return Found(value, *place, Sure.LIKELY)
        lone = re.fullmatch(r"\W*(true|false)\W*", text, re.IGNORECASE)
        if lone:
            return Found(lone[1].lower() == "true", *lone.span(1), Sure.LIKELY)
    wanted = {stem(word) for word in names if len(word) > 2 and word not in _EMPTY_NAMES}
    if len(text.strip()) > 200 or is_question(text):
        return None
    for match in re.finditer(r"[^\W\d_]+", text):
        said = stem(match[0].lower())
        if said in wanted or (len(said) > 3 and any(word.startswith(said) for word in wanted)):
            before = text[max(0, match.start() - _NEGATION_REACH) : match.start()]
            return Found(_NEGATION.search(before) is None, *match.span(), Sure.LIKELY)
    return None


def _forms(choice: Any) -> list[str]:
    """How a choice may be written; a number is read as a number."""
    if isinstance(choice, bool):
        return ["true", "yes"] if choice else ["false", "no"]
    if not isinstance(choice, str) or not choice.strip():
        return []
    spaced = " ".join(joined_words(choice))
    lowered = choice.strip().lower()
    forms = {lowered, spaced} - {""}
    if len(spaced) > 3 and spaced.endswith("s") and not spaced.endswith("ss"):
        forms.add(spaced[:-1])
    if len(spaced) > 3 and spaced.endswith("ies"):
        forms.add(spaced[:-3] + "y")
    return sorted(forms)


def _by_answer(line: str, choices: Sequence[Any]) -> Any:
    """A choice by its place in the list, its first letters, or yes and no."""
    place = _PLACE.fullmatch(line)
    if place and (place["ordinal"] or all(isinstance(choice, str) for choice in choices)):
        ordinal = (place["ordinal"] or "").lower()
        if place["digits"]:
            index = int(place["digits"]) - 1
        else:
            index = (
                len(choices) - 1
                if ordinal in ("last", "latter")
                else 0
                if ordinal == "former"
                else _ORDINALS.index(ordinal)
            )
        return choices[index] if 0 <= index < len(choices) else None
    for agrees, names in ((is_yes(line), _YES_WORDS), (is_no(line), _NO_WORDS)):
        fitting = [choice for choice in choices if isinstance(choice, str) and choice.lower() in names]
        if agrees and len(fitting) == 1 and not is_refusal(line):
            return fitting[0]
    said = [word for word in words(line) if len(word) >= 3]
    if len(said) > 3:
        return None
    begun = [
        choice
        for choice in choices
        if isinstance(choice, str) and any(part.startswith(word) for word in said for part in joined_words(choice))
    ]
    return begun[0] if len(begun) == 1 and not is_refusal(line) else None


def _by_description(text: str, choices: Sequence[Any], description: str) -> Any:
    """The one choice whose words in the description the user said."""
    if not description or is_question(text):
        return None
    places = find_choices(description, choices)
    if not places:
        return None
    said = {stem(word) for word in words(text) if len(word) > 2}
    hits = []
    for found, following in zip(places, [*(each.start for each in places[1:]), len(description)], strict=True):
        about = {stem(word) for word in words(description[found.end : following]) if len(word) > 2} - _COMMON
        if about & said:
            hits.append(found.value)
    return hits[0] if len(hits) == 1 else None


_COMMON = {
    stem(word)
    for word in "the and for with that this are has have you your user from any not but when want wants".split()
}


def _edges(text: str) -> tuple[int, int]:
    """Where the text begins and ends without the blanks around it."""
    bare = text.strip()
    start = len(text) - len(text.lstrip())
    return (start, start + len(bare)) if bare else (0, 0)
