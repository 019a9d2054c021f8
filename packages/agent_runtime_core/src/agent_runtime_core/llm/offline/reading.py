"""The values that one message holds for a tool's parameters."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from agent_runtime_core.llm.offline.answers import plain_answer
from agent_runtime_core.llm.offline.choices import find_boolean, find_choices
from agent_runtime_core.llm.offline.counting import assign_numbers, counts_things
from agent_runtime_core.llm.offline.labels import labelled_values, mentioned
from agent_runtime_core.llm.offline.lists import find_objects, plain_list
from agent_runtime_core.llm.offline.meaning import is_prose, meaning_of
from agent_runtime_core.llm.offline.passage import Found, Passage, Sure
from agent_runtime_core.llm.offline.phrases import is_question
from agent_runtime_core.llm.offline.schema import OfferedTool, Parameter, Path
from agent_runtime_core.llm.offline.single import formed_value, may_be_plain, value_about
from agent_runtime_core.llm.offline.validity import fits

__all__ = ["read_values"]

_RANKS = ("email", "url", "uuid", "date-time", "date", "time", "ip", "pattern", "phone", "postcode")
_PARTS = re.compile(r"(?:[^,;\n]|,(?=[0-9]{3}(?![0-9])))+")
_SAID_LATELY = 300


def read_values(tool: OfferedTool, passage: Passage, have: Collection[Path], *, plain: bool) -> dict[Path, Found]:
    """What a message says about a tool's parameters; what was read is blanked in the passage.

    Args:
        tool: The tool.
        passage: The message.
        have: Parameters that have a value already; they change only when the message names them, or counts anew.
        plain: Whether plain words may answer an open question, and a yes or a number a closed one.
    """
    wanted = [each for each in tool.parameters if each.path not in have]
    if is_question(passage.left):
        return _of_form(wanted, passage, {}, asks=True) | (_plain(tool, wanted, {}, passage) if plain else {})
    found = labelled_values(tool, passage)
    missing = [each for each in wanted if each.required and each.path not in found]
    if plain and not found and len(missing) > 1:
        found |= _in_order(tool, missing, passage)
    pending = _pending([each for each in missing if each.path not in found], passage.asked) if plain else None
    found |= _same_choices(wanted, found, passage)
    found |= _of_form(wanted, passage, found, asks=False)
    for parameter, value in _counted(wanted, found, passage, pending, plain=plain):
        _keep(found, parameter, passage, value)
    if plain:
        found |= _plain(tool, wanted, found, passage)
        known = [each for each in tool.parameters if each.path in have and counts_things(each)]
        for parameter in known:  # "1 bread" after "2 pizzas": the number belongs to the thing beside it
            _keep(found, parameter, passage, assign_numbers([parameter], passage, plain=True).get(parameter.path))
    return _split_names(tool, found, have)


def _keep(found: dict[Path, Found], parameter: Parameter, passage: Passage, value: Found | None) -> None:
    if value is not None and fits(value.value, parameter.schema):
        found[parameter.path] = value
        passage.take(value.start, value.end)


def _of_form(wanted: Sequence[Parameter], passage: Passage, have: Collection[Path], *, asks: bool) -> dict[Path, Found]:
    """Values that show by their form; forms that are hard to mistake are read first."""
    found: dict[Path, Found] = {}
    for parameter in sorted(wanted, key=_rank):
        if parameter.path in have:
            continue
        value = formed_value(parameter, passage, asks=asks)
        if value is None and parameter.type == "array" and not asks:
            value = find_objects(parameter, passage, lambda tool, part: read_values(tool, part, (), plain=True))
        _keep(found, parameter, passage, value)
    return found


def _rank(parameter: Parameter) -> tuple[int, bool]:
    kind = "pattern" if "pattern" in parameter.schema else meaning_of(parameter)
    return (_RANKS.index(kind) if kind in _RANKS else len(_RANKS), not parameter.required)


def _counted(
    wanted: Sequence[Parameter], found: dict[Path, Found], passage: Passage, pending: Path | None, *, plain: bool
) -> Iterator[tuple[Parameter, Found | None]]:
    """Numbers, and yes or no."""
    left = [each for each in wanted if each.path not in found]
    numbers = assign_numbers(left, passage, plain=plain)
    for parameter in left:
        if parameter.path in numbers:
            yield parameter, numbers[parameter.path]
    text = passage.left  # one "don't" may be about two things, so all are read in the same words
    for parameter in left:
        if parameter.type == "boolean" and parameter.path not in found:
            named = find_boolean(text, parameter.label.split(), answers=False)
            answered = find_boolean(text) if parameter.path == pending else None
            yield parameter, named or answered


def _same_choices(wanted: Sequence[Parameter], found: Collection[Path], passage: Passage) -> dict[Path, Found]:
    """Two values of one set of choices: `from London to Paris`, in this order unless `to` comes before `from`."""
    left = [each for each in wanted if each.path not in found and each.choices and each.type != "array"]
    for place, first in enumerate(left):
        for second in left[place + 1 :]:
            named = find_choices(passage.left, first.choices) if first.choices == second.choices else []
            if len(named) == 2:
                if re.search(r"\bto\s+(?:the )?$", passage.left[: named[0].start], re.IGNORECASE):
                    named.reverse()
                for each in named:
                    passage.take(each.start, each.end)
                return {first.path: named[0], second.path: named[1]}
    return {}


def _in_order(tool: OfferedTool, missing: Sequence[Parameter], passage: Passage) -> dict[Path, Found]:
    """As many parts as there are missing values, each fitting its own: `Toyota, 2020`."""
    places = [match.span() for match in _PARTS.finditer(passage.left) if match[0].strip()]
    if len(places) != len(missing):
        return {}
    found: dict[Path, Found] = {}
    for parameter, (start, end) in zip(missing, places, strict=True):
        value = value_about(parameter, Passage(passage.part(start, end), passage.asked), tool, plain=True)
        if value is None or (parameter.type == "boolean" and len(passage.left[start:end].split()) > 2):
            return {}
        found[parameter.path] = Found(value.value, start, end, max(value.sure, Sure.LIKELY))
    for value in found.values():
        passage.take(value.start, value.end)
    return found


def _pending(missing: Sequence[Parameter], asked: str) -> Path | None:
    """The parameter that the user was asked for: the one missing value that the question names, else the first."""
    named = mentioned(missing, asked[-_SAID_LATELY:])
    first = named[0] if len(named) == 1 else missing[0] if missing else None
    return first.path if first is not None else None


def _plain(
    tool: OfferedTool, wanted: Sequence[Parameter], found: Collection[Path], passage: Passage
) -> dict[Path, Found]:
    """What is left of the message as the answer to the open question."""
    missing = [each for each in wanted if each.required and each.path not in found]
    if not tool.required and not found:
        missing = list(wanted)
    takes_words = [
        each
        for each in missing
        if (each.is_free_text and may_be_plain(each, passage)) or (each.type == "array" and not each.choices)
    ]
    asked = passage.asked[-_SAID_LATELY:]
    asked_for = mentioned(missing, asked)
    named = [each for each in takes_words if each in asked_for]
    if not takes_words or (asked_for and not named and not is_prose(takes_words[0])):
        return {}  # the question was for a value that plain words cannot be
    parameter = named[0] if len(named) == 1 else takes_words[0]
    if parameter.type == "array":
        value = plain_list(parameter, passage, tool)
    else:
        value = plain_answer(passage, parameter, tool)
    kept: dict[Path, Found] = {}
    _keep(kept, parameter, passage, value)
    return kept


def _split_names(tool: OfferedTool, found: dict[Path, Found], have: Collection[Path]) -> dict[Path, Found]:
    """A whole name given for the first of two names: `Ada Lovelace` is both."""
    by_meaning = {meaning_of(each): each for each in tool.parameters if each.type == "string"}
    first, last = by_meaning.get("first name"), by_meaning.get("last name")
    if first is None or last is None or first.path not in found or last.path in found or last.path in have:
        return found
    whole = found[first.path]
    given, _, family = str(whole.value).partition(" ")
    if family and fits(given, first.schema) and fits(family, last.schema):
        found[first.path] = Found(given, whole.start, whole.end, whole.sure)
        found[last.path] = Found(family, whole.start, whole.end, whole.sure)
    return found
