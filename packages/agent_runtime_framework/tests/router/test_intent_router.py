"""Routes to journeys, as tools for the model."""

from __future__ import annotations

from enum import StrEnum

import pytest

from agent_runtime_core.errors import ConfigError
from agent_runtime_framework.router import IntentDetector, IntentRouter, RouteDefinition, RouteResult
from agent_runtime_framework.router.intent import create_reroute_tool


class Journey(StrEnum):
    QUOTE = "quote"
    CLAIM = "claim"


QUOTE = RouteDefinition(Journey.QUOTE, "start_quote", "Get a new insurance quote", keywords=["quote", "price"])
CLAIM = RouteDefinition(journey=Journey.CLAIM, name="file_claim", description="File or check on a claim")


def test_routes_are_tools_without_parameters_in_the_order_of_adding() -> None:
    router = IntentRouter[Journey]().add_route(QUOTE).add_routes([CLAIM])

    assert [(tool.name, tool.description, tool.parameters) for tool in router.get_tool_schemas()] == [
        ("start_quote", "Get a new insurance quote", []),
        ("file_claim", "File or check on a claim", []),
    ]
    assert router.get_tool_schemas_openai()[1] == {
        "type": "function",
        "function": {
            "name": "file_claim",
            "description": "File or check on a claim",
            "parameters": {"type": "object", "properties": {}, "required": []},
        },
    }
    assert router.route_names == ["start_quote", "file_claim"]
    assert router.journeys == [Journey.QUOTE, Journey.CLAIM]


def test_a_tool_call_leads_to_its_journey() -> None:
    router = IntentRouter[Journey]().add_route(QUOTE)

    assert router.resolve_tool_call("start_quote") is Journey.QUOTE
    assert router.is_routing_tool("start_quote")


def test_any_other_tool_leads_nowhere() -> None:
    router = IntentRouter[Journey]().add_route(QUOTE)

    assert router.resolve_tool_call("save_name") is None
    assert not router.is_routing_tool("save_name")


def test_a_name_cannot_lead_to_two_journeys() -> None:
    router = IntentRouter[Journey]().add_route(QUOTE)

    with pytest.raises(ConfigError, match=r"'start_quote'.*Journey\.QUOTE.*Journey\.CLAIM"):
        router.add_route(RouteDefinition(Journey.CLAIM, "start_quote", "Something else"))

    assert router.resolve_tool_call("start_quote") is Journey.QUOTE


def test_a_route_can_be_described_anew() -> None:
    router = IntentRouter[Journey]().add_routes([QUOTE, CLAIM])

    router.add_route(RouteDefinition(Journey.QUOTE, "start_quote", "Prices"))

    assert [tool.description for tool in router.get_tool_schemas()] == ["Prices", "File or check on a claim"]


def test_the_fallback_detector_has_the_say_when_there_is_one() -> None:
    detector = IntentDetector[Journey]().add_keywords(Journey.CLAIM, ["accident"])
    router = IntentRouter[Journey](fallback_detector=detector).add_route(QUOTE)

    assert router.detect_fallback("I had an accident") == RouteResult(Journey.CLAIM, 1.0)
    assert router.detect_fallback("What is the price?") is None


def test_without_a_detector_the_keywords_of_the_routes_serve() -> None:
    router = IntentRouter[Journey]().add_routes([QUOTE, CLAIM])

    assert router.detect_fallback("What is the PRICE?") == RouteResult(Journey.QUOTE, 0.5)
    assert router.detect_fallback("I had an accident") is None


def test_two_routes_to_one_journey_share_their_keywords() -> None:
    router = IntentRouter[Journey]().add_routes(
        [QUOTE, RouteDefinition(Journey.QUOTE, "renew", "Renew", keywords=["renew", "price"])]
    )

    assert router.detect_fallback("renew at which price?") == RouteResult(Journey.QUOTE, 2 / 3)


def test_a_journey_may_be_anything_even_what_cannot_be_hashed() -> None:
    router = IntentRouter[dict[str, str]]()

    router.add_route(RouteDefinition({"id": "quote"}, "start_quote", "Prices", keywords=["price"]))

    assert router.resolve_tool_call("start_quote") == {"id": "quote"}
    assert router.detect_fallback("price?") == RouteResult({"id": "quote"})


def test_the_reroute_tool_says_when_it_is_meant() -> None:
    tool = create_reroute_tool()

    assert tool.name == "reroute_conversation"
    assert tool.parameters == []
    assert "user wants something other than what the current journey" in tool.description
