"""Journeys whose state writes no methods of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from agent_runtime_core.errors import StateDecodeError
from agent_runtime_core.stores import InMemoryCheckpointStore
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import BaseJourneyState, BaseJourneyTools, JourneyAgent, ToolSchema


class Step(str, Enum):
    PRICE = "price"
    DONE = "done"


@dataclass
class Offer:
    amount: Decimal
    until: date | None = None


@dataclass
class QuoteState(BaseJourneyState[Step]):
    step: Step = Step.PRICE
    offers: list[Offer] = field(default_factory=list)
    note: str = ""


class QuoteTools(BaseJourneyTools[QuoteState]):
    async def save_price(self) -> str:
        self.state.offers.append(Offer(Decimal("19.90"), date(2030, 1, 31)))
        self.state.step = Step.DONE
        return "saved"

    async def break_price(self) -> str:
        self.state.note = 7  # type: ignore[assignment]
        return "saved"


class Quote(JourneyAgent[QuoteState, QuoteTools, Step]):
    key = "quote"

    def get_initial_state(self) -> QuoteState:
        return QuoteState()

    def get_system_prompt(self, state: QuoteState) -> str:
        return f"Step {state.step.value}"

    def get_tool_schemas(self, state: QuoteState) -> list[ToolSchema]:
        return [] if state.is_complete() else [ToolSchema("save_price", "Save"), ToolSchema("break_price", "Break")]

    def create_tools(self, state: QuoteState, ctx: Any) -> QuoteTools:
        return QuoteTools(state)

    async def execute_tool(self, tools: QuoteTools, name: str, arguments: dict[str, Any]) -> str:
        return str(await getattr(tools, name)())


async def test_the_state_is_the_same_in_the_next_run() -> None:
    store = InMemoryCheckpointStore()
    await Quote(ScriptedLLM([tool_call_reply("save_price"), "Saved."]), store=store).send("ada", "Hello")

    state = await Quote(ScriptedLLM([]), store=store).get_state("ada")

    assert state == QuoteState(Step.DONE, [Offer(Decimal("19.90"), date(2030, 1, 31))])


async def test_a_tool_that_leaves_a_wrong_value_failed_and_the_state_is_as_before() -> None:
    llm = ScriptedLLM([tool_call_reply("break_price"), "Sorry."])
    agent = Quote(llm)

    await agent.send("ada", "Hello")

    assert await agent.get_state("ada") == QuoteState()
    told = llm.calls[1]["messages"][-1]["content"]
    assert "QuoteState.note: holds a value of type int, expected str" in told


async def test_a_stored_state_of_another_shape_is_told_with_its_field() -> None:
    store = InMemoryCheckpointStore()
    agent = Quote(ScriptedLLM(["Hello", "never said"]), store=store)
    await agent.send("ada", "Hello")

    @dataclass
    class Renewed(BaseJourneyState[Step]):
        note: int = 0
        step: Step = Step.PRICE

    class RenewedQuote(Quote):
        def get_initial_state(self) -> Any:
            return Renewed()

    with pytest.raises(StateDecodeError, match=r"Renewed\.note"):
        await RenewedQuote(ScriptedLLM(["never said"]), store=store).send("ada", "Hello again")
