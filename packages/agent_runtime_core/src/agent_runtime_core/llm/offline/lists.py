"""Several values of one kind: the items of an array."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from agent_runtime_core.llm.offline.answers import plain_answer
from agent_runtime_core.llm.offline.choices import find_choices
from agent_runtime_core.llm.offline.numerals import numerals
from agent_runtime_core.llm.offline.passage import Found, Passage, Sure
from agent_runtime_core.llm.offline.schema import OfferedTool, Parameter, Path, merge
from agent_runtime_core.llm.offline.validity import bound, fits

__all__ = ["find_list", "find_objects", "list_of", "parts_of", "plain_list"]

_SPLIT = re.compile(r"\s*(?:,(?![0-9]{3}(?![0-9]))|[;\n]|\s&\s|\band\b|\bplus\b)[\s,;]*", re.IGNORECASE)
_ALL = re.compile(
    r"\W*(?:all|both|everything|all of (?:them|those|it)|each|each of them)(?: please)?\W*", re.IGNORECASE
)
_NONE = re.compile(
    r"\W*(?:none|nothing|no|none of (?:them|those)|not any|nope)(?:,? thanks?(?: you)?)?\W*", re.IGNORECASE
)
_MOST = 100


def find_list(parameter: Parameter, passage: Passage) -> Found | None:
    """The choices or numbers that a message names; all of the choices for `all`, an empty list for `none`."""
    text = passage.left
    if passage.asked and not bound(parameter.schema, "minItems") and parameter.items and _NONE.fullmatch(text):
        return Found([], 0, len(text), Sure.LIKELY)
    item = _plain_item(parameter)
    if item is None:
        return None
    if item.choices:
        if _ALL.fullmatch(text):
            return Found(list(item.choices), 0, len(text), Sure.LIKELY)
        return list_of(find_choices(text, item.choices), parameter)
    if item.type not in ("integer", "number"):
        return None
    numbers = [Found(each.value, each.start, each.end, Sure.LIKELY) for each in numerals(text)]
    return list_of([each for each in numbers if item.type == "number" or isinstance(each.value, int)], parameter)


def find_objects(
    parameter: Parameter, passage: Passage, read: Callable[[OfferedTool, Passage], dict[Path, Found]]
) -> Found | None:
    """A list of objects from the parts of a message, such as `2 apples, 3 pears`; None unless each part is one.

    Args:
        parameter: An array of objects.
        passage: The message.
        read: What reads one part as the values of a tool.
    """
    if not parameter.items or _plain_item(parameter) is not None:
        return None
    objects: list[Found] = []
    tool = OfferedTool("", "", parameter.items)
    for start, end in parts_of(passage.left):
        values = read(tool, Passage(passage.part(start, end), passage.asked or "?"))
        if not values or any(each.path not in values for each in tool.required):
            return None
        made = tool.arguments({path: found.value for path, found in values.items()})
        merge(made, parameter.item_fixed)
        objects.append(Found(made, start, end, Sure.LIKELY))
    return list_of(objects, parameter)


def plain_list(parameter: Parameter, passage: Passage, tool: OfferedTool) -> Found | None:
    """A list of texts in plain words: `peanuts, milk and eggs`; None when a part is no answer."""
    item = _plain_item(parameter)
    if item is None or item.type != "string" or item.choices:
        return None
    found: list[Found] = []
    for start, end in parts_of(passage.left):
        value = plain_answer(Passage(passage.part(start, end), passage.asked), parameter, tool)
        if value is None:
            return None
        found.append(Found(value.value, start + value.start, start + value.end, Sure.PLAIN))
    return list_of(found, parameter)


def list_of(items: Sequence[Found], parameter: Parameter) -> Found | None:
    """The items that fit as one list, each value once; None when there are none."""
    item = _plain_item(parameter)
    values: list[object] = []
    for each in items:
        if each.value not in values and fits(each.value, item.schema if item is not None else {}):
            values.append(each.value)
    if not values:
        return None
    return Found(values, items[0].start, items[-1].end, max(each.sure for each in items))


def parts_of(text: str) -> list[tuple[int, int]]:
    """Where the parts of a listing stand: between commas, semicolons, lines and `and`."""
    places, start = [], 0
    for match in [*_SPLIT.finditer(text), None]:
        end = match.start() if match else len(text)
        if text[start:end].strip():
            places.append((start, end))
        start = match.end() if match else end
    return places[:_MOST]


def _plain_item(parameter: Parameter) -> Parameter | None:
    """What an item is, when it is one value and no object."""
    return parameter.items[0] if len(parameter.items) == 1 and not parameter.items[0].path else None
