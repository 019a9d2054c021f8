"""How far a user's words name a tool: by its name, by its description, or by what they mean."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent_runtime_core.llm.offline.conversation import Situation
from agent_runtime_core.llm.offline.intents import INTENT_STEMS, intents
from agent_runtime_core.llm.offline.passage import Passage, joined_words, stem, stems, words
from agent_runtime_core.llm.offline.phrases import is_question, without_greeting
from agent_runtime_core.llm.offline.removal import REMOVING, takes_back, with_remove
from agent_runtime_core.llm.offline.schema import OfferedTool

__all__ = ["ASKS_FOR_MORE", "WAY_OUT", "by_intent", "by_words", "is_named_whole", "wants_more"]


def _stemmed(listed: str) -> frozenset[str]:
    return frozenset(stem(word) for word in listed.split())


_SILENT = _stemmed(
    "the a an of to for and or in on at it is are be with by from when if user users user's customer customer's"
    " tool this that their they them your you i me my we want wants would like please save set get record store"
    " collect give call use using do does has have can could will some any not no yes what which how there here"
    " now one"
)
_ARTICLES = _stemmed("the a an user user's customer it")
_BEGINNING = _stemmed(
    "start begin open go create make new route choose select handle process run show view list see check"
)
_LOOKING = _stemmed(
    "show view list see look find tell describe check status summary get help explain what search lookup"
)
_STARTING_OVER = _stemmed("over again restart reset")  # as in start_over, not in hand_over
_REQUEST = re.compile(r"\s*(?:please )?(?:can|could|will|would) you\b", re.IGNORECASE)
ASKS_FOR_MORE = re.compile(r"\b(?:else|more|another|further|anything)\b", re.IGNORECASE)
"""A pattern for the words by which a question asks for one thing after another."""
_ELSEWHERE, _START = "reroute_conversation", [stem("start")]
_WHOLE_NAME, _NAME_WORD, _INTENT, _IN_QUESTION = 10, 4, 12, 8
_MOST_ABOUT = 3
WAY_OUT = "You can also say"
"""How the client names the tools that could be called instead of an answer; no part of the question."""
_ALL_INTENTS = frozenset().union(*INTENT_STEMS.values())


def by_words(tool: OfferedTool, situation: Situation) -> int:
    """How strongly the user's words point at a tool by its name and description.

    Earlier messages count half, where the tool waits for values: what needs none was called when it was named, or not.
    """
    earlier = sum(_named(tool, said) for said in situation.said[:-1]) if tool.required else 0
    return _named(tool, situation.words) + earlier // 2


def by_intent(tool: OfferedTool, situation: Situation, tools: Sequence[OfferedTool]) -> int:
    """How strongly a short message such as `that's all`, `cancel` or `yes` points at a tool."""
    tools = [each for each in tools if not _leads_elsewhere(each, tools)]
    if tool not in tools:
        return 0
    said = situation.words
    meant = intents(without_greeting(said.left))
    special = [name for name in meant if name not in ("yes", "no")]
    negated = _negated(said.left)
    if any(_does(each, special, negated) for each in tools):
        return _INTENT if _does(tool, special, negated) else 0
    asked = _last_words(said.asked)
    if ASKS_FOR_MORE.search(asked):
        meant = ["finish" if name == "no" else "more" if name == "yes" else name for name in meant]
        return _INTENT if _does(tool, meant, negated) else 0
    if any(_does(each, meant, negated) for each in tools):
        return _INTENT if _does(tool, meant, negated) else 0
    simple = [each for each in tools if not each.required and not set(each.name_stems) & negated]
    in_question = [each for each in simple if _is_asked_for(each, asked)]
    told_apart = [each for each in in_question if _tells_apart(each, simple, said)]
    if len(told_apart) == 1:
        return _IN_QUESTION if told_apart == [tool] else 0
    if len(in_question) > 1:  # "Is the light on?" names light_is_on more fully than light_is_off
        in_question = [each for each in in_question if set(each.name_stems) <= stems(asked)]
    if "no" in meant:  # what the question did not offer, when there is just one such thing
        others = [each for each in simple if each not in in_question] if in_question else []
        return _IN_QUESTION if others == [tool] else 0
    return _IN_QUESTION if "yes" in meant and tool in in_question else 0


def wants_more(situation: Situation) -> bool:
    """Whether the user says yes to a question such as `Anything else?`, or `another one`."""
    meant = intents(without_greeting(situation.words.left))
    return "more" in meant or ("yes" in meant and ASKS_FOR_MORE.search(_last_words(situation.words.asked)) is not None)


def is_named_whole(tool: OfferedTool, situation: Situation) -> bool:
    """Whether what the user said besides the tools that ran on it holds the tool's whole name."""
    passage = situation.words.copy()
    for ran in situation.ran:
        for word in joined_words(ran.name):
            passage.blank(word)
    return not is_question(passage.left) and _has_whole_name(tool, passage.left)


