"""Which journeys have corrections."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agent_runtime_framework.tools.corrections import Corrections

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["corrections_of"]

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
