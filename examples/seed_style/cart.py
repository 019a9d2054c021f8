"""A looping journey: items go into a cart, and out of it, until the user checks out and confirms.

agent-runtime chat examples/seed_style/cart.py --provider offline
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
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

PRICES_CENTS = {"apples": 40, "bread": 260, "coffee": 690, "milk": 120}
MOST_OF_ONE = 20


class Step(StrEnum):
    START = "start"
    SHOPPING = "shopping"
    CHECKOUT = "checkout"
    DONE = "done"


@dataclass
class Line:
    item: str
    quantity: int


@dataclass
class CartState(BaseJourneyState[Step]):
    step: Step = Step.START
    lines: list[Line] = field(default_factory=list)

    def is_complete(self) -> bool:
        return self.step is Step.DONE

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)  # each line becomes a dict, too ...

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> CartState:
        return cls(step=Step(data["step"]), lines=[Line(**line) for line in data["lines"]])  # ... and comes back

    def quantity_of(self, item: str) -> int:
        return sum(line.quantity for line in self.lines if line.item == item)

    def summary(self) -> str:
        listed = ", ".join(f"{line.quantity} x {line.item}" for line in self.lines)
        cents = sum(line.quantity * PRICES_CENTS[line.item] for line in self.lines)
        return f"{listed or 'nothing'}, {cents // 100}.{cents % 100:02} euros in all"


class CartTools(BaseJourneyTools[CartState]):
    async def add_item(self, item: str, quantity: int) -> str | ToolResult:
        wanted = self.state.quantity_of(item) + quantity
        if quantity < 1 or wanted > MOST_OF_ONE:
            return ToolResult.fail(f"You can have 1 to {MOST_OF_ONE} x {item}, so not {quantity} more.")
        self._put(item, wanted)
        return f"In your cart: {self.state.summary()}."  # the step stays: this is the loop

    async def remove_item(self, item: str) -> str | ToolResult:
        if not self.state.quantity_of(item):
            return ToolResult.fail(f"There is no {item} in the cart.")
        self._put(item, 0)
        return f"In your cart: {self.state.summary()}."

    async def checkout(self) -> str:
        self.state.step = Step.CHECKOUT
        return f"That makes {self.state.summary()}."

    async def cancel_checkout(self) -> str:
        self.state.step = Step.SHOPPING  # a journey may also go back
        return f"In your cart: {self.state.summary()}."

    async def place_order(self) -> str:
        self.state.step = Step.DONE
        return f"Ordered: {self.state.summary()}."

    def _put(self, item: str, quantity: int) -> None:
        others = [line for line in self.state.lines if line.item != item]
        self.state.lines = [*others, Line(item, quantity)] if quantity else others


PROMPTS = StepPromptMapping[Step](
    {
        Step.START: f"Welcome the user to the corner shop. Ask what they would like: {', '.join(PRICES_CENTS)}.",
        Step.SHOPPING: PromptTemplate(
            "In the cart: $summary. Call add_item or remove_item as the user wishes, and checkout when that is all. "
            "Ask whether they would like anything else."
        ),
        Step.CHECKOUT: PromptTemplate(
            "The order is $summary. Ask whether the user wants to place the order, and call place_order or "
            "cancel_checkout."
        ),
        Step.DONE: "Thank the user and say goodbye.",
    }
)
ADD = (
    ToolSchemaBuilder("add_item")
    .description("Add an item to the cart")
    .param("item", "string", "The item to add", required=True, enum=list(PRICES_CENTS))
    .param("quantity", "integer", "How many", required=True)
    .build()
)
REMOVE = (
    ToolSchemaBuilder("remove_item")
    .description("Remove an item from the cart")
    .param("item", "string", "The item to remove", required=True, enum=list(PRICES_CENTS))
    .build()
)
CHECKOUT = ToolSchemaBuilder("checkout").description("Finish shopping").build()
CANCEL_CHECKOUT = ToolSchemaBuilder("cancel_checkout").description("Go back to the cart").build()
PLACE_ORDER = ToolSchemaBuilder("place_order").description("Place the order as it is").build()


class CartAgent(JourneyAgent[CartState, CartTools, Step]):
    key = "cart"

    def get_initial_state(self) -> CartState:
        return CartState()

    def get_system_prompt(self, state: CartState) -> str:
        return PROMPTS.get(state.step, summary=state.summary())

    def get_tool_schemas(self, state: CartState) -> list[ToolSchema]:
        match state.step:
            case Step.SHOPPING:  # what is offered may depend on the data, too: an empty cart is not checked out
                return [ADD, REMOVE, CHECKOUT] if state.lines else [ADD]
            case Step.CHECKOUT:
                return [PLACE_ORDER, CANCEL_CHECKOUT]
            case _:
                return []

    def create_tools(self, state: CartState, ctx: AgentContext) -> CartTools:
        return CartTools(state)

    async def execute_tool(self, tools: CartTools, name: str, arguments: dict[str, Any]) -> Any:
        return await getattr(tools, name)(**arguments)
