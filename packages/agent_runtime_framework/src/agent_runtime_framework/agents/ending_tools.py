"""Which tools end a run: those of whoever talks when they are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["EndingTools"]


class EndingTools:
    """The names of the tools whose success ends a run. Who talks may be settled, or change, after the run has begun.

    Args:
        talker: Gives the journey that talks now.
    """

    __slots__ = ("_talker",)

    def __init__(self, talker: Callable[[], JourneyAgent[Any, Any, Any]]) -> None:
        self._talker = talker

    def __contains__(self, name: object) -> bool:
        journey = self._talker()
        return name in journey._ending_tools or name in journey.config.terminal_tools
