"""Plain words as a value: what was answered to an open question."""

from __future__ import annotations

import re

from agent_runtime_core.llm.offline.intents import intents
from agent_runtime_core.llm.offline.meaning import meaning_of
from agent_runtime_core.llm.offline.names import DECLARING, NAMES, is_name
from agent_runtime_core.llm.offline.passage import READ_LIMIT, Found, Passage, Sure, joined_words, stem, words
from agent_runtime_core.llm.offline.phrases import (
    agreement,
    disagreement,
    is_greeting,
    is_question,
    is_refusal,
    is_thanks,
    without_greeting,
)
from agent_runtime_core.llm.offline.removal import TAKING_OUT, takes_back
from agent_runtime_core.llm.offline.schema import OfferedTool, Parameter

__all__ = ["plain_answer"]

_LEAD_IN = re.compile(
    r"(?:(?:(?:oh|ok(?:ay)?|well|um+|uh|er+m?|hm+|yes|yeah|sure|right|so|please|no|sorry|hi|hello|hey|and|then"
    r"|just|also|actually|maybe|perhaps)(?:[\s,.!]+|$))"
    r"|(?:it(?:'s| is| was| should be| will be)|this is|that(?:'s| is| would be)|they(?:'re| are)|there(?:'s| is| are)"
    r"|i(?:'d| would) (?:like|love|prefer)(?: to (?:have|get|order|buy|add|take|book|see|choose|pick))?"
    r"|i (?:want|need|choose|pick|take|prefer|have|own|drive|live in|live at)"
    r"(?: to (?:have|get|order|buy|add|take|book|choose|pick))?|i(?:'ve| have) (?:got )?|i got|i(?:'ll"
    r"| will) (?:have|take|go (?:with|for))"
    r"|we (?:want|need|have|would like)|(?:please )?(?:give|get|bring|send|show|find|book|order) (?:me|us)"
    r"|make (?:it|that)|let's (?:say|take|go with|have)"
    r"|(?:can|could|may|might) (?:i|we|you) (?:please )?(?:have|get|take|order|add|buy|give me|get me|book|put"
    r"|see)|i think|i guess|i'm|i am|how about|what about"
    r"|(?:the |my )?answer is|here(?:'s| is| are)|which is|called|named)(?=\s|$)\s*)",
    re.IGNORECASE,
)
_SMALL_WORDS = frozenset(
    "and from in of at with for on is it's are by x the a an some & - more another to any also about as".split()
)
_ORIGIN = frozenset("built made manufactured produced registered bought dated born".split())
_NOTHING = _SMALL_WORDS | frozenset(
    "something anything it one item items thing things stuff this that them these those".split()
)
_TRAILING = re.compile(
    r"(?:[\s,;:!]+(?:please|thanks|thank you(?: very much)?|now|then|if (?:possible|you please)|as well|too|of course)"
    r"|\s+(?:(?:in)?to|from|out of|off|in) (?:my|the|our) (?:shopping )?(?:cart|basket|order|list|bag"
    r"|trolley))[\s.!]*$",
    re.IGNORECASE,
)
_COMMANDS = frozenset(map(stem, "add put buy order get take choose pick select include remove delete drop".split()))
_WISH_BEFORE = re.compile(r"\b(?:want|need|like|love|prefer|choose)\s*$", re.IGNORECASE)
_TO_A_PLACE = re.compile(r"(?:to|at|in)\s+(?=\S)", re.IGNORECASE)
_LONGEST_COMMAND = 3
_PROSE_WORDS = 5  # what nobody asked for is a description only if it is a sentence
_QUOTES = {'"': '"', "'": "'", "\u201c": "\u201d", "\u2018": "\u2019", "\u00ab": "\u00bb", "`": "`", "\u201e": "\u201c"}
_KEEPS_STOP = re.compile(
    r"(?:^|\s)(?:[^\W\d_]\.|(?:[^\W\d_]\.){2,}|jr\.|sr\.|inc\.|ltd\.|st\.|co\.|etc\.)$", re.IGNORECASE
)


def plain_answer(passage: Passage, parameter: Parameter, tool: OfferedTool) -> Found | None:
    """What is left of a message, as the value of a parameter that takes any words; None when it is no answer.

    Greetings, thanks, questions, commands such as `done` and words such as `I don't know` are no answers. When
    nothing was asked, only a few words that are no sentence are one.
    """
    meaning = meaning_of(parameter)
    left = without_greeting(passage.left)
    line = left.strip()
    if not words(line) and not re.search(r"[^\W_]|[^\x00-\x7f]", line):
        return None
    if is_greeting(line) or is_thanks(line) or is_refusal(line):
        return None
    if _is_command(line) and not (meaning == "prose" and len(line.split()) > _LONGEST_COMMAND):
        return None
    if meaning == "prose":
        enough = passage.asked or _asks(parameter) or len(line.split()) >= _PROSE_WORDS
        return _whole(passage) if enough and (_asks(parameter) or not is_question(line)) else None
    if is_question(line):
        return None
    start, end = _bare(left, passage, parameter, tool)
    value = _whole_value(passage, start, end)
    if not value or value.lower() in _NOTHING or is_refusal(value) or _is_command(value):
        return None
    if _WISH_BEFORE.search(left[:start]) and re.match(r"to\s", left[start:end], re.IGNORECASE):
        return None  # "I want to sign up" is a wish, and no value
    if "where" in passage.asked.lower() and (place := _TO_A_PLACE.match(left[start:end])):
        start += place.end()
        value = _whole_value(passage, start, end)
    if meaning in NAMES and not is_name(value, asked=bool(passage.asked)):
        return None
    if not passage.asked and (len(value.split()) > 4 or (start == 0 and DECLARING.match(value))):
        return None
    return Found(value, start, end, Sure.PLAIN)


