"""Which journeys have corrections, and what follows there from a tool of the journey's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from agent_runtime_framework.tools import ToolResult
from agent_runtime_framework.tools.corrections import Corrections
from agent_runtime_framework.tools.notes import JourneyNotes

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["corrections_of", "followed"]

_KEPT = "__journey_corrections__"


async def corrections_of(agent_class: type[JourneyAgent[Any, Any, Any]]) -> Corrections | None:
    """What can be corrected in a journey; None when it has no corrections.

    The tools' sources are read once for each class, at its first run, in a thread.
    """
    declared = agent_class.declared
    if not agent_class.corrections or declared.step_class is None:
        return None
    found: Corrections | None = vars(agent_class).get(_KEPT)
    if found is None:
        found = await asyncio.to_thread(
            Corrections, declared.tools, declared.tools_class, declared.state_class, declared.step_class
        )
        setattr(agent_class, _KEPT, found)
    return found


async def followed(
    corrections: Corrections,
    journey: JourneyAgent[Any, Any, Any],
    state: Any,
    notes: JourneyNotes,
    name: str,
    work: Callable[[], Awaitable[Any]],
) -> Any:
    """Run a tool of the journey's own, and let follow from it what has to.

    Args:
        corrections: What can be corrected in the journey.
        journey: The journey.
        state: Its state.
        notes: What is remembered of the journey beside its state.
        name: The tool.
        work: Runs it.
    """
    step, before = state.get_step(), corrections.before_tool(state)
    result = await work()
    if result.__class__ is not str and isawaitable(result):  # an `await` was forgotten
        result = await result
    if not (isinstance(result, ToolResult) and not result.success):
        corrections.after_tool(name, step, before, state, journey.get_initial_state(), notes)
    return result
