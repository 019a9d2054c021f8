"""A linear journey: welcome, name, email, done.

agent-runtime chat examples/onboarding.py --provider offline
"""

from __future__ import annotations

from dataclasses import dataclass
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


class Step(StrEnum):
    WELCOME = "welcome"  # talks once and moves on, lint: J103
    NAME = "name"
    EMAIL = "email"
    DONE = "done"


# What the journey knows. It is stored after every turn, field by field; at the last step it is complete.
@dataclass
class OnboardingState(BaseJourneyState[Step]):
    step: Step = Step.WELCOME
    name: str = ""
    email: str = ""


# What the model may do. Only code writes the state; `to` is where the success of a tool leads.
class OnboardingTools(BaseJourneyTools[OnboardingState]):
    @tool(step=Step.NAME, to=Step.EMAIL)
    async def save_name(self, name: str) -> str:
        """Save the user's name.

        Args:
            name: The user's name
        """
        self.state.name = name
        return f"Nice to meet you, {name}!"

    @tool(step=Step.EMAIL, to=Step.DONE)
    async def save_email(self, email: str) -> str | ToolResult:
        """Save the user's email address.

        Args:
            email: The user's email address
        """
        if "@" not in email:
            return ToolResult.fail(f"{email} is not an email address.")  # the step stays, the model asks again
        self.state.email = email
        return f"You are all set, {self.state.name}. We will write to {email}."


# What the model is told at each step; templates read the state. WELCOME has no tools, so it is a talking step:
# the model speaks once, and the journey goes on to the next member of the enum.
class OnboardingAgent(JourneyAgent[OnboardingState, OnboardingTools, Step]):
    key = "onboarding"
    prompts = StepPromptMapping[Step](
        {
            Step.WELCOME: "Welcome the user to the team and ask for their name.",
            Step.NAME: "Ask for the user's name and save it with save_name.",
            Step.EMAIL: PromptTemplate(
                "You talk with $name. Ask for the user's email address and save it with save_email."
            ),
            Step.DONE: "Everything is saved. Thank the user.",
        }
    )