def _asks(parameter: Parameter) -> bool:
    """Whether the parameter wants a question, as a search does."""
    return bool({"question", "query", "search"} & set(joined_words(parameter.path[-1] if parameter.path else "")))


def _is_command(line: str) -> bool:
    """Whether the message is a yes, a no or a command as a whole; `sure, Ada` says more than that."""
    meant = set(intents(line)) - {"more"}
    if meant <= {"yes", "no"}:
        place = agreement(line) or disagreement(line)
        return place is not None and not re.match(
            r"\s*[,.!;:]+\s*(?!please|thank|i\b|not\b)\w", line[place[1] :], re.IGNORECASE
        )
    return True


def _whole(passage: Passage) -> Found:
    """The user's own sentences, as they are, also where another value has been read in them."""
    written = Passage(passage.text)
    left = without_greeting(written.left)
    start, end = len(left) - len(left.lstrip()), len(left.rstrip())
    return Found(_whole_value(written, start, end, keep_stop=True), start, end, Sure.PLAIN)


def _whole_value(passage: Passage, start: int, end: int, *, keep_stop: bool = False) -> str:
    """The words between two places as written; up to the end of a long message when they reach the limit."""
    value = re.sub(r"[ \t]{2,}", " ", passage.part(start, end)) if not passage.is_untouched else passage.text[start:end]
    if len(passage.text) > READ_LIMIT and not passage.left[end:].strip():
        value = f"{value}{passage.text[end:]}"
    value = value.strip().strip("\u200b")
    if len(value) > 1 and _QUOTES.get(value[0]) == value[-1]:
        return value[1:-1].strip()
    if not keep_stop:
        value = value.strip(" ,;:!?\n\t")
        if value.endswith(".") and not value.endswith("..") and not _KEEPS_STOP.search(value[-12:]):
            value = value[:-1].rstrip()
        if len(value) > 1 and _QUOTES.get(value[0]) == value[-1]:
            value = value[1:-1].strip()
    return value


def _bare(left: str, passage: Passage, parameter: Parameter, tool: OfferedTool) -> tuple[int, int]:
    """Where the value stands in a sentence: without lead-in, command, label and politeness."""
    start, end = len(left) - len(left.lstrip()), len(left.rstrip())
    changed = not passage.is_untouched
    label = {stem(word) for word in joined_words(parameter.path[-1])} if parameter.path else set()
    commands = _COMMANDS | set(tool.name_stems[:1])
    named = meaning_of(parameter) in NAMES
    counts = any(each.type in ("integer", "number") for each in tool.parameters)
    while start < end:
        rest = left[start:end]
        first = re.match(r"[^\s,;:]+[\s,;:]*", rest)
        lead = _LEAD_IN.match(rest)
        out = TAKING_OUT.match(rest) if takes_back(tool) else None
        thing = (out["taken"] or out["put"] or "").rstrip() if out else ""
        if out and thing:  # "take the milk out": the thing stands in between
            start, changed = start + rest.index(thing, 4), True
            end = start + len(thing)
        elif out and out.end() < len(rest.rstrip(" .!,")):
            start, changed = start + out.end(), True
        elif lead and lead.end() < len(rest.rstrip(" .!,")):
            start, changed = start + lead.end(), True
        elif first is None:
            start += 1
        elif counts and first[0].strip().lower() in ("a", "an", "some") and len(rest) > first.end():
            start, changed, commands = start + first.end(), True, frozenset()  # behind an article stands a thing
        elif changed and first[0].strip(" ,;:") in _SMALL_WORDS - {"to"} and len(rest) > first.end():
            start += first.end()
        elif not named and stem(first[0].strip(" ,;:").lower()) in commands | label and len(rest) > first.end():
            start, changed = start + first.end(), True
        else:
            break
    while start < end:
        rest = left[start:end]
        tail = _TRAILING.search(rest[-60:])
        last = re.search(r"(?:^|[\s,;])([^\s,;]+)$", rest[-40:])
        if tail:
            end -= len(rest[-60:]) - tail.start()
        elif rest[-1] in " ,;:!\n\t":
            end -= 1
        elif (
            changed and last and last[1].lower() in _SMALL_WORDS - {"x", "more"} | _ORIGIN and len(last[1]) < len(rest)
        ):
            end -= len(last[1])
        else:
            break
    return start, end
