"""A router is linted by its journeys."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest

from agent_runtime_core.errors import ConfigError
from agent_runtime_framework import (
    BaseJourneyState,
    BaseJourneyTools,
    JourneyAgent,
    JourneyGraph,
    JourneyRouter,
    lint_journey,
    tool,
)


class Step(str, Enum):
    ASK = "ask"
    DONE = "done"


@dataclass
class State(BaseJourneyState[Step]):
    step: Step = Step.ASK
    answer: str = ""


class Tools(BaseJourneyTools[State]):
    @tool(step=Step.ASK, to=Step.DONE)
    async def save(self, answer: str) -> None:
        """Save the answer.

        Args:
            answer: The answer.
        """
        self.state.answer = answer


class Fine(JourneyAgent[State, Tools, Step]):
    key = "fine"
    prompts = {Step.ASK: "Ask.", Step.DONE: "Thank."}  # noqa: RUF012


class NoPrompt(Fine):
    key = "no_prompt"
    prompts = {Step.ASK: "Ask.", Step.DONE: ""}  # noqa: RUF012


class Stuck(Fine):
    key = "stuck"

    def is_terminal_state(self, state: State) -> bool:
        return False


class Desk(JourneyRouter):
    key = "desk"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for journey in (Fine, NoPrompt, Stuck):
            self.add(journey, when=f"The user wants {journey.key}.")


@pytest.mark.parametrize("desk", [Desk, Desk()], ids=["class", "object"])
def test_the_findings_of_each_journey_are_told_under_its_name(desk):
    found = lint_journey(desk)

    assert [each for each in found if each.journey == "Fine"] == []
    assert {each.journey for each in found} == {"NoPrompt", "Stuck"}
    assert [each for each in found if each.journey == "Stuck"] == lint_journey(Stuck)


@pytest.mark.parametrize("desk", [JourneyRouter, JourneyRouter()], ids=["class", "object"])
def test_a_router_that_leads_nowhere_is_an_error(desk):
    assert [(each.code, each.journey) for each in lint_journey(desk)] == [("J501", "JourneyRouter")]


def test_a_router_that_cannot_be_made_is_an_error():
    class Wanting(JourneyRouter):
        def __init__(self, shop: str) -> None:
            super().__init__()

    assert [(each.code, each.journey) for each in lint_journey(Wanting)] == [("J005", "Wanting")]


def test_a_router_is_not_drawn_and_its_journeys_are_named():
    with pytest.raises(ConfigError, match=r"Desk is a router, .*draw one of its journeys \(Fine, NoPrompt, Stuck\)"):
        JourneyGraph.of(Desk())
