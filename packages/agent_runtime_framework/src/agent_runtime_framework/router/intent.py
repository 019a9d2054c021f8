"""Leading a user to a journey: routes as tools for the model, keywords where no model is asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, Self

from agent_runtime_core.errors import ConfigError
from agent_runtime_framework.router.detector import IntentDetector
from agent_runtime_framework.router.route import JourneyT, RouteDefinition, RouteResult
from agent_runtime_framework.tools import ToolSchema, schemas_to_openai_format

__all__ = ["IntentDetector", "IntentRouter", "RouteDefinition", "RouteResult", "create_reroute_tool"]


class IntentRouter(Generic[JourneyT]):
    """Knows the routes to the journeys, offers them to a model as tools and reads its choice.

    Args:
        fallback_detector: Finds a journey without a model, for `detect_fallback`; without it, the keywords
            of the routes do.
    """

    def __init__(self, fallback_detector: IntentDetector[JourneyT] | None = None) -> None:
        self.fallback_detector = fallback_detector
        self._routes: dict[str, RouteDefinition[JourneyT]] = {}

    def add_route(self, route: RouteDefinition[JourneyT]) -> Self:
        """Add a route, and return the router; a new definition of a known route takes its place.

        Raises:
            ConfigError: A route of this name leads to another journey.
        """
        known = self._routes.get(route.name)
        if known is not None and known.journey != route.journey:
            raise ConfigError(
                f"route {route.name!r} leads to {known.journey!r} and cannot lead to {route.journey!r}, too; "
                f"give one of them another name."
            )
        self._routes[route.name] = route
        return self

    def add_routes(self, routes: Iterable[RouteDefinition[JourneyT]]) -> Self:
        """Add several routes, and return the router.

        Raises:
            ConfigError: A route's name is taken by a route to another journey.
        """
        for route in routes:
            self.add_route(route)
        return self

    def get_tool_schemas(self) -> list[ToolSchema]:
        """The routes as tools for the model, in the order in which they were added."""
        return [route.to_tool_schema() for route in self._routes.values()]

    def get_tool_schemas_openai(self) -> list[dict[str, Any]]:
        """The routes as tools in OpenAI's form."""
        return schemas_to_openai_format(self.get_tool_schemas())

    def resolve_tool_call(self, tool_name: str) -> JourneyT | None:
        """The journey that this tool leads to; None when it is none of the routes."""
        route = self._routes.get(tool_name)
        return None if route is None else route.journey

    def is_routing_tool(self, name: str) -> bool:
        """Whether a tool of this name is one of the routes."""
        return name in self._routes

    def detect_fallback(self, message: str) -> RouteResult[JourneyT] | None:
        """The journey that the message is about, found by keywords; None when they say nothing.

        Raises:
            ConfigError: A route has an empty keyword.
        """
        detector = self.fallback_detector
        if detector is None:
            detector = IntentDetector()
            for route in self._routes.values():
                detector.add_keywords(route.journey, route.keywords)
        return detector.detect(message)

    @property
    def route_names(self) -> list[str]:
        """The names of the routes, in the order in which they were added."""
        return list(self._routes)

    @property
    def journeys(self) -> list[JourneyT]:
        """Where the routes lead, in the same order."""
        return [route.journey for route in self._routes.values()]


def create_reroute_tool() -> ToolSchema:
    """A tool with which the model says that the user wants something else than the present journey."""
    return ToolSchema(
        "reroute_conversation",
        "Call this when the user wants something other than what the current journey is about, "
        "so that the conversation can be led to another journey.",
    )
