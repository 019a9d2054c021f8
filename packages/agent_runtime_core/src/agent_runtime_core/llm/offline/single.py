"""One parameter's value in a passage: by its form, by being a choice, or in plain words."""

from __future__ import annotations

from agent_runtime_core.llm.offline.answers import plain_answer
from agent_runtime_core.llm.offline.choices import find_boolean, find_choice
from agent_runtime_core.llm.offline.counting import assign_numbers
from agent_runtime_core.llm.offline.formats import READERS, find_patterned
from agent_runtime_core.llm.offline.lists import find_list
from agent_runtime_core.llm.offline.meaning import meaning_of
from agent_runtime_core.llm.offline.names import NAMES, spoken_name
from agent_runtime_core.llm.offline.passage import Found, Passage
from agent_runtime_core.llm.offline.patterns import compiled, is_telling
from agent_runtime_core.llm.offline.schema import OfferedTool, Parameter
from agent_runtime_core.llm.offline.validity import fits

__all__ = ["formed_value", "may_be_plain", "value_about"]

_FEWEST_DIGITS = {"phone": 5, "postcode": 1}
_NEVER_PLAIN = frozenset({"email", "url", "uuid", "ip"})


def formed_value(parameter: Parameter, passage: Passage, *, asks: bool) -> Found | None:
    """A value that shows by its form, by being a choice, or by the words before it.

    Args:
        parameter: What is wanted.
        passage: What is read.
        asks: Whether the passage is a question: then only a text with a form of its own counts.
    """
    text = passage.left
    if parameter.type == "array":
        return None if asks else find_list(parameter, passage)
    if parameter.choices:
        return None if asks else find_choice(text, parameter.choices, parameter.description)
    if parameter.type != "string":
        return None
    meaning = meaning_of(parameter)
    value = find_patterned(text, parameter.schema)
    if value is None and meaning in READERS:
        value = READERS[meaning](text)
    if value is None and meaning in NAMES and not asks:
        value = spoken_name(text, passage.part(0, len(text)), asked=bool(passage.asked))
    return value


def value_about(parameter: Parameter, part: Passage, tool: OfferedTool, *, plain: bool) -> Found | None:
    """The parameter's value in a part of a message that is about it alone.

    Args:
        parameter: What is wanted.
        part: The part.
        tool: The tool that it belongs to.
        plain: Whether plain words may be the value, and a yes or no.
    """
    value = formed_value(parameter, part, asks=False)
    if value is None and parameter.type in ("integer", "number"):
        value = assign_numbers([parameter], part, plain=True).get(parameter.path)
    if value is None and parameter.type == "boolean" and plain:
        value = find_boolean(part.left)
    if value is None and plain and parameter.is_free_text and may_be_plain(parameter, part):
        value = plain_answer(part, parameter, tool)
    return value if value is not None and fits(value.value, parameter.schema) else None


def may_be_plain(parameter: Parameter, passage: Passage) -> bool:
    """Whether words without a form of their own can be the value."""
    pattern = parameter.schema.get("pattern")
    regex = compiled(pattern) if isinstance(pattern, str) else None
    if regex is not None and is_telling(regex):
        return False
    meaning = meaning_of(parameter)
    if meaning in _FEWEST_DIGITS:
        return bool(passage.asked) and sum(char.isdigit() for char in passage.left) >= _FEWEST_DIGITS[meaning]
    return meaning not in _NEVER_PLAIN and (meaning not in READERS or bool(passage.asked))
