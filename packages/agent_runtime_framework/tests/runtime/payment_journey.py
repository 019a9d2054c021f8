"""The journey of these tests: a name, a payment that happens once, and the end."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import ClassVar

from agent_runtime_framework import BaseJourneyState, BaseJourneyTools, JourneyAgent, tool


class Step(str, Enum):
    NAME = "name"
    PAY = "pay"
    DONE = "done"
    EXPIRED = "expired"


@dataclass
class PaymentState(BaseJourneyState[Step]):
    step: Step = Step.NAME
    name: str = ""
    paid: int = 0

    def is_complete(self) -> bool:
        return self.step in {Step.DONE, Step.EXPIRED}


class PaymentTools(BaseJourneyTools[PaymentState]):
    ledger: Path

    @tool(step=Step.NAME, to=Step.PAY)
    async def save_name(self, name: str) -> str:
        """Save the name.

        Args:
            name: The user's name.
        """
        self.state.name = name
        return f"Hello {name}."

    @tool(step=Step.PAY, to=Step.DONE, once=True)
    def pay(self, amount: int) -> str:
        """Pay.

        Args:
            amount: Euros.
        """
        with self.ledger.open("a", encoding="utf-8") as ledger:
            ledger.write(f"{self.idempotency_key} {amount}\n")
        self.state.paid = amount
        return f"Paid {amount}."

    @tool(step=Step.PAY, to=Step.DONE, once=True, confirm="Send {amount} euros?")
    def refund(self, amount: int) -> str:
        """Refund.

        Args:
            amount: Euros.
        """
        with self.ledger.open("a", encoding="utf-8") as ledger:
            ledger.write(f"{self.idempotency_key} -{amount}\n")
        return f"Refunded {amount}."


class Payment(JourneyAgent[PaymentState, PaymentTools, Step]):
    key = "payment"
    prompts: ClassVar = {
        Step.NAME: "Ask for the name.",
        Step.PAY: "Take the payment.",
        Step.DONE: "Say goodbye.",
        Step.EXPIRED: "Say that the offer is over.",
    }
    corrections = False
