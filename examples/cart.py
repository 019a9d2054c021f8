"""A looping journey: items go into a cart, and out of it, until the user checks out and confirms.

agent-runtime chat examples/cart.py --provider offline
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from agent_runtime_framework import (
    BaseJourneyState,
    BaseJourneyTools,
    JourneyAgent,
    PromptTemplate,
    StepPromptMapping,
    ToolResult,
    tool,
)

MOST_OF_ONE = 20


class Step(StrEnum):
    START = "start"  # talks once and moves on, lint: J103
    SHOPPING = "shopping"
    CHECKOUT = "checkout"
    DONE = "done"


class Item(StrEnum):
    APPLES = "apples"
    BREAD = "bread"
    COFFEE = "coffee"
    MILK = "milk"


PRICES_CENTS = {Item.APPLES: 40, Item.BREAD: 260, Item.COFFEE: 690, Item.MILK: 120}


@dataclass
class Line:
    item: str
    quantity: int


@dataclass
class CartState(BaseJourneyState[Step]):
    step: Step = Step.START
    lines: list[Line] = field(default_factory=list)  # dataclasses within the state are stored with it

    def quantity_of(self, item: str) -> int:
        return sum(line.quantity for line in self.lines if line.item == item)

    @property
    def summary(self) -> str:  # prompts may name properties, too
        listed = ", ".join(f"{line.quantity} x {line.item}" for line in self.lines)
        cents = sum(line.quantity * PRICES_CENTS[Item(line.item)] for line in self.lines)
        return f"{listed or 'nothing'}, {cents // 100}.{cents % 100:02} euros in all"


class CartTools(BaseJourneyTools[CartState]):
    @tool(step=Step.SHOPPING)  # no `to`: the step stays, and this is the loop
    async def add_item(self, item: Item, quantity: int) -> str | ToolResult:
        """Add an item to the cart.

        Args:
            item: The item to add
            quantity: How many
        """
        wanted = self.state.quantity_of(item) + quantity
        if quantity < 1 or wanted > MOST_OF_ONE:
            return ToolResult.fail(f"You can have 1 to {MOST_OF_ONE} x {item}, so not {quantity} more.")
        self._put(item, wanted)
        return f"In your cart: {self.state.summary}."

    @tool(step=Step.SHOPPING, requires="lines")  # what is offered may depend on the data, too
    async def remove_item(self, item: Item) -> str | ToolResult:
        """Remove an item from the cart.

        Args:
            item: The item to remove
        """
        if not self.state.quantity_of(item):
            return ToolResult.fail(f"There is no {item} in the cart.")
        self._put(item, 0)
        return f"In your cart: {self.state.summary}."

    @tool(step=Step.SHOPPING, to=Step.CHECKOUT, requires="lines")
    async def checkout(self) -> str:
        """Finish shopping."""
        return f"That makes {self.state.summary}."

    @tool(step=Step.CHECKOUT, to=Step.DONE)
    async def place_order(self) -> str:
        """Place the order as it is."""
        return f"Ordered: {self.state.summary}."

    @tool(step=Step.CHECKOUT, to=Step.SHOPPING)  # a journey may also go back
    async def cancel_checkout(self) -> str:
        """Go back to the cart."""
        return f"In your cart: {self.state.summary}."

    def _put(self, item: Item, quantity: int) -> None:
        others = [line for line in self.state.lines if line.item != item]
        self.state.lines = [*others, Line(item.value, quantity)] if quantity else others


class CartAgent(JourneyAgent[CartState, CartTools, Step]):
    key = "cart"
    prompts = StepPromptMapping[Step](
        {
            Step.START: f"Welcome the user to the corner shop. Ask what they would like: {', '.join(Item)}.",
            Step.SHOPPING: PromptTemplate(
                "In the cart: $summary. Call add_item or remove_item as the user wishes, and checkout when that is "
                "all. Ask whether they would like anything else."
            ),
            Step.CHECKOUT: PromptTemplate(
                "The order is $summary. Ask whether the user wants to place the order, and call place_order or "
                "cancel_checkout."
            ),
            Step.DONE: "Thank the user and say goodbye.",
        }
    )
