"""Journeys for the tests of graphs, hooks and fixed text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from agent_runtime_framework import ANY, BaseJourneyState, BaseJourneyTools, JourneyAgent, PromptTemplate, tool


class Step(str, Enum):
    WELCOME = "welcome"
    NAME = "name"
    EMAIL = "email"
    DONE = "done"


@dataclass
class State(BaseJourneyState[Step]):
    step: Step = Step.WELCOME
    name: str = ""
    email: str = ""
    log: str = ""

    def is_complete(self) -> bool:
        return self.step is Step.DONE

    def to_dict(self) -> dict[str, Any]:
        return {"step": self.step.value, "name": self.name, "email": self.email, "log": self.log}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        return cls(**{**data, "step": Step(data["step"])})


class Tools(BaseJourneyTools[State]):
    @tool(step=Step.NAME, to=Step.EMAIL)
    async def save_name(self, name: str) -> str:
        """Save the name."""
        self.state.name = name
        return "Saved."

    @tool(step=Step.EMAIL, to=(Step.NAME, Step.DONE), requires="name")
    async def save_email(self, email: str) -> str:
        """Save the address."""
        if email == "wrong name":
            self.state.step = Step.NAME
            return "Back to the name."
        self.state.email, self.state.step = email, Step.DONE
        return "Saved."

    @tool(step=ANY)
    async def explain(self) -> str:
        """Explain."""
        return "It is for the newsletter."


class Onboarding(JourneyAgent[State, Tools, Step]):
    key = "onboarding"
    prompts = {  # noqa: RUF012  # as users write it
        Step.WELCOME: "Welcome the user.",
        Step.NAME: "Ask for the name.",
        Step.EMAIL: "Ask for the address.",
        Step.DONE: "Say goodbye.",
    }


class Speaking(Onboarding):
    says = {  # noqa: RUF012  # as users write it
        Step.WELCOME: "Welcome! What is your name?",
        Step.EMAIL: PromptTemplate("Thank you, $name. What is your email address?"),
        Step.DONE: "You are all set.",
    }
