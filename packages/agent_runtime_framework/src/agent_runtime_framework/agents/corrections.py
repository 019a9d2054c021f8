"""Which journeys have corrections, which runs may correct, and what follows from a tool of the journey's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from agent_runtime_core.messages import MessageDict
from agent_runtime_framework.agents.context import AgentContext
from agent_runtime_framework.agents.defaults import is_default
from agent_runtime_framework.tools import ToolResult
from agent_runtime_framework.tools.answers import Answers
from agent_runtime_framework.tools.correction_tools import NAMES
from agent_runtime_framework.tools.corrections import Corrections
from agent_runtime_framework.tools.notes import JourneyNotes

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["corrections_of", "followed", "has_corrections", "hear", "known_corrections"]

_KEPT = "__journey_corrections__"


async def corrections_of(agent: JourneyAgent[Any, Any, Any] | type[JourneyAgent[Any, Any, Any]]) -> Corrections | None:
    """What can be corrected in a journey, an agent or its class; None when it has no corrections.

    All that depends on the class alone is found out once for it, at its first run, in a thread: the tools' sources are
    read for it.
    """
    if not has_corrections(agent):
        return None
    agent_class = agent if isinstance(agent, type) else type(agent)
    if _KEPT not in vars(agent_class):
        setattr(agent_class, _KEPT, await asyncio.to_thread(_found, agent_class))
    found: Corrections = vars(agent_class)[_KEPT]
    return found


async def followed(
    corrections: Corrections,
    state: Any,
    begin: Callable[[], Any],
    notes: JourneyNotes,
    name: str,
    work: Callable[[], Awaitable[Any]],
) -> Any:
    """Run a tool of the journey's own, and let follow from it what has to.

    Args:
        corrections: What can be corrected in the journey.
        state: Its state.
        begin: Gives the state that it begins with.
        notes: What is remembered of the journey beside its state.
        name: The tool.
        work: Runs it.
    """
    step, before = state.get_step(), corrections.before_tool(state, notes)
    result = await work()
    if result.__class__ is not str and isawaitable(result):  # an `await` was forgotten
        result = await result
    if not (isinstance(result, ToolResult) and not result.success):
        corrections.after_tool(name, step, before, state, begin, notes)
    return result


def known_corrections(agent: JourneyAgent[Any, Any, Any], *, start_differs: bool = False) -> Corrections | None:
    """The same for a journey whose class has been read before.

    Args:
        agent: The journey.
        start_differs: Whether it may begin with another state than its own first one.
    """
    found: Corrections | None = vars(type(agent)).get(_KEPT) if has_corrections(agent) else None
    return found.for_any_start() if found is not None and start_differs else found


def hear(ctx: AgentContext, messages: Sequence[MessageDict], *, is_users: bool) -> None:
    """Note what a run answers: only a message of the user can ask for corrections, and only with those does it begin.

    Args:
        ctx: The request.
        messages: The conversation. What an earlier run has done on the user's message stands behind it.
        is_users: Whether the message is the user's; a person's answer to an approval and a reminder are messages, too.
    """
    last = _role(messages[-1]) if messages else None
    heard = ctx.notes.travel.begin_run(is_message=is_users and last in {"user", "tool"})
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


def has_corrections(agent: JourneyAgent[Any, Any, Any] | type[JourneyAgent[Any, Any, Any]]) -> bool:
    """Whether the class asks for corrections, or says nothing of them and leaves its offer to its declared tools."""
    wanted, declared = agent.corrections, agent.declared
    if wanted is None:
        wanted = agent._offers_what_is_declared and bool(declared.tools)
    return wanted and declared.step_class is not None


def _found(agent_class: type[JourneyAgent[Any, Any, Any]]) -> Corrections:
    declared = agent_class.declared
    assert declared.step_class is not None  # or it has none
    answers = Answers(declared.tools, declared.tools_class, declared.state_class, declared.step_class)
    starts_alike = is_default(agent_class.get_initial_state) and declared.state_class is not None
    untouched = declared.state_class() if starts_alike and declared.state_class is not None else None
    return Corrections(answers, untouched, writes_offer=not agent_class._offers_what_is_declared)
