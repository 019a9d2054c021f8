"""A thing that the user began to order and drops: `no` to `How many?`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from agent_runtime_core.llm.offline.conversation import Situation
from agent_runtime_core.llm.offline.filling import fill
from agent_runtime_core.llm.offline.intents import INTENT_STEMS
from agent_runtime_core.llm.offline.labels import mentioned
from agent_runtime_core.llm.offline.naming import ASKS_FOR_MORE
from agent_runtime_core.llm.offline.passage import Passage
from agent_runtime_core.llm.offline.refusals import kept_from
from agent_runtime_core.llm.offline.schema import OfferedTool
from agent_runtime_core.llm.offline.speech import lines_of

__all__ = ["without_dropped"]

_BARE_NO = re.compile(
    r"\s*(?:(?:oh|ok(?:ay)?|well|actually|hm+|sorry)[\s,.!]+)*"
    r"(?:no|nope|nah|none|never ?mind|forget (?:it|that|about it))(?:[\s,.!]+(?:thanks|thank you|sorry))*[\s.!]*",
    re.IGNORECASE,
)


def without_dropped(tools: Sequence[OfferedTool], situation: Situation) -> Situation:
    """The situation without what the user began to say for a call and took back with a bare `no`.

    Only where one thing after another may be said: elsewhere a `no` would throw away half a form.
    """
    for place in range(len(situation.said) - 1, -1, -1):
        passage = situation.said[place]
        if not _BARE_NO.fullmatch(passage.left) or not _goes_on(tools, situation):
            continue
        begun = replace(situation, said=situation.said[:place])
        if any(_is_asked_for_rest(tool, begun, passage.asked) for tool in tools):
            rest = situation.said[place + 1 :]
            said = rest or [Passage("", passage.asked)]
            return replace(situation, said=said, before=None, said_before=[], ran_before=[], has_dropped=not rest)
    return situation


def _goes_on(tools: Sequence[OfferedTool], situation: Situation) -> bool:
    """Whether there is more to do than to fill one form: the user is asked for more, or may finish."""
    asked = [line.text for line in lines_of(situation.prompt) if line.kind == "asks"]
    asked += re.findall(r"[^.!?\n]+\?", situation.told)
    return any(ASKS_FOR_MORE.search(each) for each in asked) or any(
        not tool.required and INTENT_STEMS["finish"] & set(tool.name_stems) for tool in tools
    )


def _is_asked_for_rest(tool: OfferedTool, begun: Situation, asked: str) -> bool:
    """Whether a tool had some of its values, and the question was for the next one."""
    known = set(fill(tool, begun).values) | set(kept_from(tool, begun.before) if begun.before else ())
    missing = [each for each in tool.required if each.path not in known and each.type != "boolean"]
    return bool(known) and bool(mentioned(missing[:1], asked))
