"""What a type checker knows of a journey; `make lint` reads this file, nobody runs it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import Enum
from typing import Any, assert_never, assert_type
from uuid import UUID

from agent_runtime_core.events import (
    LLMCallFinished,
    LLMCallStarted,
    RunEvent,
    RunFailed,
    RunFinished,
    RunStarted,
    StepChanged,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
)
from agent_runtime_core.interfaces.checkpoint_store import CheckpointStore
from agent_runtime_core.messages import AgentMessage
from agent_runtime_core.stores import InMemoryCheckpointStore
from agent_runtime_core.testing import ScriptedLLM
from agent_runtime_framework import (
    AgentContext,
    AgentResult,
    BaseJourneyState,
    BaseJourneyTools,
    ExecutorHooks,
    JourneyAgent,
    JourneyConfig,
    LoggingHooks,
    ToolSchema,
    ToolSchemaBuilder,
)


class Step(str, Enum):
    """The steps of the journey."""

    NAME = "name"
    DONE = "done"


@dataclass
class State(BaseJourneyState[Step]):
    """What the journey collects."""

    step: Step = Step.NAME
    name: str = ""

    def is_complete(self) -> bool:
        """Whether the journey has arrived."""
        return self.step is Step.DONE

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"step": self.step.value, "name": self.name}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        """Read plain data."""
        return cls(Step(data["step"]), data["name"])


class Tools(BaseJourneyTools[State]):
    """The tools of the journey."""

    async def save_name(self, name: str) -> str:
        """Save the name."""
        assert_type(self.state, State)
        self.state.name = name
        await self._notify_state_change()
        return "Saved."


class Signup(JourneyAgent[State, Tools, Step]):
    """A journey with a property as key and a result that is a text, as the quick start has them."""

    @property
    def key(self) -> str:
        """The journey's name."""
        return "signup"

    def get_initial_state(self) -> State:
        """The beginning."""
        return State()

    def get_system_prompt(self, state: State) -> str:
        """The prompt of the step."""
        return state.step.value

    def get_tool_schemas(self, state: State) -> list[ToolSchema]:
        """The tools of the step."""
        return [ToolSchemaBuilder("save_name").param("name", "string", required=True).build()]

    def create_tools(self, state: State, ctx: AgentContext) -> Tools:
        """The tools object."""
        return Tools(state=state)

    async def execute_tool(self, tools: Tools, name: str, arguments: dict[str, Any]) -> str:
        """Run a tool."""
        result: str = await getattr(tools, name)(**arguments)
        return result


class Named(Signup):
    """The same with a plain class attribute, and with other parameter names."""

    key = "named"

    async def execute_tool(self, tools: Tools, name: str, args: dict[str, Any]) -> str:
        """Run a tool."""
        return ""

    async def load_state(self, ctx: AgentContext) -> State | None:
        """Load it."""
        return assert_type(await super().load_state(ctx), State | None)

    async def save_state(self, ctx: AgentContext, state: State) -> None:
        """Save it."""
        await super().save_state(ctx, state)

    def next_step(self, state: State) -> Step | None:
        """Stay."""
        return assert_type(super().next_step(state), Step | None)


async def conversations(conversation: UUID) -> None:
    """The methods of an agent, and what they give."""
    agent = Signup(ScriptedLLM(), JourneyConfig(3), store="sqlite:///journeys.db", hooks=LoggingHooks())

    assert_type(await agent.send("c", "hello"), AgentResult)
    assert_type(await agent.send(conversation, "hello"), AgentResult)
    assert_type(agent.stream(conversation, "hello"), AsyncGenerator[RunEvent, None])
    assert_type(await agent.run(AgentContext(conversation, None, [])), AgentResult)
    assert_type(agent.run_stream(AgentContext(conversation, "c", [])), AsyncGenerator[RunEvent, None])
    assert_type(await agent.get_state("c"), State | None)
    assert_type(await agent.get_history("c"), list[AgentMessage])
    assert_type(agent.get_initial_state(), State)
    assert_type(agent.next_step(State()), Step | None)
    assert_type(agent.key, str)
    assert_type(agent.config, JourneyConfig)
    assert_type(agent.store, CheckpointStore)
    assert_type(agent.hooks, ExecutorHooks | None)

    async with agent as entered:
        assert_type(entered, Signup)


async def wrong(agent: Signup, other: InMemoryCheckpointStore) -> None:
    """What a type checker must not let through."""
    Signup(store=3)  # type: ignore[arg-type]
    Signup(object())  # type: ignore[arg-type]
    Signup(store=other)
    await agent.send(3, "hello")  # type: ignore[arg-type]
    await agent.send("c", b"hello")  # type: ignore[arg-type]
    agent.get_system_prompt("name")  # type: ignore[arg-type]
    JourneyAgent()  # type: ignore[abstract]


async def events(agent: Signup) -> None:
    """Every event can be matched, and a forgotten one would be an error here."""
    async for event in agent.stream("c", "hello"):
        match event:
            case TextDelta(text=text):
                assert_type(text, str)
            case RunFinished(response=response, state=state):
                assert_type(response, str)
                assert_type(state, dict[str, Any] | None)
            case RunFailed(error=error):
                assert_type(error, Exception)
            case StepChanged() | RunStarted() | TurnFinished():
                assert_type(event.to_dict(), dict[str, Any])
            case LLMCallStarted() | LLMCallFinished() | ToolCallStarted() | ToolCallFinished():
                assert_type(event.to_dict(), dict[str, Any])
            case _:
                assert_never(event)


def state_types(state: State) -> None:
    """A state knows its step."""
    assert_type(state.get_step(), Step)
    assert_type(state.step, Step)
    assert_type(state.copy(), State)
    state.set_step(Step.DONE)
    state.set_step("done")  # type: ignore[arg-type]
