"""What a prompt, written for a model, wants the user to hear."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from agent_runtime_core.llm.offline.grammar import (
    QUESTION_WORD,
    THEM,
    USER,
    capital,
    question_for,
    second_person,
    small,
)

__all__ = ["Line", "lines_of"]

_LIMIT, _MOST_SENTENCES = 4_000, 60
_TOOL = r"(?:[`'\"]?\w+_\w+[`'\"]?(?:\(\))?|[`'\"]\w+[`'\"]|(?:\w+ ){0,3}(?:tool|function)s?\b)"
_TOOL_TAIL = re.compile(
    r"[\s,;(]*(?:\b(?:and |then |and then )?(?:by )?"
    r"(?:using|with|via|through|by means of|calling|invoking|use|call|invoke)\b\s+(?:the |your |a )?" + _TOOL + r"|"
    r"\b(?:and |then |and then )(?:save|store|record|note)s? (?:it|them|this|that|the (?:answer|result)s?)\b).*$",
    re.IGNORECASE | re.DOTALL,
)
_VERBS = (
    "ask|collect|get|gather|obtain|find out|request|record|capture|elicit|thank|greet|welcome|tell|inform|let|explain"
    "|confirm|congratulate|apologi[sz]e|say|wish|offer|help|guide|invite|prompt|save|store|call|use|using|wait|show|give"
    "|summari[sz]e|repeat|read|check|look|add|move|go|remind|encourage|present|proceed|end|finish|do|be|keep|never"
    "|always|make|try|then"
)
_CLAUSES = re.compile(
    rf"\s*;\s*|,?\s+(?:and then|and|then|but)\s+(?=(?:{_VERBS})\b)|,\s+(?=(?:ask|thank|tell|then)\b)", re.IGNORECASE
)
_ASKS_TWICE = re.compile(r",? and (?=(?:for|about|whether|if(?! (?:so|not|yes|no)\b))\b)", re.IGNORECASE)
_SENTENCES = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\s*\n+\s*")
_BULLET = re.compile(r"^\s*(?:[-*#>\u2022]+|\d{1,2}[.)]|step \d{1,2}\s*[:.)-])\s*", re.IGNORECASE)
_ADVERBS = re.compile(
    r"^(?:(?:please|now|first|next|then|finally|politely|kindly|simply|briefly|warmly|also|again|just|start by|begin by"
    r"|always|you (?:must|should|need to|have to|are to))[\s,]+|your (?:job|task|goal) is to\s+)+",
    re.IGNORECASE,
)
_GERUND = re.compile(r"^(ask|greet|thank|collect|welcom|gather|tell|confirm|request)ing\b", re.IGNORECASE)
_CONDITIONAL = re.compile(
    r"(?:if|when|once|after|before|unless|while|in case|until|only|never|do not|don't|you are|act as)\b", re.IGNORECASE
)
_SAID_AS_IS = re.compile(
    r"(?:welcome|hello|hi|hey|good (?:morning|afternoon|evening)|great|thanks|thank you|congratulations|perfect|goodbye"
    r"|sorry)\b",
    re.IGNORECASE,
)
_FOR_THE_MODEL = re.compile(
    rf"\b(?:{USER}|users|customers|tools?|assistant|chatbot|agent|step|you are|your (?:job|task|role|goal))\b|\w_\w",
    re.IGNORECASE,
)
_OFFERS = re.compile(
    r"(?:i'm|i am|i can|i will|we can|we are|please)\b(?=.*\b(?:your?|me|help|assist)\b)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Line:
    """Something to say that a prompt asks for."""

    kind: Literal["says", "asks"]
    """Whether it is a question or request to the user, or only said."""
    text: str
    """The words for the user."""
    subject: str = ""
    """For a question: what it asks for, as the prompt puts it."""


def lines_of(prompt: str) -> list[Line]:
    """What a prompt wants the user to hear; instructions that cannot be turned into speech are left out."""
    found: dict[str, Line] = {}
    for sentence in _SENTENCES.split(prompt[:_LIMIT])[:_MOST_SENTENCES]:
        bare = _BULLET.sub("", sentence).strip().strip("*\"'`").strip()
        for line in _read_sentence(bare) if bare else ():
            found.setdefault(line.text, line)
    return list(found.values())


def _read_sentence(sentence: str) -> Iterator[Line]:
    if _CONDITIONAL.match(sentence):
        return
    if not _FOR_THE_MODEL.search(sentence):
        if sentence.endswith("?"):
            yield Line("asks", sentence, sentence)
            return
        if _SAID_AS_IS.match(sentence):
            yield Line("says", sentence)
            return
        if _OFFERS.match(sentence):
            is_request = sentence.lower().startswith("please")
            yield Line("asks", sentence, sentence) if is_request else Line("says", sentence)
            return
    clauses = _CLAUSES.split(_TOOL_TAIL.sub("", _ADVERBS.sub("", sentence)).rstrip(" .!:"))
    for clause in [part for each in clauses for part in _questions_in(each)]:
        line = _read_clause(_GERUND.sub(_imperative, _ADVERBS.sub("", clause)).strip(" .,:"))
        if line is not None:
            yield line


def _questions_in(clause: str) -> list[str]:
    """`ask whether it rains and for the time` as two instructions to ask; any other clause as it is."""
    if not re.match(r"ask\b", clause, re.IGNORECASE):
        return [clause]
    first, *others = _ASKS_TWICE.split(clause)
    return [first, *(f"ask {each}" for each in others)]


def _read_clause(clause: str) -> Line | None:
    """One instruction as speech."""
    for pattern, make in _SAYING:
        if match := pattern.fullmatch(clause):
            text = make(match["it"] or "")
            return Line("says", text) if text else None
    for pattern, make in _ASKING:
        if match := pattern.fullmatch(clause):
            text = make(match["it"] or "")
            return Line("asks", text, match["it"]) if text else None
    return None


def _after(words: str, end: str = ".") -> Callable[[str], str]:
    """What makes a sentence of some words and the rest of an instruction."""
    return lambda rest: f"{words} {second_person(rest)}".rstrip() + end


def _always(words: str) -> Callable[[str], str]:
    return lambda _: words


def _tell(clause: str) -> str:
    """What the user is to be told, when it is a whole sentence."""
    clause = second_person(clause.removeprefix("that ")).replace(" and that ", " and ").strip()
    is_sentence = re.search(r"\b(?:is|are|was|were|will|can|has|have|you|could|would|did)\b", clause)
    return f"{capital(clause)}." if is_sentence else ""


def _please(request: str) -> str:
    return f"Please {small(second_person(request))}."


def _collect(subject: str) -> str:
    is_none = re.match(r"(?:ready|back|rid|started|it|them|help|care|note|into)\b", subject, re.IGNORECASE)
    return "" if is_none else question_for(subject)


def _imperative(match: re.Match[str]) -> str:
    return "welcome" if match[1].lower() == "welcom" else match[1]


def _rules(table: dict[str, Callable[[str], str]]) -> list[tuple[re.Pattern[str], Callable[[str], str]]]:
    return [(re.compile(pattern, re.IGNORECASE | re.DOTALL), make) for pattern, make in table.items()]


_SAYING = _rules(
    {
        rf"thank (?:{THEM}|you)\s*(?P<it>.*)": _after("Thank you"),
        rf"(?:greet|say (?:hello|hi) to) (?:{THEM})(?:\s+(?:warmly|by name|briefly))?(?P<it>)": _always("Hello!"),
        r"(?:greet|say hello|say hi)(?P<it>)": _always("Hello!"),
        rf"welcome (?:{THEM})\s*(?P<it>.*)": _after("Welcome", "!"),
        rf"congratulate (?:{THEM})\s*(?P<it>.*)": _after("Congratulations", "!"),
        rf"apologi[sz]e(?: to (?:{THEM}))?\s*(?P<it>.*)": _after("I am sorry"),
        r"(?:say|bid)(?: \w+){0,3} (?P<it>goodbye|farewell)(?: .*)?": _always("Goodbye!"),
        r"thank [^\s,]+(?: [^\s,]+){0,2}? (?P<it>for .+)": _after("Thank you"),
        r"(?:greet|welcome) (?P<it>[A-Z]\S+)": lambda name: f"Hello {name}!",
        rf"wish (?:{THEM}) (?P<it>.+)": _after("I wish you"),
        rf"(?:tell|remind|instruct|advise) (?:{THEM}) to (?P<it>.+)": _please,
        rf"(?:tell|inform|remind) (?:{THEM}) (?P<it>(?!about\b|how\b|what\b|why\b|which\b|of\b|to\b).+)": _tell,
        rf"let (?:{THEM}) know (?P<it>(?!about\b|how\b|what\b|why\b|if\b).+)": _tell,
        r"(?:explain|say) that (?P<it>.+)": _tell,
    }
)
_ASKING = _rules(
    {
        rf"(?:ask|invite|get|have|let|help|encourage|prompt|request) (?:{THEM}) to (?P<it>.+)": _please,
        rf"(?:have|let|help) (?:{THEM}) (?P<it>(?:choose|pick|select|confirm|decide|enter|provide)\b.*)": _please,
        rf"(?:ask|prompt|request)(?: (?:{THEM}))?,? (?:for|about) (?P<it>.+)": question_for,
        rf"ask(?: (?:{THEM}))? (?P<it>(?:{QUESTION_WORD}|whether|if)\b.+)": question_for,
        r"ask [^\s,]+(?: [^\s,]+){0,2}? (?:for|about) (?P<it>.+)": question_for,
        rf"ask [^\s,]+(?: [^\s,]+){{0,2}}? (?P<it>(?:{QUESTION_WORD}|whether|if)\b.+)": question_for,
        r"ask [A-Z][^\s,]*(?: [A-Z][^\s,]*){0,2}? to (?P<it>.+)": _please,
        r"(?:find out|learn|determine|establish|clarify) (?P<it>.+)": question_for,
        rf"ask (?:{THEM}(?!'|\u2019)) (?P<it>.+)": question_for,
        r"(?:collect|get|gather|obtain|request|capture|record|elicit|take|save|store|note(?: down)?"
        r"|ask) (?P<it>.+)": _collect,
        rf"confirm (?P<it>.+?)(?: with (?:{THEM}))?": _after("Please confirm"),
    }
)
