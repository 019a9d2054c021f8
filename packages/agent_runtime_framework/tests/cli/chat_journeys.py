"""A journey and the models that the terminal's tests let it talk with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from agent_runtime_core.errors import LLMUnavailable
from agent_runtime_core.interfaces.llm import LLMStreamChunk
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import (
    AgentContext,
    BaseJourneyState,
    BaseJourneyTools,
    JourneyAgent,
    JourneyConfig,
    RunLimits,
    ToolSchema,
    ToolSchemaBuilder,
    tool,
)


class Step(StrEnum):
    WELCOME = "welcome"
    NAME = "collect_name"
    EMAIL = "collect_email"
    COMPLETE = "complete"


@dataclass
class State(BaseJourneyState[Step]):
    step: Step = Step.WELCOME
    name: str = ""
    email: str = ""

    def is_complete(self) -> bool:
        return self.step is Step.COMPLETE

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "step": self.step.value}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        return cls(**{**data, "step": Step(data["step"])})


class Tools(BaseJourneyTools[State]):
    async def save_name(self, name: str) -> str:
        if name == "Nobody":
            raise LookupError("there is nobody of that name")
        self.state.name = name
        self.state.step = Step.EMAIL
        return f"Saved {name}."

    async def save_email(self, email: str) -> str:
        self.state.email = email
        self.state.step = Step.COMPLETE
        return f"Saved {email}."


class Onboarding(JourneyAgent[State, Tools, Step]):
    key = "onboarding"

    def get_initial_state(self) -> State:
        return State()

    def get_system_prompt(self, state: State) -> str:
        return {
            Step.WELCOME: "Welcome the user and ask for the name.",
            Step.NAME: "Ask for the user's name.",
            Step.EMAIL: "Ask for the user's email address.",
            Step.COMPLETE: "Thank the user.",
        }[state.step]

    def get_tool_schemas(self, state: State) -> list[ToolSchema]:
        if state.step is Step.NAME:
            return [
                ToolSchemaBuilder("save_name")
                .description("Save the name")
                .param("name", "string", "The name", required=True)
                .build()
            ]
        if state.step is Step.EMAIL:
            return [
                ToolSchemaBuilder("save_email")
                .description("Save the email")
                .param("email", "string", "The email", required=True)
                .build()
            ]
        return []

    def create_tools(self, state: State, ctx: AgentContext) -> Tools:
        return Tools(state=state)

    async def execute_tool(self, tools: Tools, name: str, arguments: dict[str, Any]) -> Any:
        return await getattr(tools, name)(**arguments)


def answer(messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None) -> Any:
    """A model that gives what the user said to whatever tool is offered, and greets otherwise."""
    last = messages[-1]
    if last["role"] == "tool":
        return "Thank you. What is your email?" if tools else "Thank you, that is all."
    if not tools:
        return "Welcome! What is your name?"
    function = tools[0]["function"]
    return tool_call_reply(function["name"], **{next(iter(function["parameters"]["properties"])): last["content"]})


def scripted() -> Onboarding:
    return Onboarding(ScriptedLLM([answer] * 20))


def saying(*replies: Any) -> Onboarding:
    return Onboarding(ScriptedLLM(replies))


def rude() -> Onboarding:
    """Its model writes what commands a terminal, and what rich would take for markup."""
    return saying("\x1b[31mred\x1b]0;owned\x07 [bold]not bold[/bold] \x9b2J:smile: done\x00.")


def rude_tool() -> Onboarding:
    return saying("Hello.", tool_call_reply("save_name", name="\x1b[2J[red]Ada[/red]"), "Fine.")


def clumsy() -> Onboarding:
    """Its model calls a tool that is not offered, one with wrong arguments, and one that raises."""
    return saying(
        "Welcome!",
        tool_call_reply("save_email", email="a@example.org"),
        tool_call_reply("save_name", nickname="Ada"),
        tool_call_reply("save_name", name="Nobody"),
        "That did not work.",
    )


def broken() -> Onboarding:
    """Its model cannot be reached, but for the last time."""
    gone = LLMUnavailable("the model at 127.0.0.1 does not answer;\ntry again later")
    return saying("Welcome!", gone, "Here I am again.")


def buggy() -> Onboarding:
    """Its model has a bug."""
    return saying(KeyError("nonsense"))


def terminal_tool() -> Onboarding:
    """It ends a run with a tool's own words."""
    agent = saying("Welcome!", tool_call_reply("save_name", name="Ada"))
    agent.config = JourneyConfig(terminal_tools={"save_name"})
    return agent


def limited() -> Onboarding:
    """Its model calls tools and does not find an end."""
    agent = saying("Welcome!", *[tool_call_reply("save_name", name="Nobody")] * 3)
    agent.config = JourneyConfig(limits=RunLimits(max_tool_calls=1))
    return agent


class Leaking(Onboarding):
    async def aclose(self) -> None:
        raise OSError("the backend is gone")


def wordy() -> Onboarding:
    return saying(f"{'word ' * 60}end")


def silent() -> Onboarding:
    return saying("")


class Hanging(ScriptedLLM):
    """Says the beginning of something and never the rest, the first time; later it answers."""

    async def stream(
        self, messages: list[dict[str, Any]], *, tools: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> AsyncIterator[LLMStreamChunk]:
        if not self.calls:
            self.calls.append({})
            yield LLMStreamChunk(delta="Let me think")
            await asyncio.Event().wait()
        async for chunk in super().stream(messages, tools=tools, **kwargs):
            yield chunk


class Stubborn(Hanging):
    """Does not even stop when it is told to."""

    async def stream(
        self, messages: list[dict[str, Any]], *, tools: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> AsyncIterator[LLMStreamChunk]:
        yield LLMStreamChunk(delta="Let me think")
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                yield LLMStreamChunk(delta=" some more")


def hanging() -> Onboarding:
    return Onboarding(Hanging(["", "Welcome back!"]))


def stubborn() -> Onboarding:
    return Onboarding(Stubborn())


@dataclass
class PayState(BaseJourneyState[Step]):
    step: Step = Step.NAME
    paid: int = 0


class PayTools(BaseJourneyTools[PayState]):
    @tool(step=Step.NAME, to=Step.COMPLETE, confirm="Pay {amount} euros?")
    async def pay(self, amount: int) -> str:
        self.state.paid = amount
        return f"Paid {amount}."


class Paying(JourneyAgent[PayState, PayTools, Step]):
    key = "paying"
    prompts = {Step.NAME: "Pay.", Step.COMPLETE: "Thank."}  # noqa: RUF012


def pay(messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None) -> Any:
    """A model that pays when it is asked to, and otherwise says what it has read last."""
    last = messages[-1]
    if last["role"] == "user" and last["content"].isdigit():
        return tool_call_reply("pay", amount=int(last["content"]))
    return f"I read: {last['content']}"


def paying() -> Paying:
    return Paying(ScriptedLLM([pay] * 9))
