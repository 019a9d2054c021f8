"""The journey that the benchmarks run: the seeds' onboarding, with the framework and as a bare loop."""

from __future__ import annotations

import json
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
    tool,
)


class Step(str, Enum):
    """Steps of the journey."""

    NAME = "name"
    EMAIL = "email"
    DONE = "done"


PROMPTS = {Step.NAME: "Ask for the user's name.", Step.EMAIL: "Ask for the email.", Step.DONE: "Thank the user."}


@dataclass
class State(BaseJourneyState[Step]):
    """What the journey collects."""

    step: Step = Step.NAME
    name: str = ""
    email: str = ""

    def is_complete(self) -> bool:
        """Whether all is collected."""
        return self.step == Step.DONE

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"step": self.step.value, "name": self.name, "email": self.email}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        """Read plain data."""
        return cls(Step(data["step"]), data["name"], data["email"])


class Tools(BaseJourneyTools[State]):
    """Moves the journey on."""

    async def save_name(self, name: str) -> str:
        """Save the name."""
        self.state.name = name
        self.state.step = Step.EMAIL
        await self._notify_state_change()
        return f"Saved {name}."

    async def save_email(self, email: str) -> str:
        """Save the email."""
        self.state.email = email
        self.state.step = Step.DONE
        await self._notify_state_change()
        return f"Saved {email}."


class Onboarding(JourneyAgent[State, Tools, Step]):
    """The journey in the seeds' style."""

    key = "onboarding"

    def get_initial_state(self) -> State:
        """Nothing collected."""
        return State()

    def get_system_prompt(self, state: State) -> str:
        """The step's prompt."""
        return PROMPTS[state.step]

    def get_tool_schemas(self, state: State) -> list[ToolSchema]:
        """The step's tool."""
        if state.step == Step.NAME:
            return [_schema("save_name", "Save the user's name", "name", "The user's name")]
        if state.step == Step.EMAIL:
            return [_schema("save_email", "Save the user's email", "email", "The user's email")]
        return []

    def create_tools(self, state: State, ctx: AgentContext) -> Tools:
        """Tools on the state."""
        return Tools(state=state)

    async def execute_tool(self, tools: Tools, name: str, arguments: dict[str, Any], /) -> str:
        """Run a tool."""
        result: str = await getattr(tools, name)(**arguments)
        return result


class DeclaredTools(BaseJourneyTools[State]):
    """The same tools, declared."""

    @tool(step=Step.NAME, to=Step.EMAIL)
    async def save_name(self, name: str) -> str:
        """Save the user's name.

        Args:
            name: The user's name.
        """
        self.state.name = name
        return f"Saved {name}."

    @tool(step=Step.EMAIL, to=Step.DONE)
    async def save_email(self, email: str) -> str:
        """Save the user's email.

        Args:
            email: The user's email.
        """
        self.state.email = email
        return f"Saved {email}."


class Declared(JourneyAgent[State, DeclaredTools, Step]):
    """The same journey, declared; nothing can be corrected."""

    key = "declared"
    prompts = PROMPTS
    corrections = False


class Corrected(Declared):
    """The same, with the framework's tools for corrections."""

    key = "corrected"
    corrections = True


def _schema(name: str, description: str, parameter: str, words: str) -> ToolSchema:
    return ToolSchemaBuilder(name).description(description).param(parameter, "string", words, required=True).build()


class StubResponse:
    """A client's response."""

    __slots__ = ("message", "usage")

    def __init__(self, message: dict[str, Any]) -> None:
        self.message = message
        self.usage = {"prompt_tokens": 10, "completion_tokens": 20}


class StubModel:
    """Costs as little as a model can: calls the offered tool after a user's message, answers in text after a tool."""

    async def generate(
        self, messages: list[dict[str, Any]], *, tools: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> StubResponse:
        """The next reply."""
        last = messages[-1]
        if last["role"] == "tool" or not tools:
            return StubResponse({"role": "assistant", "content": "All right, what next?"})
        name = tools[0]["function"]["name"]
        call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": ARGUMENTS[name]}}
        return StubResponse({"role": "assistant", "content": None, "tool_calls": [call]})


ARGUMENTS = {"save_name": '{"name": "Ada"}', "save_email": '{"email": "ada@example.org"}'}
USER_LINES = ("My name is Ada", "ada@example.org")

BARE_TOOLS: dict[str, list[dict[str, Any]]] = {
    "name": [_schema("save_name", "Save the user's name", "name", "The user's name").to_openai_format()],
    "email": [_schema("save_email", "Save the user's email", "email", "The user's email").to_openai_format()],
    "done": [],
}
BARE_PROMPTS = {step.value: prompt for step, prompt in PROMPTS.items()}


async def _bare_save_name(state: dict[str, Any], name: str) -> str:
    state["name"] = name
    state["step"] = "email"
    return f"Saved {name}."


async def _bare_save_email(state: dict[str, Any], email: str) -> str:
    state["email"] = email
    state["step"] = "done"
    return f"Saved {email}."


_BARE: dict[str, Any] = {"save_name": _bare_save_name, "save_email": _bare_save_email}


async def bare_run(model: StubModel, state: dict[str, Any], messages: list[dict[str, Any]]) -> str:
    """The same run as a careful person would write it by hand, over plain dicts."""
    while True:
        request = [{"role": "system", "content": BARE_PROMPTS[state["step"]]}, *messages]
        response = await model.generate(messages=request, tools=BARE_TOOLS[state["step"]] or None)
        reply = response.message
        messages.append(reply)
        calls = reply.get("tool_calls")
        if not calls:
            text: str = reply["content"]
            return text
        for call in calls:
            function = call["function"]
            result = await _BARE[function["name"]](state, **json.loads(function["arguments"]))
            messages.append({"role": "tool", "content": result, "tool_call_id": call["id"], "name": function["name"]})
