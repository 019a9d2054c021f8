"""Which of the offered tools the user's words call for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent_runtime_core.llm.offline.conversation import Ran, Situation
from agent_runtime_core.llm.offline.filling import Filling, fill, fill_evident, fill_next_listed, refill
from agent_runtime_core.llm.offline.intents import INTENT_STEMS, intents
from agent_runtime_core.llm.offline.naming import by_intent, by_words, is_named_whole, wants_more
from agent_runtime_core.llm.offline.passage import Sure, words
from agent_runtime_core.llm.offline.phrases import is_question
from agent_runtime_core.llm.offline.refusals import kept_from
from agent_runtime_core.llm.offline.removal import takes_back
from agent_runtime_core.llm.offline.schema import OfferedTool

__all__ = ["Choice", "after_refusal", "choose", "choose_next"]

_VALUE = {Sure.EVIDENT: 6, Sure.LIKELY: 3, Sure.PLAIN: 2}
_MAX_CHAIN = 8
_ENOUGH_WORDS, _NAMED = 2, 4


@dataclass(slots=True)
class Choice:
    """What the rules make of a message."""

    ready: Filling | None = None
    """The tool to call, with all that it needs; None when something is missing or nothing fits."""
    pending: Filling | None = None
    """The tool whose next value should be asked for; None when no tool takes values."""
    is_understood: bool = False
    """Whether the message was of use although a value is still missing."""


def choose(tools: Sequence[OfferedTool], situation: Situation, *, must_call: bool = False) -> Choice:
    """The tool that the user's last message calls for.

    Args:
        tools: The tools that are offered.
        situation: The conversation.
        must_call: Whether some tool has to be called: then one that needs nothing more is, even unasked for.
    """
    retried = _retried(tools, situation)
    if retried is not None:
        return Choice(retried, retried)
    fillings = [fill(tool, situation) for tool in tools]
    named = [by_words(tool, situation) + by_intent(tool, situation, tools) for tool in tools]
    scored = [
        (_by_values(filling, situation) + words_score, words_score, filling)
        for filling, words_score in zip(fillings, named, strict=True)
    ]
    ready = [each for each in scored if not each[2].missing and each[0] > 0 and _is_meant(each[2], each[1], situation)]
    partial = [each for each in scored if each[2].missing]
    best = max(ready, key=lambda each: each[0], default=None)
    most = max(partial, key=lambda each: each[0], default=None)
    if best is not None:
        rivals = [each for each in ready if each[0] == best[0] and not each[2].values]
        is_tied = not best[2].values and len(rivals) > 1
        if is_tied or (most is not None and most[1] > 0 and most[0] > best[0]):
            best = None
    if best is None and must_call:
        best = next((each for each in scored if not each[2].missing), None)
    understood = most is not None and (bool(most[2].fresh) or most[1] >= _NAMED or wants_more(situation))
    return Choice(best[2] if best else None, most[2] if most else None, understood)


def choose_next(tools: Sequence[OfferedTool], situation: Situation) -> Choice:
    """What comes after tools have run on the user's message, or it has led here.

    Another tool is called only when the message evidently holds what it needs, and never one again with the same
    arguments; after a failure none is.
    """
    last = situation.ran[-1] if situation.ran else None
    if last is not None and last.failed:
        again = [after_refusal(tool, last) for tool in tools if tool.required]
        return Choice(None, next((each for each in again if each.tool.name == last.name), again[0] if again else None))
    partial: list[Filling] = []
    for tool in tools:
        filling = _for_rest(tool, situation)
        done = [ran.arguments for ran in situation.ran if ran.name == tool.name]
        if filling is not None and not filling.missing and filling.arguments not in done:
            if len(situation.ran) < _MAX_CHAIN:
                return Choice(filling)
        elif tool.required:
            begun = filling if filling is not None and filling.missing else None
            partial.append(begun or (Filling(tool) if last is None else after_refusal(tool, last)))
    return Choice(None, max(partial, key=lambda each: len(each.values), default=None))


def after_refusal(tool: OfferedTool, last: Ran) -> Filling:
    """What a tool still has to be told: what its last call turned down, else everything."""
    filling = Filling(tool, kept_from(tool, last))
    return filling if filling.missing else Filling(tool)


def _for_rest(tool: OfferedTool, situation: Situation) -> Filling | None:
    """What the message still holds for a tool after others have run on it; None when it does not speak of it."""
    if any(ran.name == tool.name for ran in situation.ran):
        return fill_next_listed(tool, situation)
    if not tool.parameters:
        return Filling(tool) if is_named_whole(tool, situation) else None
    if takes_back(tool) and not by_words(tool, situation):
        return None
    filling = fill_evident(tool, situation.said, situation.ran)
    return filling if filling.values else None


def _retried(tools: Sequence[OfferedTool], situation: Situation) -> Filling | None:
    """The last call once more, when the user asks for that and no other tool is there to do it."""
    last, said = situation.before, situation.words
    if last is None:
        return None
    meant = intents(said.left)
    offered = {"again", "retry"} & set(words(said.asked[-300:]))
    if "retry" not in meant and not ("yes" in meant and offered):
        return None
    if any(not tool.required and INTENT_STEMS["retry"] & set(tool.name_stems) for tool in tools):
        return None
    tool = next((tool for tool in tools if tool.name == last.name and tool.required), None)
    filling = refill(tool, last) if tool is not None else None
    return filling if filling is not None and not filling.missing else None


def _by_values(filling: Filling, situation: Situation) -> int:
    """How much the values speak for a tool; those of the last message count most."""
    fresh = sum(_VALUE[found.sure] for path, found in filling.values.items() if path in filling.fresh)
    return fresh + sum(1 for path in filling.values if path not in filling.fresh)


def _is_meant(filling: Filling, words_score: int, situation: Situation) -> bool:
    """Whether the tool may be called: its values are there, or the words name it."""
    if takes_back(filling.tool) and words_score < _NAMED:
        return False
    if filling.tool.required:
        return bool(filling.fresh) or not is_question(situation.words.left)
    return words_score >= _ENOUGH_WORDS or bool(filling.fresh and (filling.surest or 0) >= Sure.LIKELY)
