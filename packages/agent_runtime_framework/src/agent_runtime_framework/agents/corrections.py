"""Which journeys have corrections, and which runs may correct."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agent_runtime_core.messages import MessageDict
from agent_runtime_framework.agents.context import AgentContext
from agent_runtime_framework.agents.defaults import is_default
from agent_runtime_framework.agents.turn import Incoming
from agent_runtime_framework.agents.verdict import Verdict
from agent_runtime_framework.tools.answers import Answers
from agent_runtime_framework.tools.correction_tools import NAMES
from agent_runtime_framework.tools.corrections import Corrections

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["corrections_of", "hear", "known_corrections"]

_KEPT = "__journey_corrections__"


async def corrections_of(agent: JourneyAgent[Any, Any, Any]) -> Corrections | None:
    """What can be corrected in a journey; None when it has no corrections.

    All that depends on the class alone is found out once for it, at its first run, in a thread: the tools' sources are
    read for it.
    """
    if not _has_corrections(agent):
        return None
    if _KEPT not in vars(type(agent)):
        setattr(type(agent), _KEPT, await asyncio.to_thread(_found, type(agent)))
    return known_corrections(agent)


def known_corrections(agent: JourneyAgent[Any, Any, Any]) -> Corrections | None:
    """The same for a journey whose class has been read before."""
    found: Corrections | None = vars(type(agent)).get(_KEPT) if _has_corrections(agent) else None
    return found


def hear(
    ctx: AgentContext, messages: Sequence[MessageDict], incoming: Incoming | None, verdict: Verdict | None
) -> None:
    """Note what a run answers: only a message of the user can ask for corrections, and only with those does it begin.

    Args:
        ctx: The request.
        messages: The conversation. What an earlier run has done on the user's message stands behind it.
        incoming: The message, in a conversation that the agent keeps.
        verdict: A person's answer to an approval, which is told as a message.
    """
    last = _role(messages[-1]) if messages else None
    message_id = str(ctx.run_id) if incoming is None else incoming.message_id
    heard = ctx.notes.travel.begin_run(message_id, is_message=verdict is None and last in {"user", "tool"})
    if last == "user":
        return
    first: MessageDict | None = None
    for message in reversed(messages):
        if _role(message) == "user":
            break
        first = message if _role(message) == "tool" else first
    if first is not None:
        heard.began_with = "correction" if first.get("name") in NAMES else "tool"


def _role(message: Any) -> Any:
    return message.get("role") if isinstance(message, dict) else None


def _has_corrections(agent: JourneyAgent[Any, Any, Any]) -> bool:
    """Whether the class asks for corrections, or says nothing of them and leaves its offer to its declared tools."""
    declared = agent.declared
    if declared.step_class is None or agent.corrections is False:
        return False
    return bool(agent.corrections) or (bool(declared.tools) and is_default(type(agent).get_tool_schemas))


def _found(agent_class: type[JourneyAgent[Any, Any, Any]]) -> Corrections:
    declared = agent_class.declared
    assert declared.step_class is not None  # or it has none
    answers = Answers(declared.tools, declared.tools_class, declared.state_class, declared.step_class)
    starts_alike = is_default(agent_class.get_initial_state) and declared.state_class is not None
    untouched = declared.state_class() if starts_alike and declared.state_class is not None else None
    return Corrections(answers, untouched, writes_offer=not is_default(agent_class.get_tool_schemas))
