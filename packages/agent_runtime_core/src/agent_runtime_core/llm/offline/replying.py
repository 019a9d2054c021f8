"""One answer: a tool call when the values are there, else the words that come next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent_runtime_core.llm.offline.choosing import Choice, choose, choose_next
from agent_runtime_core.llm.offline.conversation import Situation
from agent_runtime_core.llm.offline.dropping import without_dropped
from agent_runtime_core.llm.offline.filling import Filling
from agent_runtime_core.llm.offline.questions import next_question
from agent_runtime_core.llm.offline.schema import OfferedTool, read_tools
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
    if situation.ran:
        return _after_results(situation, offered)
    if not offered:
        return Reply(closing_words(situation))
    situation = without_dropped(offered, situation)
    choice = choose(offered, situation, must_call=tool_choice == "required" or named is not None)
    if choice.ready is not None:
        return Reply("", _call(choice.ready, situation))
    return Reply(_asking(choice, situation, offered))


def _after_results(situation: Situation, offered: list[OfferedTool]) -> Reply:
    """The next call that the user's message evidently holds, or the results and what comes next."""
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


def _asking(choice: Choice, situation: Situation, offered: list[OfferedTool]) -> str:
    """The open question, with what has to be said before it."""
    pending, understood = choice.pending, choice.is_understood or situation.has_dropped
    is_first = not situation.words.asked
    again = not understood and not is_first and not is_courtesy(situation.words.left)
    before = opening(situation, is_first=is_first, understood=understood)
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
