"""A shop that is written for a host: in the style of the seeds, and declared."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from agent_runtime_framework import (
    BaseJourneyState,
    BaseJourneyTools,
    ToolSchema,
    ToolSchemaBuilder,
    tool,
)
from agent_runtime_framework.adapters import DjangoRuntimeAdapter


class Step(str, Enum):
    SHOPPING = "shopping"
    PAID = "paid"


@dataclass
class Cart(BaseJourneyState[Step]):
    step: Step = Step.SHOPPING
    items: list[str] = field(default_factory=list)

    def is_complete(self) -> bool:
        return self.step is Step.PAID

    def to_dict(self) -> dict[str, Any]:
        return {"step": self.step.value, "items": self.items}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Cart:
        return cls(Step(data["step"]), list(data["items"]))


class ShopTools(BaseJourneyTools[Cart]):
    async def add(self, item: str) -> str:
        self.state.items.append(item)
        await self._notify_state_change()
        return f"Added {item}."

    async def pay(self) -> str:
        self.state.step = Step.PAID
        await self._notify_state_change()
        return f"Paid by {self._require_backend()}."

    async def describe(self) -> str:
        return "x" * 700

    async def spoil(self) -> str:
        self.state.items.append("spoilt")
        await self._notify_state_change()
        raise RuntimeError("out of order")


PROMPTS = {Step.SHOPPING: "Ask what they want.", Step.PAID: "Say thank you."}
TOOLS = {
    Step.SHOPPING: [
        ToolSchemaBuilder("add").param("item", "string", required=True).build(),
        *(ToolSchemaBuilder(name).build() for name in ("pay", "describe", "spoil")),
    ],
    Step.PAID: [],
}


class Shop(DjangoRuntimeAdapter[Cart, ShopTools, Step]):
    @property
    def key(self) -> str:
        return "shop"

    def get_initial_state(self) -> Cart:
        return Cart()

    def get_system_prompt(self, state: Cart) -> str:
        return PROMPTS[state.step]

    def get_tool_schemas(self, state: Cart) -> list[ToolSchema]:
        return TOOLS[state.step]

    def create_tools(self, state: Cart, ctx: Any, backend_client: Any) -> ShopTools:
        return ShopTools(state=state, backend_client=backend_client)

    async def execute_tool(self, tools: ShopTools, name: str, args: dict[str, Any]) -> Any:
        method = getattr(tools, name)
        return await method(**args)


class DeclaredTools(BaseJourneyTools[Cart]):
    @tool(step=Step.SHOPPING)
    async def add(self, item: str) -> str:
        """Put an item into the cart.

        Args:
            item: Its name.
        """
        self.state.items.append(item)
        return f"Added {item}."

    @tool(step=Step.SHOPPING, to=Step.PAID, once=True)
    async def pay(self) -> str:
        """Pay."""
        return f"Paid by {self._require_backend()}."


class DeclaredShop(DjangoRuntimeAdapter[Cart, DeclaredTools, Step]):
    """The same shop, with no method written."""

    key = "shop"
    prompts = PROMPTS
