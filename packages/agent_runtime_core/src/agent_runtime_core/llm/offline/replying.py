"""One answer: a tool call when the values are there, else the words that come next."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent_runtime_core.llm.offline.choosing import Choice, after_refusal, choose, choose_next
from agent_runtime_core.llm.offline.conversation import Situation
from agent_runtime_core.llm.offline.dropping import without_dropped
from agent_runtime_core.llm.offline.filling import Filling
from agent_runtime_core.llm.offline.passage import Passage
from agent_runtime_core.llm.offline.questions import next_question
from agent_runtime_core.llm.offline.schema import OfferedTool, read_tools
from agent_runtime_core.llm.offline.taking_back import (
    TakenBack,
    as_answer,
    asked_back,
    set_apart,
    taken_back,
    to_be_said_again,
)
from agent_runtime_core.llm.offline.wording import (
    closing_words,
    is_asking,
    is_courtesy,
    news,
    opening,
    result_words,
    way_out,
)

__all__ = ["Reply", "reply_to"]

_LED_HERE = re.compile(r"\bThe user has (?:just )?(?:come (?:to|back)|given up|turned away)\b")
"""What a prompt says of a user whose last message was acted upon already."""
_CANCELLED = 'This is cancelled. To begin anew, say "start again".'


@dataclass(frozen=True, slots=True)
class Reply:
    """What the client answers."""

    text: str
    """The words for the user; empty with a call."""
    call: dict[str, Any] | None = None
    """A tool call in OpenAI's form; None for an answer in words."""


def reply_to(situation: Situation, tools: Any, tool_choice: Any = None) -> Reply:
    """The answer to a conversation.

    Args:
        situation: Where the conversation stands.
        tools: The offered tools in OpenAI's form, or None.
        tool_choice: `none`, `auto`, `required`, or one tool in OpenAI's form; anything else counts as `auto`.
    """
    offered = read_tools(tools) if tool_choice != "none" else []
    named = _named_tool(tool_choice)
    if named is not None:
        offered = [tool for tool in offered if tool.name == named]
    must_call = tool_choice == "required" or named is not None
    offered, apart = (offered, {}) if must_call else set_apart(offered)
    if situation.ran:
        return _after_results(situation, offered)
    situation = without_dropped(offered, situation)
    back = asked_back(apart, offered, situation) if apart and not situation.has_dropped else None
    if back is not None:
        return Reply("", _call(back, situation))
    if not offered:
        return Reply(_CANCELLED if list(apart) == ["start_again"] else closing_words(situation))
    if apart:
        situation = as_answer(offered, situation)
    if _LED_HERE.search(situation.prompt):
        situation = replace(situation, said=situation.said[-1:])
        choice = replace(choose_next(offered, situation), is_understood=True)
    else:
        choice = choose(offered, _reopened(situation, offered), must_call=must_call)
    if choice.ready is not None:
        return Reply("", _call(choice.ready, situation))
    return Reply(_asking(choice, situation, offered))


def _after_results(situation: Situation, offered: list[OfferedTool]) -> Reply:
    """The next call that the user's message evidently holds, or the results and what comes next."""
    come_of = taken_back(situation.ran[-1])
    if come_of is not None:
        return _after_taking_back(come_of, situation, offered)
    situation = replace(situation, ran=[each for each in situation.ran if taken_back(each) is None])
    choice = choose_next(offered, situation) if offered else Choice()
    if choice.ready is not None:
        return Reply("", _call(choice.ready, situation))
    text = result_words(situation.ran)
    if not offered:
        return Reply(f"{text} {closing_words(situation)}".strip())
    if not is_asking(text):
        question = next_question(offered, choice.pending, situation, again=False)
        text = " ".join(filter(None, [text, news(situation), question]))
    return Reply(text.strip())


def _after_taking_back(come_of: TakenBack, situation: Situation, offered: list[OfferedTool]) -> Reply:
    """The new answer, if the user's message holds it, or the question that is open now."""
    if come_of.is_question or come_of.is_over:
        return Reply(come_of.words)
    nothing_said = replace(
        situation, said=[Passage("")], ran=[], before=None, said_before=[], ran_before=[], has_dropped=False
    )
    if not offered:
        return Reply(f"{come_of.words} {closing_words(nothing_said)}".strip())
    choice = choose(offered, nothing_said)
    wanted = to_be_said_again(come_of.field, offered, situation) if come_of.field else None
    if wanted is not None:
        tool, refused = wanted
        answer = as_answer([tool], replace(situation, ran=[]))
        if answer.words is not situation.words:
            choice = choose([tool], replace(nothing_said, said=[answer.words], before=refused))
        else:
            choice = Choice(None, after_refusal(tool, refused))
    if choice.ready is not None:
        return Reply("", _call(choice.ready, situation))
    return Reply(f"{come_of.words} {next_question(offered, choice.pending, nothing_said, again=False)}".strip())


def _reopened(situation: Situation, offered: list[OfferedTool]) -> Situation:
    """The situation with what else was said for a tool, when one of its answers was reopened just before."""
    come_of = taken_back(situation.before) if situation.before is not None else None
    wanted = to_be_said_again(come_of.field, offered, situation) if come_of is not None and come_of.field else None
    return situation if wanted is None else replace(situation, before=wanted[1])


def _asking(choice: Choice, situation: Situation, offered: list[OfferedTool]) -> str:
    """The open question, with what has to be said before it."""
    pending, understood = choice.pending, choice.is_understood or situation.has_dropped
    is_first = not situation.words.asked
    again = not understood and not is_first and not is_courtesy(situation.words.left)
    before = opening(situation, is_first=is_first, understood=understood) or (news(situation) if understood else "")
    question = next_question(offered, pending, situation, again=again, is_answer=understood)
    return f"{before} {question}{way_out(offered) if again and pending is not None else ''}".strip()


def _call(filling: Filling, situation: Situation) -> dict[str, Any]:
    """The call in OpenAI's form; its id counts the calls of the conversation."""
    arguments = json.dumps(filling.arguments, ensure_ascii=False)
    return {
        "id": f"call_{situation.calls_made + 1}",
        "type": "function",
        "function": {"name": filling.tool.name, "arguments": arguments},
    }


def _named_tool(tool_choice: Any) -> str | None:
    """The one tool that a tool choice names; None when it names none."""
    if not isinstance(tool_choice, Mapping):
        return None
    function = tool_choice.get("function")
    name = function.get("name") if isinstance(function, Mapping) else tool_choice.get("name")
    return name if isinstance(name, str) else None
