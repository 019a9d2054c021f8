"""Which number of a message belongs to which parameter."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent_runtime_core.llm.offline.meaning import meaning_of
from agent_runtime_core.llm.offline.numerals import Numeral, numerals
from agent_runtime_core.llm.offline.passage import Found, Passage, Sure, joined_words, stem, words
from agent_runtime_core.llm.offline.schema import Parameter, Path
from agent_runtime_core.llm.offline.validity import fits

__all__ = ["assign_numbers", "counts_things"]

_QUANTITY = frozenset("quantity count qty amount number many copies pieces times units".split())
_AGE_BEFORE = re.compile(r"(?:\bi'm|\bi am|\baged?|\bage:?|\bis|\bturned)\s*$", re.IGNORECASE)
_LABELLED, _FITTING = 4, 3


def assign_numbers(parameters: Sequence[Parameter], passage: Passage, *, plain: bool) -> dict[Path, Found]:
    """The numbers of a message, each given to the parameter that it suits best.

    Args:
        parameters: Those that have no value yet; only `integer` and `number` ones without choices get one.
        passage: The message.
        plain: Whether a number may be given only because one is wanted; otherwise something must say what it is.
    """
    wanted = [each for each in parameters if each.type in ("integer", "number") and not each.choices]
    numbers = numerals(passage.left)[:50] if wanted else []
    has_year = any(meaning_of(each) == "year" for each in wanted)
    scored = [
        (
            _score(parameter, number, passage.left, has_year),
            not parameter.required,
            place,
            number.start,
            parameter,
            number,
        )
        for place, parameter in enumerate(wanted)
        for number in numbers
        if (parameter.type == "number" or isinstance(number.value, int)) and fits(number.value, parameter.schema)
    ]
    found: dict[Path, Found] = {}
    used: set[int] = set()
    for score, optional, _, start, parameter, number in sorted(scored, key=lambda each: (-each[0], *each[1:4])):
        if score <= 0 or start in used or parameter.path in found:
            continue
        if score < _FITTING and (not plain or (optional and not _may_count(parameter, number, passage.text))):
            continue
        used.add(start)
        sure = Sure.EVIDENT if score >= _FITTING else Sure.LIKELY
        found[parameter.path] = Found(number.value, number.start, number.end, sure)
    return found


def counts_things(parameter: Parameter) -> bool:
    """Whether a number says how many of something: a quantity or a count, but no order number."""
    name = joined_words(parameter.path[-1]) if parameter.path else []
    is_number = parameter.type in ("integer", "number") and not parameter.choices
    return is_number and bool(_QUANTITY & set(name)) and (len(name) == 1 or name[-1] != "number")


def _score(parameter: Parameter, number: Numeral, text: str, has_year: bool) -> int:
    """How well a number suits a parameter; nothing above 0 means not at all."""
    score = 1
    label = {stem(word) for word in joined_words(parameter.path[-1])} - {"number", "of"} if parameter.path else set()
    near = words(text[number.end : number.end + 30])[:2] + words(text[max(0, number.start - 30) : number.start])[-2:]
    if label & {stem(word) for word in near}:
        score += _LABELLED
    meaning = meaning_of(parameter)
    is_year = number.is_digits_only and isinstance(number.value, int) and 1800 <= number.value <= 2199
    if meaning == "year":
        score += _FITTING if is_year else -_FITTING
    elif has_year and is_year:
        score -= 1
    if meaning == "age" and (number.is_years or _AGE_BEFORE.search(text[max(0, number.start - 12) : number.start])):
        score += _FITTING
    if meaning == "money" and number.is_money:
        score += _FITTING
    return score


def _may_count(parameter: Parameter, number: Numeral, text: str) -> bool:
    """Whether a number among other words may be an optional quantity: `3 apples`, but not `12345` alone."""
    return counts_things(parameter) and bool(words(text[: number.start] + " " + text[number.end :]))
