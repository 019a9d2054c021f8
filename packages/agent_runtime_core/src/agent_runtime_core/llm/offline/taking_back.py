"""What a user takes back: a step, an answer, everything. Tools for it run only when the user asks for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent_runtime_core.llm.offline.conversation import Ran, Situation
from agent_runtime_core.llm.offline.filling import Filling
from agent_runtime_core.llm.offline.meaning import is_prose
from agent_runtime_core.llm.offline.naming import by_intent, by_words
from agent_runtime_core.llm.offline.passage import Found, Passage, Sure, joined_words, stem, words
from agent_runtime_core.llm.offline.phrases import is_no, is_yes, without_greeting
from agent_runtime_core.llm.offline.schema import OfferedTool, Parameter

__all__ = ["TakenBack", "as_answer", "asked_back", "label_of", "set_apart", "taken_back", "to_be_said_again"]

_ON_REQUEST = "only when the user asks for it"
_LEAD = (
    r"\s*(?:(?:ok(?:ay)?|well|oh|wait|no|yes|yeah|yep|sure|sorry|actually|please|hm+|um+|hang on|hold on|oops|and|but"
    r"|then)[\s,.!]+)*"
)
_WISH = (
    r"(?:(?:i(?:'d| would) like|i want|i need|i have|can (?:i|we|you)|could (?:i|we|you)|may i|let me|let's|let us"
    r"|shall we|i(?:'d| would) rather)(?: please)?(?: to)? )?(?:please )?"
)
_TAIL = r"(?:[\s,]+(?:please|thanks|thank you|now|then|again|for me))*[\s.!?]*"
_THING = r"(?:(?:the|my|our|your) )?(?P<what>[\w'-]+(?: [\w'-]+){0,4}?)"
_SAID = {
    "go_back": r"(?:(?:go|get|step|move|take me) )?(?:(?:one|a) step )?back(?: (?:one|a) step)?"
    r"(?: to the (?:previous|last) (?:step|question))?|(?:the )?previous (?:step|question)"
    r"|undo(?: (?:it|that|the last (?:step|answer)))?",
    "start_again": r"(?:start|begin)(?: (?:it|everything|all of it))? (?:(?:all )?over|again|afresh|anew)"
    r"(?: again)?(?: from (?:scratch|the (?:beginning|start|top)))?"
    r"|(?:start|begin) from (?:scratch|the (?:beginning|start|top))|restart|reset(?: everything)?",
    "cancel": r"cancel(?: (?:it|this|that|everything|all of (?:it|this)|(?:the|my) [\w'-]+))?"
    r"|(?:stop|quit|abort)(?: (?:it|this|all (?:of )?this))?|forget (?:about )?(?:it|this|all (?:of )?this)"
    r"|give (?:(?:it|this) )?up|call it off",
}
_WHOLE = {name: re.compile(rf"{_LEAD}{_WISH}(?:{said}){_TAIL}", re.IGNORECASE) for name, said in _SAID.items()}
_CHANGES = [
    re.compile(rf"{_LEAD}{pattern}{_TAIL}", re.IGNORECASE | re.DOTALL)
    for pattern in (
        rf"{_WISH}(?:change|correct|fix|edit|update|amend|modify|redo) {_THING}"
        r"(?:(?: to| into| from .{1,60}? to|:)\s+(?P<value>\S.*?))?",
        rf"{_THING} (?:is|was|are|were)(?: (?:all|still|just|now))? (?:wrong|incorrect|not (?:right|correct)|mistaken"
        r"|mis-?spell?ed|misspelt|outdated)(?:[\s,;.:!-]+(?:it|that|this)?(?:'s| is| should be| must be)"
        r"\s+(?P<value>\S.*?))?",
        rf"{_THING} (?:is|are) not .{{1,60}}?(?:, (?:it(?:'s| is) |but )?| but )(?P<value>\S.*?)",
        rf"{_THING} (?:is|are) (?P<value>\S.*?),? (?:and )?not .{{1,60}}?",
    )
]
_ACTUALLY = re.compile(
    r"\s*(?:(?:ok(?:ay)?|well|oh|hm+|um+|please)[\s,.!]+)*"
    r"(?:actually|wait|sorry|no|oops|correction|hang on|hold on|i meant|i made a mistake)[\s,.:;!-]+"
    rf"{_LEAD}{_THING} (?:is|are|should be|must be) (?:actually |really )?(?P<value>\S.*?){_TAIL}",
    re.IGNORECASE | re.DOTALL,
)
_QUESTIONS = {
    "start_again": "Do you really want to start again and forget all answers?",
    "cancel": "Do you really want to cancel?",
}
_RESULTS = {
    "go_back": (("The journey is at step ", "All right, one step back."),),
    "change_answer": (("Reopened: ", ""),),
    "start_again": (("Nothing is forgotten.", ""), ("Everything begins again ", "All right, from the beginning.")),
    "cancel": (("Not cancelled.", ""), ("Cancelled.", "It is cancelled.")),
}
_NAMED = 2  # points by which words name a tool of the journey
_LATER = "It is asked for when the journey comes to step"
_SMALL = frozenset(map(stem, "the a an my our your of for in answer value".split()))


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What has come of a call that takes something back."""

    words: str
    """What the user is told of it."""
    is_question: bool = False
    """Whether that asks them for a yes."""
    is_over: bool = False
    """Whether nothing comes after it."""
    field: str = ""
    """The answer that was reopened and is asked for now; empty when there is none."""