def _does(tool: OfferedTool, meant: Sequence[str], negated: set[str]) -> bool:
    """Whether the tool's name says that it does one of these things; a name that begins with another thing does not."""
    name = tool.name_stems
    if set(name) & negated:
        return False
    if set(name[:2]) & _STARTING_OVER and "hand" not in name and not set(meant) & {"restart", "retry", "more"}:
        return False  # to start over is no start
    leading = name[:1] if name and name[0] in _ALL_INTENTS else [*name, stem("".join(joined_words(tool.name)))]
    return any(INTENT_STEMS[each] & set(leading) for each in meant)


def _leads_elsewhere(tool: OfferedTool, tools: Sequence[OfferedTool]) -> bool:
    """Whether a tool leaves what the conversation is about: its beginning is a `start`, and no answer to a question."""
    return any(each.name == _ELSEWHERE for each in tools) and (tool.name == _ELSEWHERE or tool.name_stems[:1] == _START)


def _named(tool: OfferedTool, said: Passage) -> int:
    text = with_remove(said.left)
    if is_question(text) and not _REQUEST.match(text) and not set(tool.name_stems[:1]) & _LOOKING:
        return 0
    spoken = stems(text) - _negated(text)
    about = len((stems(tool.description) - _SILENT) & spoken)
    core = _core(tool)
    if takes_back(tool) and spoken & REMOVING:
        spoken |= set(tool.name_stems[:1])  # to drop, to delete and to remove are one
    hits = core & spoken
    if _has_whole_name(tool, text):
        return _WHOLE_NAME + min(about, _MOST_ABOUT)
    first = next((each for each in tool.name_stems if each in core), None)
    if hits and (first in hits or hits == core):
        return _NAME_WORD * len(hits) + min(about, _MOST_ABOUT)
    return min(len(hits) + about, _MOST_ABOUT)


def _is_asked_for(tool: OfferedTool, asked: str) -> bool:
    """Whether a question is about what the tool does: it holds its name, or all of its description."""
    spoken = stems(asked)
    described = {stem(word) for word in words(re.split(r"[.:;]", tool.description)[0])} - _ARTICLES
    return bool(_core(tool)) and (_core(tool) <= spoken or (len(described) > 1 and described <= spoken))


def _tells_apart(tool: OfferedTool, rivals: Sequence[OfferedTool], said: Passage) -> bool:
    """Whether the user said the words of the tool's name that no rival has: `it is off` for light_is_off."""
    others = [set(each.name_stems) for each in rivals if each is not tool]
    own = set(tool.name_stems).difference(*others)
    return bool(others) and bool(own) and own <= stems(said.left) and not is_question(said.left)


def _core(tool: OfferedTool) -> set[str]:
    """The stems in a tool's name that tell it from others."""
    return set(tool.name_stems) - _SILENT - _BEGINNING


def _has_whole_name(tool: OfferedTool, text: str) -> bool:
    """Whether the tool's name stands in the text, in one word or several: `check out` names `checkout`."""
    if not set(tool.name_stems) - _SILENT:
        return False
    spoken = [stem(word) for word in words(text)]
    name = tool.name_stems
    in_a_row = any(spoken[place : place + len(name)] == name for place in range(len(spoken) - len(name) + 1))
    return (in_a_row or stem("".join(joined_words(tool.name))) in stems(text)) and not set(name) & _negated(text)


def _negated(text: str) -> set[str]:
    """The stems right behind a `not`."""
    behind = re.findall(
        r"(?:\bnot|n't|\bnever) +(?:want +(?:to +)?|to +|the +|any +)?(\w+(?: \w+)?)", text, re.IGNORECASE
    )
    return set().union(*(stems(each) for each in behind)) if behind else set()


def _last_words(asked: str) -> str:
    """The last sentence or two of what the user was asked, without what could be said instead."""
    return " ".join(re.split(r"(?<=[.!?])\s+", asked.strip()[-600:].split(WAY_OUT)[0].strip())[-2:])
