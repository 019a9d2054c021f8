# J202
"""A table leads to more steps than are declared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from agent_runtime_framework import (
    BaseJourneyState,
    BaseJourneyTools,
    JourneyAgent,
    PromptTemplate,
    StepPromptMapping,
    tool,
)


class Step(str, Enum):
    NAME = "name"
    EMAIL = "email"
    DONE = "done"


@dataclass
class State(BaseJourneyState[Step]):
    step: Step = Step.NAME
    name: str = ""
    email: str = ""

    def is_complete(self) -> bool:
        return self.step is Step.DONE

    def to_dict(self) -> dict[str, Any]:
        return {"step": self.step.value, "name": self.name, "email": self.email}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        return cls(Step(data["step"]), data["name"], data["email"])


NEXT = {"admin": Step.DONE}


class Tools(BaseJourneyTools[State]):
    @tool(step=Step.NAME, to=Step.EMAIL)
    async def save_name(self, name: str) -> str:
        """Save the name.

        Args:
            name: The user's name.
        """
        self.state.name = name
        self.state.step = NEXT.get(name, Step.EMAIL)  # <-
        return "Saved."

    @tool(step=Step.EMAIL, to=Step.DONE, requires="name")
    async def save_email(self, email: str) -> str:
        """Save the email address.

        Args:
            email: The user's address.
        """
        self.state.email = email
        return "Saved."


class Agent(JourneyAgent[State, Tools, Step]):
    key = "broken"
    prompts = StepPromptMapping[Step](
        {
            Step.NAME: "Ask for the name and call save_name.",
            Step.EMAIL: PromptTemplate("You talk with $name. Ask for the email address and call save_email."),
            Step.DONE: "Thank the user.",
        }
    )
