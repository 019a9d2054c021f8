"""A journey that recovers: the order system is down now and then, and the user mistypes the number.

agent-runtime chat examples/order_lookup.py --provider offline
(Two orders exist, A-1001 and A-1002, and the first two requests fail.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent_runtime_framework import (
    AgentContext,
    BaseJourneyState,
    BaseJourneyTools,
    JourneyAgent,
    StepPromptMapping,
    ToolResult,
    tool,
)

MAX_TRIES = 3


class OrderSystem:
    """Stands for a service of yours: it fails at first, then it answers."""

    def __init__(self, failures: int = 2) -> None:
        self.failures = failures
        self.orders = {"A-1001": "on its way", "A-1002": "waiting for its payment"}

    async def status_of(self, number: str) -> str | None:
        if not number.startswith("A-"):
            raise ValueError(f"{number} is no order number, they look like A-1001")
        if self.failures > 0:
            self.failures -= 1
            raise ConnectionError("the order system does not answer")
        return self.orders.get(number)


class Step(StrEnum):
    ASK_NUMBER = "ask_number"
    RETRY = "retry"
    FOUND = "found"
    HANDED_OVER = "handed_over"


@dataclass
class LookupState(BaseJourneyState[Step]):
    step: Step = Step.ASK_NUMBER
    number: str = ""
    tries: int = 0
    status: str = ""

    def is_complete(self) -> bool:  # by default the last step is; here it is another one
        return self.step is Step.FOUND

    def is_terminal(self) -> bool:  # to give up is an end, too, though no success
        return self.step in (Step.FOUND, Step.HANDED_OVER)


class LookupTools(BaseJourneyTools[LookupState]):
    @tool(step=Step.ASK_NUMBER, to=[Step.FOUND, Step.RETRY, Step.HANDED_OVER])
    async def look_up_order(self, number: str) -> str | ToolResult:
        """Look up an order.

        Args:
            number: The order number, such as A-1001
        """
        self.state.number = number.upper()
        return await self._look_up()

    @tool(step=Step.RETRY, to=[Step.FOUND, Step.ASK_NUMBER, Step.HANDED_OVER])
    async def try_again(self) -> str | ToolResult:
        """Look the same order up again."""
        return await self._look_up()

    @tool(step=Step.RETRY, to=Step.HANDED_OVER)
    async def hand_over_to_person(self) -> str:
        """Give up and let a colleague find out."""
        return "All right."

    async def _look_up(self) -> str | ToolResult:
        orders: OrderSystem = self._require_backend()  # the backend_client below
        try:
            status = await orders.status_of(self.state.number)
        except ConnectionError:
            # A failure that the journey has an answer to is returned, and what the tool has changed stays.
            return self._out_of_reach()
        # Any other error gets out: then the framework undoes what the tool has changed, here the number,
        # and the model reads the error's text.
        self.state.tries = 0
        if status is None:
            self.state.step = Step.ASK_NUMBER
            return ToolResult.fail(f"There is no order {self.state.number}.")
        self.state.status, self.state.step = status, Step.FOUND
        return f"Order {self.state.number} is {status}."

    def _out_of_reach(self) -> ToolResult:
        self.state.tries += 1
        self.state.step = Step.RETRY if self.state.tries < MAX_TRIES else Step.HANDED_OVER
        return ToolResult.fail("The order system does not answer. A person can look into it instead.")


class LookupAgent(JourneyAgent[LookupState, LookupTools, Step]):
    key = "order-lookup"
    prompts = StepPromptMapping[Step](
        {
            Step.ASK_NUMBER: "Ask for the order number and call look_up_order.",
            Step.RETRY: "Ask whether the user wants to try again, and call try_again. "
            "If not, call hand_over_to_person.",
            Step.FOUND: "Thank the user for their patience.",
            Step.HANDED_OVER: "Apologise for the trouble. Tell the user that a colleague will write to them today.",
        }
    )

    def __init__(self, *args: Any, backend: OrderSystem | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.backend = backend or OrderSystem()

    # What a class writes itself wins over the default: here the tools get something to call.
    def create_tools(self, state: LookupState, ctx: AgentContext) -> LookupTools:
        return LookupTools(state, backend_client=self.backend)
