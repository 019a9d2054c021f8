"""What a type checker knows of an adapter and of a hosted journey; `make lint` reads this file, nobody runs it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, assert_type

from agent_runtime_core.contexts import InMemoryRunContext
from agent_runtime_core.interfaces import AgentRuntime, ErrorInfo, RunContext, RunResult
from agent_runtime_core.registry import register_runtime
from agent_runtime_framework import AgentContext, AgentResult, BaseJourneyState, BaseJourneyTools, JourneyAgent
from agent_runtime_framework.adapters import DjangoRuntimeAdapter, create_django_runtime
from agent_runtime_framework.adapters.django import DjangoRunContext, DjangoRunResult
from agent_runtime_framework.tools import ToolSchema


class Step(str, Enum):
    """The steps of the journey."""

    NAME = "name"
    DONE = "done"


@dataclass
class State(BaseJourneyState[Step]):
    """What the journey collects."""

    step: Step = Step.NAME


class Tools(BaseJourneyTools[State]):
    """What the model may do."""


class Crm:
    """What the tools call."""


class Written(DjangoRuntimeAdapter[State, Tools, Step]):
    """An adapter with its methods written out, each as narrow as its author knows."""

    @property
    def key(self) -> str:
        """Its name."""
        return "written"

    def get_initial_state(self) -> State:
        """The beginning."""
        return State()

    def get_system_prompt(self, state: State) -> str:
        """The prompt."""
        return "Be kind."

    def get_tool_schemas(self, state: State) -> list[ToolSchema]:
        """No tools."""
        return []

    def create_tools(self, state: State, ctx: DjangoRunContext, backend_client: Crm) -> Tools:
        """The tools, with the host's context."""
        return Tools(state, backend_client, on_state_change=self._make_state_callback(ctx))

    async def execute_tool(self, tools: Tools, name: str, args: dict[str, Any]) -> str:
        """Runs one."""
        method = getattr(tools, name)
        return str(await method(**args))

    async def on_state_change(self, ctx: DjangoRunContext, state: State) -> None:
        """Announces a change."""
        await super().on_state_change(ctx, state)


class TooFew(DjangoRuntimeAdapter[State, Tools, Step]):
    """An adapter whose tools would lack the backend."""

    def create_tools(self, state: State, ctx: Any) -> Tools:  # type: ignore[override]
        """The tools."""
        return Tools(state)


async def what_a_run_gives(agent: JourneyAgent[State, Tools, Step], host: RunContext, ctx: AgentContext) -> None:
    """Each kind of context has its own kind of result."""
    assert_type(await agent.run(ctx), AgentResult)
    assert_type(await agent.run(host), RunResult)
    assert_type(await agent.on_error(host, ValueError()), ErrorInfo)


def what_goes_where(ctx: InMemoryRunContext) -> tuple[DjangoRunContext, DjangoRunResult]:
    """The core's contexts and results are an adapter's."""
    adapter = create_django_runtime(Written, backend_client=Crm(), max_tool_iterations=3)
    assert_type(adapter, Written)
    runtime: AgentRuntime = adapter
    register_runtime(runtime)
    host: DjangoRunContext = ctx
    result: DjangoRunResult = RunResult()
    return host, result
