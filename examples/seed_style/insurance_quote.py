"""A branching journey: car or home, the details of the one chosen, a price, yes or no.

agent-runtime chat examples/seed_style/insurance_quote.py --provider offline
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from agent_runtime_framework import (
    AgentContext,
    BaseJourneyState,
    BaseJourneyTools,
    JourneyAgent,
    PromptTemplate,
    StepPromptMapping,
    ToolResult,
    ToolSchema,
    ToolSchemaBuilder,
)

OLDEST_CAR = 1980
LARGEST_HOME_M2 = 1000


class Step(StrEnum):
    WELCOME = "welcome"
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

    def is_complete(self) -> bool:
        return self.step is Step.DONE

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> QuoteState:
        return cls(**{**data, "step": Step(data["step"])})


class QuoteTools(BaseJourneyTools[QuoteState]):
    async def choose_type(self, type: str) -> str:
        self.state.step = Step.CAR if type == "car" else Step.HOME  # the branch
        return f"A {type}, then."

    async def save_car(self, make: str, year: int) -> str | ToolResult:
        if not OLDEST_CAR <= year <= date.today().year:
            return ToolResult.fail(f"We insure cars built from {OLDEST_CAR} to {date.today().year}, not {year}.")
        return self._quote(280 + 6 * (year - OLDEST_CAR), make=make, year=year)

    async def save_home(self, kind: str, area_m2: int) -> str | ToolResult:
        if not 1 <= area_m2 <= LARGEST_HOME_M2:
            return ToolResult.fail(f"We insure homes of 1 to {LARGEST_HOME_M2} square metres, not {area_m2}.")
        return self._quote(60 + area_m2 * (2 if kind == "house" else 1), kind=kind, area_m2=area_m2)

    def _quote(self, euros_a_year: int, **details: Any) -> str:
        # Money is computed by code. The model reads the price and passes it on; no tool lets it set one.
        self.state.details, self.state.euros_a_year = details, euros_a_year
        self.state.step = Step.QUOTE
        return f"That costs {euros_a_year} euros a year."

    async def accept_quote(self) -> str:
        self.state.accepted, self.state.step = True, Step.DONE
        return f"Insured from today, for {self.state.euros_a_year} euros a year."

    async def decline_quote(self) -> str:
        self.state.accepted, self.state.step = False, Step.DONE
        return "All right, nothing was signed."


PROMPTS = StepPromptMapping[Step](
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
TOOLS = {
    Step.CHOOSE_TYPE: [
        ToolSchemaBuilder("choose_type")
        .description("Choose what to insure")
        .param("type", "string", "A car, or a home (flat or house)", required=True, enum=["car", "home"])
        .build()
    ],
    Step.CAR: [
        ToolSchemaBuilder("save_car")
        .description("Save the car and get its price")
        .param("make", "string", "The make of the car", required=True)
        .param("year", "integer", "The year it was built", required=True)
        .build()
    ],
    Step.HOME: [
        ToolSchemaBuilder("save_home")
        .description("Save the home and get its price")
        .param("kind", "string", "The kind of home", required=True, enum=["flat", "house"])
        .param("area_m2", "integer", "Its area in square metres", required=True)
        .build()
    ],
    Step.QUOTE: [
        ToolSchemaBuilder("accept_quote").description("The user accepts the quote").build(),
        ToolSchemaBuilder("decline_quote").description("The user declines the quote").build(),
    ],
}


class QuoteAgent(JourneyAgent[QuoteState, QuoteTools, Step]):
    key = "insurance-quote"

    def get_initial_state(self) -> QuoteState:
        return QuoteState()

    def get_system_prompt(self, state: QuoteState) -> str:
        return PROMPTS.get(state.step, euros_a_year=state.euros_a_year)

    def get_tool_schemas(self, state: QuoteState) -> list[ToolSchema]:
        return TOOLS.get(state.step, [])  # this gates: what is not offered here does not run

    def create_tools(self, state: QuoteState, ctx: AgentContext) -> QuoteTools:
        return QuoteTools(state)

    async def execute_tool(self, tools: QuoteTools, name: str, arguments: dict[str, Any]) -> Any:
        return await getattr(tools, name)(**arguments)
