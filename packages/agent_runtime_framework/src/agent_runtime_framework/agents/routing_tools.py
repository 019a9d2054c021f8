"""What a router offers and tells beside what the present journey does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent_runtime_framework.agents.router_state import RouterState
from agent_runtime_framework.router.intent import create_reroute_tool
from agent_runtime_framework.tools import ToolSchema

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_router import JourneyRouter

__all__ = ["REROUTE", "standing_words", "ways"]

REROUTE = create_reroute_tool()


def ways(router: JourneyRouter, held: RouterState) -> Iterator[ToolSchema]:
    """The routing tools that are offered now.

    Args:
        router: The router.
        held: What it holds of the conversation.
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


def standing_words(router: JourneyRouter, held: RouterState) -> Iterator[str]:
    """What the model is told of how things stand between the journeys, beside the prompt of the step.

    Args:
        router: The router.
        held: What it holds of the conversation.
    """
    if held.news:
        yield held.news
    for journey, registered in router.journeys.items():
        if held.find(journey) is None and (missing := registered.missing(held.profile)):
            yield f"Not available now: {journey} (it needs: {', '.join(missing)})."
