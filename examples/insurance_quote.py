"""A branching journey: car or home, the details of the one chosen, a price, yes or no.

agent-runtime chat examples/insurance_quote.py --provider offline
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Literal

from agent_runtime_framework import (
    BaseJourneyState,
    BaseJourneyTools,
    JourneyAgent,
    PromptTemplate,
    StepPromptMapping,
    ToolResult,
    tool,
)

OLDEST_CAR = 1980
LARGEST_HOME_M2 = 1000


class Step(StrEnum):
    WELCOME = "welcome"  # talks once and moves on, lint: J103
    CHOOSE_TYPE = "choose_type"
    CAR = "car"  # either this one ...
    HOME = "home"  # ... or this one
    QUOTE = "quote"
    DONE = "done"


@dataclass
class QuoteState(BaseJourneyState[Step]):
    step: Step = Step.WELCOME
    details: dict[str, Any] = field(default_factory=dict)
    euros_a_year: int = 0
    accepted: bool | None = None  # None until the user has decided


class QuoteTools(BaseJourneyTools[QuoteState]):
    @tool(step=Step.CHOOSE_TYPE, to=[Step.CAR, Step.HOME])
    async def choose_type(self, type: Literal["car", "home"]) -> str:
        """Choose what to insure.

        Args:
            type: A car, or a home (flat or house)
        """
        self.state.step = Step.CAR if type == "car" else Step.HOME  # the branch: it may only lead where `to` says
        return f"A {type}, then."

    @tool(step=Step.CAR, to=Step.QUOTE)
    async def save_car(self, make: str, year: int) -> str | ToolResult:
        """Save the car and get its price.

        Args:
            make: The make of the car
            year: The year it was built
        """
        if not OLDEST_CAR <= year <= date.today().year:
            return ToolResult.fail(f"We insure cars built from {OLDEST_CAR} to {date.today().year}, not {year}.")
        return self._quote(280 + 6 * (year - OLDEST_CAR), make=make, year=year)

    @tool(step=Step.HOME, to=Step.QUOTE)
    async def save_home(self, kind: Literal["flat", "house"], area_m2: int) -> str | ToolResult:
        """Save the home and get its price.

        Args:
            kind: The kind of home
            area_m2: Its area in square metres
        """
        if not 1 <= area_m2 <= LARGEST_HOME_M2:
            return ToolResult.fail(f"We insure homes of 1 to {LARGEST_HOME_M2} square metres, not {area_m2}.")
        return self._quote(60 + area_m2 * (2 if kind == "house" else 1), kind=kind, area_m2=area_m2)

    @tool(step=Step.QUOTE, to=Step.DONE)
    async def accept_quote(self) -> str:
        """The user accepts the quote."""
        self.state.accepted = True
        return f"Insured from today, for {self.state.euros_a_year} euros a year."

    @tool(step=Step.QUOTE, to=Step.DONE)
    async def decline_quote(self) -> str:
        """The user declines the quote."""
        self.state.accepted = False
        return "All right, nothing was signed."

    def _quote(self, euros_a_year: int, **details: Any) -> str:
        # Money is computed by code. The model reads the price and passes it on; no tool lets it set one.
        self.state.details, self.state.euros_a_year = details, euros_a_year
        return f"That costs {euros_a_year} euros a year."


class QuoteAgent(JourneyAgent[QuoteState, QuoteTools, Step]):
    key = "insurance-quote"
    prompts = StepPromptMapping[Step](
        {
            Step.WELCOME: "Welcome the user to the insurance desk. Ask whether they want to insure a car or a home.",
            Step.CHOOSE_TYPE: "Ask whether the user wants to insure a car or a home, and call choose_type.",
            Step.CAR: "Ask for the make of the car and the year it was built, and call save_car.",
            Step.HOME: "Ask whether it is a flat or a house. Ask for its area in square metres. Then call save_home.",
            Step.QUOTE: PromptTemplate(
                "The price is $euros_a_year euros a year; never name another one. "
                "Ask whether the user accepts the quote, and call accept_quote or decline_quote."
            ),
            Step.DONE: "Thank the user and say goodbye.",
        }
    )
