"""The question that is open: in words of the prompt, else of the parameter's description, else of its name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent_runtime_core.llm.offline.conversation import Situation
from agent_runtime_core.llm.offline.filling import Filling
from agent_runtime_core.llm.offline.grammar import capital, second_person, small, what_is
from agent_runtime_core.llm.offline.numerals import numerals
from agent_runtime_core.llm.offline.passage import joined_words, stems
from agent_runtime_core.llm.offline.patterns import example_of
from agent_runtime_core.llm.offline.schema import OfferedTool, Parameter
from agent_runtime_core.llm.offline.speech import Line, lines_of
from agent_runtime_core.llm.offline.validity import bound

__all__ = ["listed", "next_question"]

_ARTICLES = stems(
    "the a an of and or for your user's user customer's customer their to in please tell me what is are which ask"
    " whether"
)
_WISH = re.compile(r"(?:what|which|how many|how much) (?:\w+ )?to\b", re.IGNORECASE)
_THING = re.compile(
    r"(?:the|a|an|your|user'?s?|customer'?s?|which|what|how|who|when|where|whether)\b|(?:\S+\s*){1,4}$", re.IGNORECASE
)
_ASIDE = re.compile(r"\s*[(,:;]\s*(?:e\.?g|for example|such as|i\.?e|one of|in the form|format)\b", re.IGNORECASE)
_EXAMPLES = {
    "email": "ada@example.org",
    "date": "2026-05-03",
    "time": "10:30",
    "date-time": "2026-05-03 10:30",
    "uri": "https://example.org",
}


def next_question(
    tools: Sequence[OfferedTool], pending: Filling | None, situation: Situation, *, again: bool, is_answer: bool = False
) -> str:
    """What to ask now; empty when there is nothing to ask.

    Args:
        tools: What may be called.
        pending: The tool whose next value is missing; None when no tool takes values.
        situation: The conversation.
        again: Whether it is asked once more: then it says what an answer looks like.
        is_answer: Whether the user has just answered the question before: then that one is not put again.
    """
    asked = [line for line in lines_of(situation.prompt) if line.kind == "asks"]
    missing = pending.missing if pending is not None else []
    if pending is None or not missing:
        return asked[0].text if asked else _offers(tools)
    parameter = missing[0]
    line = None if pending.values or again else _line_about(asked, missing, tools)
    if is_answer and line is not None and line.text in situation.words.asked:
        line, asked = None, [each for each in asked if each is not line]
    text = line.text if line is not None else _question(parameter, asked)
    if line is None or len(missing) == 1:
        text = _with_choices(text, parameter)
    used = [found for found in pending.values.values() if isinstance(found.value, (int, float))]
    is_wrong_number = parameter.type in ("integer", "number") and not used and bool(numerals(situation.words.left))
    return text + (_hint(parameter) if again or is_wrong_number else "")


def listed(items: Sequence[str], between: str, last: str) -> str:
    """The items in a row, with another word before the last one."""
    return between.join(items[:-1]) + last + items[-1] if len(items) > 1 else "".join(items)


def _line_about(asked: Sequence[Line], missing: Sequence[Parameter], tools: Sequence[OfferedTool]) -> Line | None:
    """The prompt's question for these values; failing that its only question, when that speaks of no other value."""
    for line in asked:
        if any(_spoken(line) & _about(each) for each in missing):
            return line
    others = [each for tool in tools for each in tool.required if each not in missing]
    if len(asked) == 1 and not any(_spoken(asked[0]) & _about(each) for each in others):
        return asked[0]
    return None


def _spoken(line: Line) -> set[str]:
    return stems(line.subject) - _ARTICLES


def _about(parameter: Parameter) -> set[str]:
    """The stems by which a prompt would speak of a parameter."""
    choices = " ".join(str(choice) for choice in parameter.choices[:20])
    return stems(f"{parameter.label} {parameter.description[:100]} {choices}") - _ARTICLES


