"""The tools that a router offers inside of every journey."""

from __future__ import annotations

from agent_runtime_framework.router.intent import create_reroute_tool
from agent_runtime_framework.tools import ToolSchema

__all__ = ["CANCEL", "CONFIRM_CANCEL", "REROUTE"]

REROUTE = create_reroute_tool()
CANCEL = ToolSchema(
    "cancel_journey",
    "Call this when the user wants to give up the current journey for good. Nothing is given up by it yet: the user "
    "is asked first.",
)
CONFIRM_CANCEL = ToolSchema(
    "confirm_cancel_journey",
    "Call this when the user has just said yes to giving up the current journey. Its data is lost.",
)
