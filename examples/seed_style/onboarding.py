"""A linear journey: welcome, name, email, done.

agent-runtime chat examples/seed_style/onboarding.py --provider offline
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
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


class Step(StrEnum):
    WELCOME = "welcome"
    NAME = "name"
    EMAIL = "email"
    DONE = "done"


# What the journey knows. It is stored after every turn, so it has to become a dict and come back.
@dataclass
class OnboardingState(BaseJourneyState[Step]):
    step: Step = Step.WELCOME
    name: str = ""
    email: str = ""

    def is_complete(self) -> bool:
        return self.step is Step.DONE

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)  # a StrEnum is a str, so all of this is JSON

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> OnboardingState:
        return cls(step=Step(data["step"]), name=data["name"], email=data["email"])


# What the model may do. Only code writes the state, and only code moves the step.
class OnboardingTools(BaseJourneyTools[OnboardingState]):
    async def save_name(self, name: str) -> str:
        self.state.name = name
        self.state.step = Step.EMAIL
        return f"Nice to meet you, {name}!"

    async def save_email(self, email: str) -> str | ToolResult:
        if "@" not in email:
            return ToolResult.fail(f"{email} is not an email address.")  # the step stays, the model asks again
        self.state.email = email
        self.state.step = Step.DONE
        return f"You are all set, {self.state.name}. We will write to {email}."


# What the model is told and offered at each step. WELCOME offers no tools, so it is a talking step:
# the model speaks once, and the journey goes on to the next member of the enum.
PROMPTS = StepPromptMapping[Step](
    {
        Step.WELCOME: "Welcome the user to the team and ask for their name.",
        Step.NAME: "Ask for the user's name and save it with save_name.",
        Step.EMAIL: PromptTemplate(
            "You talk with $name. Ask for the user's email address and save it with save_email."
        ),
        Step.DONE: "Everything is saved. Thank the user.",
    }
)
TOOLS = {
    Step.NAME: [
        ToolSchemaBuilder("save_name")
        .description("Save the user's name")
        .param("name", "string", "The user's name", required=True)
        .build()
    ],
    Step.EMAIL: [
        ToolSchemaBuilder("save_email")
        .description("Save the user's email address")
        .param("email", "string", "The user's email address", required=True)
        .build()
    ],
}


class OnboardingAgent(JourneyAgent[OnboardingState, OnboardingTools, Step]):
    key = "onboarding"

    def get_initial_state(self) -> OnboardingState:
        return OnboardingState()

    def get_system_prompt(self, state: OnboardingState) -> str:
        return PROMPTS.get(state.step, name=state.name)

    def get_tool_schemas(self, state: OnboardingState) -> list[ToolSchema]:
        return TOOLS.get(state.step, [])

    def create_tools(self, state: OnboardingState, ctx: AgentContext) -> OnboardingTools:
        return OnboardingTools(state)

    async def execute_tool(self, tools: OnboardingTools, name: str, arguments: dict[str, Any]) -> Any:
        # Safe: the name is one of those offered at this step, and the arguments fit its schema.
        return await getattr(tools, name)(**arguments)