def set_apart(tools: Sequence[OfferedTool]) -> tuple[list[OfferedTool], dict[str, OfferedTool]]:
    """The tools that any words may call for, and by name those that take something back."""
    apart = {
        tool.name: tool for tool in tools if tool.name in _RESULTS and tool.description.lower().startswith(_ON_REQUEST)
    }
    return [tool for tool in tools if tool.name not in apart], apart


def asked_back(apart: dict[str, OfferedTool], own: Sequence[OfferedTool], situation: Situation) -> Filling | None:
    """The call that takes back what the user's last message asks to be taken back; None when it asks for no such thing.

    A tool of the journey that does what the words say comes first.
    """
    said = situation.words
    line = without_greeting(said.left)
    for name, question in _QUESTIONS.items():
        if name in apart and question in said.asked and is_yes(line):
            return Filling(apart[name])
    for name, pattern in _WHOLE.items():
        if name in apart and pattern.fullmatch(line):
            is_taken = any(by_intent(tool, situation, own) or by_words(tool, situation) >= _NAMED for tool in own)
            return None if is_taken else Filling(apart[name])
    change = apart.get("change_answer")
    field, _ = _change(line, [] if change is None else change.parameters[0].choices)
    if change is None or not field:
        return None
    return Filling(change, {change.parameters[0].path: Found(field, 0, 0, Sure.EVIDENT)})


def as_answer(own: Sequence[OfferedTool], situation: Situation) -> Situation:
    """The situation with the last message as a plain answer: `change my email to x` where the email is asked for.

    A no to the question whether to take everything back is no answer to the one before.
    """
    said = situation.words
    line = without_greeting(said.left)
    if any(question in said.asked for question in _QUESTIONS.values()) and is_no(line):
        return replace(situation, said=[Passage("", said.asked)], has_dropped=True)
    labels = {each.label: each for tool in own for each in tool.parameters if each.label}
    label, value = _change(line, list(labels))
    if not label or (not value and any(is_prose(each) for tool in own for each in tool.parameters)):
        return situation
    answer = Passage(value, label_of(label) if value else said.asked)
    return replace(situation, said=[*situation.said[:-1], answer], has_dropped=not value)


def label_of(name: str) -> str:
    """The question for an answer by its name."""
    return f"What is your {' '.join(joined_words(name))}?"


def taken_back(ran: Ran) -> TakenBack | None:
    """What has come of a call, when it was one that takes something back; None for any other."""
    result = ran.result.strip()
    for begins, said in _RESULTS.get(ran.name, ()):
        if not result.startswith(begins):
            continue
        if ran.name != "change_answer":
            question = "" if said else _QUESTIONS[ran.name]
            return TakenBack(said or question, bool(question), is_over=ran.name == "cancel" and not question)
        field = str(ran.arguments.get("field", ""))
        if _LATER in result:
            return TakenBack(f"All right, I will ask for your {' '.join(joined_words(field))} again.")
        return TakenBack("", field=field)
    return None


def to_be_said_again(field: str, own: Sequence[OfferedTool], situation: Situation) -> tuple[OfferedTool, Ran] | None:
    """The tool that saves a reopened answer, with its last call as one that was refused for this answer alone."""
    for tool in own:
        about = [each for each in tool.required if _is_about(each, field)]
        if about:
            known = situation.called.get(tool.name, {})
            arguments = {name: value for name, value in known.items() if name != about[0].path[0]}
            return tool, Ran(tool.name, arguments, "Error: to be said again")
    return None


def _is_about(parameter: Parameter, field: str) -> bool:
    return bool(parameter.path) and _matching(" ".join(joined_words(field)), [parameter.path[-1]]) is not None


def _change(line: str, names: Sequence[str]) -> tuple[str, str]:
    """The name that a message wants to change, and to what; empty when it does not, or does not say."""
    for pattern in (*_CHANGES, _ACTUALLY):
        match = pattern.fullmatch(line)
        name = _matching(match["what"], names) if match else None
        if match and name is not None:
            return name, (match["value"] or "").strip()
    return "", ""


def _matching(what: str, names: Sequence[str]) -> str | None:
    """The one name that some words mean: all of its own words, or failing that some of them and no others."""
    said = {stem(word) for word in words(what)} - _SMALL
    stemmed = {name: {stem(word) for word in joined_words(str(name))} for name in names}
    for fits in (set.__eq__, set.issubset, set.issuperset):
        found = [name for name, own in stemmed.items() if said and own and fits(own, said)]
        if len(found) == 1:
            return found[0]
    return None
