"""A journey with a donation that happens once: what the workers of this example do.

agent-runtime worker examples/durable/donation.py:worker_app --engine sqlite:///runs.db --store sqlite:///journeys.db
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field

from agent_runtime_core.interfaces import LLMClient, LLMStreamChunk
from agent_runtime_core.llm import get_llm_client
from agent_runtime_framework import BaseJourneyState, BaseJourneyTools, JourneyAgent, tool

LEDGER_VARIABLE = "DONATION_LEDGER"
"""Names the file that stands for the world outside: each tool leaves a line in it."""

Step = StrEnum("Step", "NAME AMOUNT EMAIL DONE")


@dataclass
class DonationState(BaseJourneyState[Step]):
    step: Step = Step.NAME
    name: str = ""
    amount: int = 0
    email: str = ""


class DonationTools(BaseJourneyTools[DonationState]):
    conversation: str = ""

    @tool(step=Step.NAME, to=Step.AMOUNT)
    async def save_name(self, name: Annotated[str, "The user's name"]) -> str:
        """Save the user's name."""
        await outside(f"{self.conversation} name")
        self.state.name = name
        return f"Saved {name}."

    @tool(step=Step.AMOUNT, to=Step.EMAIL, once=True, idempotent=True)
    async def donate(self, amount: Annotated[int, Field(ge=1, description="The amount in euros")]) -> str:
        """Collect the donation."""
        # A payment service that is given the key a second time answers as it did the first time.
        await outside(f"{self.conversation} donation {self.idempotency_key}")
        self.state.amount = amount
        return f"Thank you for {amount} euros."

    @tool(step=Step.EMAIL, to=Step.DONE, once=True)
    async def send_receipt(self, email: Annotated[str, "The user's email address"]) -> str:
        """Send the receipt."""
        await outside(f"{self.conversation} receipt")
        self.state.email = email
        return f"Sent to {email}."


class Donation(JourneyAgent[DonationState, DonationTools, Step]):
    key = "donation"
    corrections = False
    prompts: ClassVar = {
        Step.NAME: "Ask for the user's name.",
        Step.AMOUNT: "Ask for the amount in euros.",
        Step.EMAIL: "Ask for the email address for the receipt.",
        Step.DONE: "Thank the user.",
    }

    def create_tools(self, state: DonationState, ctx: Any) -> DonationTools:
        """The tools, which know the conversation for the ledger."""
        tools = DonationTools(state=state)
        tools.conversation = str(ctx.conversation_id)
        return tools


class Thinking(LLMClient):
    """The offline client, as slow as a real model: otherwise no kill would ever hit it.

    Args:
        seconds: How long each answer takes.
    """

    def __init__(self, seconds: float) -> None:
        self._client = get_llm_client(provider="offline", announce=False)
        self._seconds = seconds

    async def generate(self, messages: list[dict[str, Any]], **kwargs: Any) -> Any:
        """The answer, after a while."""
        await asyncio.sleep(self._seconds)
        return await self._client.generate(messages, **kwargs)

    async def stream(self, messages: list[dict[str, Any]], **kwargs: Any) -> AsyncGenerator[LLMStreamChunk, None]:
        """The answer in pieces, after a while."""
        await asyncio.sleep(self._seconds)
        async for chunk in self._client.stream(messages, **kwargs):
            yield chunk


def worker_app() -> Donation:
    """What a worker works for."""
    return Donation(llm_client=Thinking(0.2))


async def outside(line: str) -> None:
    """Change the world: a line, whole, whoever else adds one. It takes its time before and after."""
    await asyncio.sleep(0.05)
    await asyncio.to_thread(_append, os.environ[LEDGER_VARIABLE], f"{line}\n")
    await asyncio.sleep(0.05)


def _append(path: str, line: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