def _question(parameter: Parameter, asked: Sequence[Line]) -> str:
    """A question for one value."""
    named = stems(parameter.label) - _ARTICLES
    for line in asked:
        parts = re.split(r",\s*(?:and\s+)?|\s+and\s+", re.sub(r"\([^()]*\)", "", line.subject))
        matching = [part for part in parts if named & stems(part)]
        if len(parts) == 1 and matching:
            return line.text
        if len(matching) == 1 and len(matching[0].split()) <= 6:
            return what_is(matching[0])
    described = _ASIDE.split(re.split(r"(?<=[a-z])[.;]\s|\n", parameter.description)[0])[0].strip().rstrip(".")
    if described.endswith("?"):
        return described
    if parameter.type == "boolean":
        return _yes_or_no(described or parameter.label)
    if parameter.choices and described and all(_names(described, choice) for choice in parameter.choices):
        return what_is(described) if _WISH.match(described) else f"{capital(second_person(described))}?"
    if 0 < len(described) <= 120:
        return what_is(described) if _THING.match(described) else f"Please tell me: {small(second_person(described))}."
    outer = f"{' '.join(joined_words(parameter.path[-2]))}'s " if len(parameter.path) > 1 else ""
    return what_is(f"{'the ' if outer else ''}{outer}{parameter.label or 'value'}")


def _yes_or_no(described: str) -> str:
    if re.match(r"(?:whether|if|true (?:if|when))\b", described, re.IGNORECASE):
        return what_is(described)
    return f"{capital(second_person(described))}?"


def _with_choices(text: str, parameter: Parameter) -> str:
    """The question with what may be answered, unless it says so itself."""
    if parameter.type == "boolean":
        return f"{text} (yes/no)"
    shown = [str(choice) for choice in parameter.choices if choice is not None][:20]
    if not shown or all(_names(text, choice) for choice in shown):
        return text
    return f"{text} ({listed(shown, ', ', ' or ')})"


def _names(text: str, choice: object) -> bool:
    """Whether a text names a choice."""
    return re.search(rf"\b{re.escape(str(choice))}", text, re.IGNORECASE) is not None


def _hint(parameter: Parameter) -> str:
    """What an answer looks like, where that is not plain from the question."""
    schema = parameter.schema
    if parameter.type in ("integer", "number") and not parameter.choices:
        low, high = bound(schema, "minimum"), bound(schema, "maximum")
        kind = "a whole number" if parameter.type == "integer" else "a number"
        if low is not None and high is not None:
            return f" ({kind} from {low} to {high})"
        return f" ({kind}{f', at least {low}' if low is not None else f', at most {high}' if high is not None else ''})"
    given = schema.get("examples")
    pattern = schema.get("pattern")
    samples = [
        *(given if isinstance(given, list) else ()),
        _EXAMPLES.get(str(schema.get("format"))),
        example_of(pattern) if isinstance(pattern, str) else None,
    ]
    sample = next((each for each in samples if isinstance(each, str) and each), None)
    if sample is not None:
        return f" (for example {sample})"
    shortest, longest = bound(schema, "minLength"), bound(schema, "maxLength")
    if shortest is not None and shortest > 1:
        return f" (at least {shortest} characters)"
    return f" (at most {longest} characters)" if longest is not None else ""


def _offers(tools: Sequence[OfferedTool]) -> str:
    """What the tools do, as a question; a way to another journey tells when to go there, and is nothing to offer."""
    shown = [
        small(tool.description.split(". ")[0].rstrip(".")) or " ".join(joined_words(tool.name))
        for tool in tools[:8]
        if not (tool.name.startswith("start_") and tool.description.startswith("The user "))
    ]
    if len(shown) < 2:
        return f"Shall I do this: {shown[0]}? (yes/no)" if shown else ""
    return f"What would you like to do: {listed(shown, '; ', '; or ')}?"
