"""What a router offers and tells beside what the present journey does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent_runtime_framework.agents.router_state import RouterState
from agent_runtime_framework.router.intent import create_reroute_tool
from agent_runtime_framework.tools import ToolSchema

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_router import JourneyRouter

__all__ = ["CANCEL", "CONFIRM_CANCEL", "REROUTE", "standing_words", "ways"]

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


def ways(router: JourneyRouter, held: RouterState, *, may_confirm: bool) -> Iterator[ToolSchema]:
    """The routing tools that are offered now.

    Args:
        router: The router.
        held: What it holds of the conversation.
        may_confirm: Whether the user was asked, with the last answer, if they want to give the present journey up.
    """
    present = held.present
    for journey, registered in router.journeys.items():
        if present is not None and journey == present.journey:
            continue
        schema = registered.route.to_tool_schema()
        if held.find(journey) is not None:
            yield ToolSchema(schema.name, f"Go back to it; the user has interrupted it. {schema.description}")
        elif not registered.missing(held.profile):
            yield schema
    if present is not None and not present.handed_over:
        yield REROUTE
        yield CANCEL
        if may_confirm:
            yield CONFIRM_CANCEL


def standing_words(router: JourneyRouter, held: RouterState, *, may_confirm: bool) -> Iterator[str]:
    """What the model is told of how things stand between the journeys, beside the prompt of the step.

    Args:
        router: The router.
        held: What it holds of the conversation.
        may_confirm: As for `ways`.
    """
    present = held.present
    if news := held.news if present is None else present.news:
        yield news
    if may_confirm:
        yield (
            "The user was asked whether to give this up. If they have clearly said yes, call "
            "confirm_cancel_journey; otherwise go on as before."
        )
    for journey, registered in router.journeys.items():
        if held.find(journey) is None and (missing := registered.missing(held.profile)):
            yield f"Not available now: {journey} (it needs: {', '.join(missing)})."
