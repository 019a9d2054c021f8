"""Values that the user gives by name: `name: Ada`, `the year is 2020`, `year 2020`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agent_runtime_core.llm.offline.formats import READERS
from agent_runtime_core.llm.offline.meaning import meaning_of
from agent_runtime_core.llm.offline.passage import Found, Passage, Sure, joined_words, stems
from agent_runtime_core.llm.offline.schema import OfferedTool, Parameter, Path
from agent_runtime_core.llm.offline.single import value_about

__all__ = ["labelled_values", "mentioned"]

_SEPARATOR = (
    r"(?P<sep>\s*(?::|=|\bis\b|\bare\b|'s\b|\bwill be\b|\bshould be\b|\bto\b|\bof\b|-(?=\s))\s*)?"  # "the year is"
)
_VALUE_ENDS = re.compile(r"[,;\n]|\.(?=\s|$)|\s+and\s+(?=(?:my|the|our|its|with)\b)|\s+with\s+", re.IGNORECASE)
_GENERIC = frozenset("number name type id value the a of is code kind item user text date time".split())
_MAY_PRECEDE = frozenset(["", '"', "'", "a", "an", "the", "my", "from", "about"])
_REACH = 300
_SILENT = stems("the a an of is are it to for and or please tell me your user user's customer customer's in on was you")


def mentioned(parameters: Sequence[Parameter], text: str) -> list[Parameter]:
    """Those parameters that a text speaks of by a word of their name that no other one has.

    When it names none of them so, the words of their descriptions decide.
    """
    spoken = stems(text)
    for about in (_name_of, _description_of):
        of_each = {each.path: about(each) - _SILENT for each in parameters}
        found = []
        for each in parameters:
            others = [of_each[other.path] for other in parameters if other.path != each.path]
            if (of_each[each.path].difference(*others) or of_each[each.path]) & spoken:
                found.append(each)
        if found:
            return found
    return []


def _name_of(parameter: Parameter) -> set[str]:
    return stems(parameter.label)


def _description_of(parameter: Parameter) -> set[str]:
    return stems(parameter.description[:_REACH])


def labelled_values(tool: OfferedTool, passage: Passage) -> dict[Path, Found]:
    """The values behind the names of their parameters; they are blanked in the passage."""
    found: dict[Path, Found] = {}
    labels = {each.path: list(_labels(each, tool)) for each in tool.parameters}
    said = {path for path, names in labels.items() if any(_label_pattern(name).search(passage.left) for name in names)}
    for parameter in tool.parameters:
        others = [name for path, names in labels.items() if path != parameter.path for name in names]
        for label in labels[parameter.path]:
            if parameter.path in found:
                break
            for match in _label_pattern(label).finditer(passage.left):
                part = _behind(match, passage, parameter, others)
                is_named = bool(match["sep"]) or len(said) > 1
                value = value_about(parameter, part, tool, plain=is_named)
                if value is not None and part.left[: value.start].strip().lower() in _MAY_PRECEDE:
                    place = (match.start(), match.end() + value.end)
                    found[parameter.path] = Found(value.value, *place, Sure.EVIDENT)
                    passage.take(*place)
                    break
    return found


def _label_pattern(label: str) -> re.Pattern[str]:
    spaced = re.escape(label).replace(r"\ ", r"[\s_-]?")
    return re.compile(rf"(?<![\w-])(?:my |the |our )?{spaced}(?![\w-]){_SEPARATOR}", re.IGNORECASE)


def _behind(match: re.Match[str], passage: Passage, parameter: Parameter, others: list[str]) -> Passage:
    """What stands behind a label, up to the next one or the end of the statement."""
    start = match.end()
    segment = passage.left[start : start + _REACH]
    ends = [found.start() for name in others for found in [_label_pattern(name).search(segment)] if found]
    stop = _VALUE_ENDS.search(segment) if meaning_of(parameter) not in READERS and parameter.type != "array" else None
    ends += [stop.start()] if stop else []
    return Passage(passage.part(start, start + min((end for end in ends if end > 0), default=len(segment))), "?")


def _labels(parameter: Parameter, tool: OfferedTool) -> Iterator[str]:
    """The words by which a user may name the parameter, the whole name first."""
    if not parameter.label:
        return
    yield parameter.label
    others = [word for each in tool.parameters if each is not parameter for word in joined_words(each.path[-1])]
    for word in joined_words(parameter.path[-1]):
        if word != parameter.label and len(word) > 2 and word not in _GENERIC and word not in others:
            yield word
