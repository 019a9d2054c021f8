"""The journey that most tests of the framework drive: welcome, name, age, done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from packages.agent_runtime_framework.tests.host_runs import Run, context_class

from agent_runtime_core.interfaces import CheckpointStore
from agent_runtime_core.stores import open_store
from agent_runtime_framework import (
    AgentContext,
    AgentMessage,
    BaseJourneyState,
    BaseJourneyTools,
    FrameworkConfig,
    JourneyAgent,
    ToolSchema,
    ToolSchemaBuilder,
    set_config,
)


class Step(str, Enum):
    WELCOME = "welcome"
    NAME = "name"
    AGE = "age"
    DONE = "done"


@dataclass
class State(BaseJourneyState[Step]):
    step: Step = Step.WELCOME
    name: str = ""
    age: int = 0
    notes: list[str] = field(default_factory=list)

    def is_complete(self) -> bool:
        return self.step is Step.DONE

    def to_dict(self) -> dict[str, Any]:
        return {"step": self.step.value, "name": self.name, "age": self.age, "notes": self.notes}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        return cls(Step(data["step"]), data["name"], data["age"], list(data["notes"]))


class Tools(BaseJourneyTools[State]):
    ran: list[str] = []  # noqa: RUF012  # replaced for every agent by the fixture

    async def save_name(self, name: str) -> str:
        self.ran.append("save_name")
        self.state.name = name
        self.state.step = Step.AGE
        await self._notify_state_change()
        return f"Saved {name}."

    async def save_age(self, age: int) -> str:
        self.ran.append("save_age")
        self.state.age = age
        self.state.step = Step.DONE
        return f"Saved {age}."

    async def note(self, text: str) -> str:
        self.ran.append("note")
        self.state.notes.append(text)
        return "Noted."

    async def explode(self) -> str:
        self.ran.append("explode")
        self.state.name = "half done"
        self.state.notes.append("half done")
        self.state.step = Step.DONE
        raise RuntimeError("the backend is down")

    async def hang(self) -> str:
        self.ran.append("hang")
        self.state.notes.append("waiting")
        await asyncio.Event().wait()
        return "never"

    async def odd(self, kind: str) -> Any:
        return {"none": None, "dict": {"a": [1, "ä"]}, "number": 3, "bytes": b"\xff", "object": object}[kind]

    async def unstorable(self) -> str:
        self.state.notes.append(object())  # type: ignore[arg-type]
        return "Done."

    async def _secret(self) -> str:
        self.ran.append("_secret")
        return "secret"


PROMPTS = {
    Step.WELCOME: "Greet the user and ask for the name.",
    Step.NAME: "Ask for the name.",
    Step.AGE: "Ask for the age.",
    Step.DONE: "Thank the user.",
}

EVERYWHERE = [
    ToolSchemaBuilder("note").description("Take a note").param("text", "string", "The note", required=True).build(),
    ToolSchemaBuilder("explode").description("Fail").build(),
    ToolSchemaBuilder("hang").description("Wait").build(),
    ToolSchemaBuilder("odd").description("Odd results").param("kind", "string", required=True).build(),
    ToolSchemaBuilder("unstorable").description("Break the state").build(),
]

OFFERED = {
    Step.WELCOME: [],
    Step.NAME: [
        ToolSchemaBuilder("save_name").description("Save the name").param("name", "string", required=True).build(),
        *EVERYWHERE,
    ],
    Step.AGE: [
        ToolSchemaBuilder("save_age").description("Save the age").param("age", "integer", required=True).build(),
        *EVERYWHERE,
    ],
    Step.DONE: [],
}


class Agent(JourneyAgent[State, Tools, Step]):
    key = "signup"
    start = Step.NAME

    def get_initial_state(self) -> State:
        return State(step=self.start)

    def get_system_prompt(self, state: State) -> str:
        return PROMPTS[state.step]

    def get_tool_schemas(self, state: State) -> list[ToolSchema]:
        return OFFERED[state.step]

    def create_tools(self, state: State, ctx: AgentContext) -> Tools:
        return Tools(state=state)

    async def execute_tool(self, tools: Tools, name: str, arguments: dict[str, Any], /) -> Any:
        return await getattr(tools, name)(**arguments)


@pytest.fixture(params=["memory", "sqlite", "postgresql", "redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[CheckpointStore]:
    """An empty store, each of ours in turn."""
    urls = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path}/journeys.db"}
    url = urls.get(request.param) or request.getfixturevalue(f"{request.param}_url")
    async with open_store(url) as opened:  # type: ignore[attr-defined]  # every store of ours is a context manager
        yield opened


@pytest.fixture
def signup(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The journey's classes, and `ran`: the tools that have run, in order."""
    ran: list[str] = []
    monkeypatch.setattr(Tools, "ran", ran)
    return SimpleNamespace(Agent=Agent, State=State, Tools=Tools, Step=Step, PROMPTS=PROMPTS, ran=ran)


@pytest.fixture
def context():
    """Makes an `AgentContext` of texts of the user and messages."""

    def make(*messages: str | AgentMessage, conversation_id: Any = None) -> AgentContext:
        given = [AgentMessage("user", each) if isinstance(each, str) else each for each in messages]
        return AgentContext(uuid4(), conversation_id or uuid4(), given)

    return make


@pytest.fixture(params=["memory", "file"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Run]:
    """Makes a run of the user's messages as a host does, in each context of the core."""
    return partial(Run, context_class(request.param, tmp_path))


@pytest.fixture(autouse=True)
def production_mode():
    """Every test begins in production mode, whatever the one before has configured."""
    set_config(FrameworkConfig())
    yield
    set_config(FrameworkConfig())
