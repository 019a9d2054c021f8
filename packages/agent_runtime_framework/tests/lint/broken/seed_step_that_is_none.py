# J207
"""A tool moves to a member that the enum lacks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from agent_runtime_framework import (
    AgentContext,
    BaseJourneyState,
    BaseJourneyTools,
    JourneyAgent,
    ToolSchema,
    ToolSchemaBuilder,
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


class Tools(BaseJourneyTools[State]):
    async def save_name(self, name: str) -> str:
        self.state.name = name
        self.state.step = Step.MAIL  # <-
        return "Saved."

    async def save_email(self, email: str) -> str:
        self.state.email = email
        self.state.step = Step.DONE
        return "Saved."


class Agent(JourneyAgent[State, Tools, Step]):
    key = "broken"

    def get_initial_state(self) -> State:
        return State()

    def get_system_prompt(self, state: State) -> str:
        prompts = {
            Step.NAME: "Ask for the name and call save_name.",
            Step.EMAIL: "Ask for the email address and call save_email.",
            Step.DONE: "Thank the user.",
        }
        return prompts[state.step]

    def get_tool_schemas(self, state: State) -> list[ToolSchema]:
        if state.step is Step.NAME:
            return [
                ToolSchemaBuilder("save_name")
                .description("Save the name")
                .param("name", "string", "The user's name", required=True)
                .build()
            ]
        if state.step is Step.EMAIL:
            return [
                ToolSchemaBuilder("save_email")
                .description("Save the email address")
                .param("email", "string", "The user's address", required=True)
                .build()
            ]
        return []

    def create_tools(self, state: State, ctx: AgentContext) -> Tools:
        return Tools(state)

    async def execute_tool(self, tools: Tools, name: str, arguments: dict[str, Any]) -> Any:
        return await getattr(tools, name)(**arguments)
