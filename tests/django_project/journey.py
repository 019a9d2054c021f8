"""A journey of the tests' project."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from agent_runtime_framework import BaseJourneyState, BaseJourneyTools, JourneyAgent, StepPromptMapping, tool

__all__ = ["Onboarding", "OnboardingState", "Step"]


class Step(str, Enum):
    """Where the journey stands."""

    NAME = "name"
    EMAIL = "email"
    DONE = "done"


@dataclass
class OnboardingState(BaseJourneyState[Step]):
    """What is known of the user."""

    step: Step = Step.NAME
    name: str = ""
    email: str = ""


class OnboardingTools(BaseJourneyTools[OnboardingState]):
    """What the model may do."""

    @tool(step=Step.NAME, to=Step.EMAIL)
    async def save_name(self, name: str) -> str:
        """Save the user's name."""
        self.state.name = name
        return f"Nice to meet you, {name}."

    @tool(step=Step.EMAIL, to=Step.DONE, confirm="Save {email}?")
    async def save_email(self, email: str) -> str:
        """Save the user's email."""
        self.state.email = email
        return "Saved."


class Onboarding(JourneyAgent[OnboardingState, OnboardingTools, Step]):
    """Asks for name and email."""

    key = "onboarding"
    prompts = StepPromptMapping[Step]({Step.NAME: "Ask for the name.", Step.EMAIL: "Ask for the email."})
