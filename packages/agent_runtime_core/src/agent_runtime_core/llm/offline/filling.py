"""A tool's arguments, gathered from all that the user said since a tool ran."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agent_runtime_core.llm.offline.answers import plain_answer
from agent_runtime_core.llm.offline.conversation import Ran, Situation
from agent_runtime_core.llm.offline.counting import assign_numbers
from agent_runtime_core.llm.offline.formats import READERS
from agent_runtime_core.llm.offline.labels import mentioned
from agent_runtime_core.llm.offline.meaning import is_prose, meaning_of
from agent_runtime_core.llm.offline.names import NAMES
from agent_runtime_core.llm.offline.numerals import numerals
from agent_runtime_core.llm.offline.passage import Found, Passage, Sure, words
from agent_runtime_core.llm.offline.reading import read_values
from agent_runtime_core.llm.offline.refusals import argument_at, kept_from
from agent_runtime_core.llm.offline.removal import adds, says_remove
from agent_runtime_core.llm.offline.schema import OfferedTool, Parameter, Path
from agent_runtime_core.llm.offline.validity import fits

__all__ = ["Filling", "fill", "fill_evident", "fill_next_listed", "refill"]

_JOINED = re.compile(r"(?:[,;\n&+]|\band\b|\bplus\b|\bthen\b)\s*(?:also |add |another )?$", re.IGNORECASE)


@dataclass(slots=True)
class Filling:
    """How far a tool's arguments are known."""

    tool: OfferedTool
    """The tool."""
    values: dict[Path, Found] = field(default_factory=dict)
    """What was found."""
    fresh: set[Path] = field(default_factory=set)
    """Which of it the last message gave."""

    @property
    def missing(self) -> list[Parameter]:
        """The required values that are not known yet."""
        return [each for each in self.tool.required if each.path not in self.values]

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of the call."""
        return self.tool.arguments({path: found.value for path, found in self.values.items()})

    @property
    def surest(self) -> Sure | None:
        """The best evidence among its values; None when it has none."""
        return max((found.sure for found in self.values.values()), default=None)


def fill(tool: OfferedTool, situation: Situation) -> Filling:
    """The tool's arguments as far as the user's messages hold them, the last one with plain words too.

    What was evident in the message before, and no tool has used, still counts. When this very tool has just failed,
    or turned a value down, what else it was called with stands in for what the user does not say again.
    """
    before = situation.before
    has_failed = before is not None and before.failed
    filling = Filling(tool)
    if not has_failed and all(ran.name != tool.name for ran in situation.ran_before):
        filling = fill_evident(tool, situation.said_before, situation.ran_before)
    for place, said in enumerate(situation.said):
        passage = said.copy()
        if adds(tool) and says_remove(passage.left):
            filling.fresh = set()
            continue
        is_last = place == len(situation.said) - 1
        _keep_segment(tool, passage, 0)
        found = read_values(tool, passage, filling.values, plain=True)
        if not is_last and not said.asked and not _was_taken(tool, found, situation.said[place + 1].asked):
            found = {path: value for path, value in found.items() if value.sure == Sure.EVIDENT}
        filling.values.update(found)
        filling.fresh = set(found)
    for said in situation.said[:-1]:
        for parameter in filling.missing:  # a name said before it was asked for is one only if it looks like one
            value = plain_answer(said.copy(), parameter, tool) if _is_name(parameter) else None
            if not said.asked and value is not None and fits(value.value, parameter.schema):
                filling.values[parameter.path] = value
    if before is not None and filling.fresh:
        for path, kept in kept_from(tool, before).items():
            if path in (each.path for each in filling.missing):
                filling.values[path] = kept
    return filling


def fill_evident(tool: OfferedTool, said: Sequence[Passage], ran: Sequence[Ran]) -> Filling:
    """What messages hold for a tool after other tools have run on them.

    The words that those tools used are spent. Of the rest only what is evident counts: an email, a choice, a value
    behind its label, and a number beside one of these.
    """
    filling = Filling(tool)
    for message in said:
        if adds(tool) and says_remove(message.left):
            continue
        passage = message.copy()
        for each in ran:
            _blank_used(passage, each)
        passage.asked = ""
        found = read_values(tool, passage, filling.values, plain=False)
        filling.values.update({path: value for path, value in found.items() if value.sure == Sure.EVIDENT})
        if filling.values and filling.missing:
            filling.values.update(assign_numbers(filling.missing, passage, plain=True))
    return filling


def fill_next_listed(tool: OfferedTool, situation: Situation) -> Filling | None:
    """The next of several amounts that were listed (`2 apples and 3 pears`); None when all of them are done."""
    times = sum(ran.name == tool.name for ran in situation.ran)
    for said in situation.said:
        passage = said.copy()
        if _keep_segment(tool, passage, times):
            values = read_values(tool, passage, (), plain=True)
            filling = Filling(tool, values, set(values))
            return None if filling.missing else filling
    return None


def _was_taken(tool: OfferedTool, found: dict[Path, Found], asked: str) -> bool:
    """Whether the question that followed a message shows that its plain words were taken: it asks for another value."""
    asked_for = [each.path for each in mentioned(tool.required, asked)]
    return bool(asked_for) and not any(path in found for path in asked_for)


def _is_name(parameter: Parameter) -> bool:
    return parameter.is_free_text and meaning_of(parameter) in NAMES


def refill(tool: OfferedTool, before: Ran) -> Filling:
    """The arguments of an earlier call, for calling the tool once more."""
    values = {each.path: argument_at(before.arguments, each.path) for each in tool.parameters}
    return Filling(tool, {path: Found(value, 0, 0, Sure.LIKELY) for path, value in values.items() if value is not None})


def _keep_segment(tool: OfferedTool, passage: Passage, index: int) -> bool:
    """Leave only one of several amounts in the passage (`2 apples and 3 pears`); False when there is none such."""
    amounts = [each for each in tool.parameters if each.type in ("integer", "number") and not each.choices]
    things = [each for each in tool.required if each.type == "string" and not is_prose(each)]
    if len(amounts) != 1 or len(things) != 1:
        return False
    text = passage.left
    starts = [each.start for each in numerals(text)]
    cuts = [start for start in starts[1:] if _JOINED.search(text[:start][-30:])]
    places = list(zip([0, *cuts], [*cuts, len(text)], strict=True))
    if len(places) < 2 or index >= len(places):
        return False
    if any(len(_said_in(text[start:end])) == 0 for start, end in places):
        return False
    start, end = places[index]
    passage.take(0, start)
    joint = _JOINED.search(text[start:end])
    last = start + joint.start() if joint else end
    passage.take(last, len(passage.left))
    return True


def _said_in(text: str) -> list[str]:
    """The words of a text besides its numbers."""
    for each in reversed(numerals(text)):
        text = text[: each.start] + " " * (each.end - each.start) + text[each.end :]
    return words(_JOINED.sub("", text.rstrip()))


def _blank_used(passage: Passage, ran: Ran) -> None:
    """Blank the words that a tool was called with."""
    for value in _leaves_of(ran.arguments):
        if isinstance(value, str):
            before = passage.left
            passage.blank(value)
            for read in READERS.values() if passage.left == before else ():
                found = read(passage.left)
                if found is not None and found.value == value:
                    passage.take(found.start, found.end)
                    break
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            for number in numerals(passage.left):
                if number.value == value:
                    passage.take(number.start, number.end)
                    break


def _leaves_of(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in _leaves_of(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in _leaves_of(each)]
    return [value]
