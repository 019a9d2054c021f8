"""The quick start with every method written out: parts 1 to 4 are what you write, part 5 runs it.

python examples/quick_start.py
agent-runtime chat examples/quick_start.py --provider offline
"""
# Parts 1 to 4 stand here as they are published, so our own rules on order, format and types leave them alone.
# ruff: noqa: I001
# mypy: disable-error-code="type-arg, no-any-return"

# What part 5 needs.
import asyncio
from uuid import uuid4
from agent_runtime_core.llm import get_llm_client
from agent_runtime_framework import AgentMessage

# fmt: off
from enum import Enum
from dataclasses import dataclass
from agent_runtime_framework import (
    JourneyAgent, BaseJourneyState, BaseJourneyTools,
    AgentContext, ToolSchema, ToolSchemaBuilder
)

# 1. Define your journey steps
class OnboardingStep(str, Enum):
    WELCOME = "welcome"
    COLLECT_NAME = "collect_name"
    COLLECT_EMAIL = "collect_email"
    COMPLETE = "complete"

# 2. Define your state
@dataclass
class OnboardingState(BaseJourneyState[OnboardingStep]):
    step: OnboardingStep = OnboardingStep.WELCOME
    name: str = ""
    email: str = ""

    def is_complete(self) -> bool:
        return self.step == OnboardingStep.COMPLETE

    def to_dict(self) -> dict:
        return {
            "step": self.step.value,
            "name": self.name,
            "email": self.email,
        }

    @classmethod
    def from_dict(cls, data: dict) -> "OnboardingState":
        return cls(
            step=OnboardingStep(data.get("step", "welcome")),
            name=data.get("name", ""),
            email=data.get("email", ""),
        )

# 3. Define your tools
class OnboardingTools(BaseJourneyTools[OnboardingState]):
    async def save_name(self, name: str) -> str:
        self.state.name = name
        self.state.step = OnboardingStep.COLLECT_EMAIL
        await self._notify_state_change()
        return f"Great, {name}! Now, what's your email?"

    async def save_email(self, email: str) -> str:
        self.state.email = email
        self.state.step = OnboardingStep.COMPLETE
        await self._notify_state_change()
        return f"Perfect! You're all set, {self.state.name}!"

# 4. Define your agent
class OnboardingAgent(JourneyAgent[OnboardingState, OnboardingTools, OnboardingStep]):
    @property
    def key(self) -> str:
        return "onboarding-agent"

    def get_initial_state(self) -> OnboardingState:
        return OnboardingState()

    def get_system_prompt(self, state: OnboardingState) -> str:
        prompts = {
            OnboardingStep.WELCOME: "Welcome! Ask for the user's name.",
            OnboardingStep.COLLECT_NAME: "Collect the user's name using save_name tool.",
            OnboardingStep.COLLECT_EMAIL: "Collect the user's email using save_email tool.",
            OnboardingStep.COMPLETE: "Thank the user for completing onboarding.",
        }
        return prompts[state.step]

    def get_tool_schemas(self, state: OnboardingState) -> list[ToolSchema]:
        if state.step == OnboardingStep.COLLECT_NAME:
            return [
                ToolSchemaBuilder("save_name")
                .description("Save the user's name")
                .param("name", "string", "The user's name", required=True)
                .build()
            ]
        elif state.step == OnboardingStep.COLLECT_EMAIL:
            return [
                ToolSchemaBuilder("save_email")
                .description("Save the user's email")
                .param("email", "string", "The user's email", required=True)
                .build()
            ]
        return []

    def create_tools(self, state: OnboardingState, ctx: AgentContext) -> OnboardingTools:
        return OnboardingTools(state=state)

    async def execute_tool(self, tools: OnboardingTools, name: str, arguments: dict) -> str:
        method = getattr(tools, name)
        return await method(**arguments)
# fmt: on


# 5. Run your agent
async def main() -> None:
    """Run the agent once for each message; the caller keeps the messages, the agent keeps the state."""
    agent = OnboardingAgent(llm_client=get_llm_client(provider="offline"))
    messages: list[AgentMessage] = []
    for text in ("Hello!", "My name is Ada.", "ada@example.org"):
        messages.append(AgentMessage(role="user", content=text))
        context = AgentContext(run_id=uuid4(), conversation_id="quick-start", input_messages=messages)
        result = await agent.run(context)
        messages += result.messages
        print(f"> {text}\n{result.response}\n")


if __name__ == "__main__":
    asyncio.run(main())
