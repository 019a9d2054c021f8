"""A journey's answers to the engine's two questions: what does the model see now, and what does this call come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_runtime_core.events import ToolOutcome
from agent_runtime_core.messages import ToolCall
from agent_runtime_framework.agents.context import AgentContext
from agent_runtime_framework.executor.engine import TurnSetup
from agent_runtime_framework.tools.execution import call_tool

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["JourneyTurns"]


class JourneyTurns:
    """One run of a journey as the engine sees it: one state object, asked anew at every turn.

    Args:
        agent: The journey.
        state: Its state, changed in place by the tools.
        ctx: The request.
        check: Called with the state after each tool; what it raises counts as the tool's own failure.
    """

    __slots__ = ("_agent", "_check", "_ctx", "_tools", "offered", "state")

    def __init__(
        self,
        agent: JourneyAgent[Any, Any, Any],
        state: Any,
        ctx: AgentContext,
        check: Callable[[Any], object] | None,
    ) -> None:
        self._agent = agent
        self._ctx = ctx
        self._check = check
        self._tools: Any = None
        self.state = state
        """The journey's state."""
        self.offered: list[dict[str, Any]] = []
        """The tools offered at the present step, in OpenAI's form."""

    def prepare_turn(self) -> TurnSetup:
        """The prompt and the tools of the step as it is now."""
        agent, state = self._agent, self.state
        self._tools = agent.create_tools(state, self._ctx)
        self._refresh_offer()
        return TurnSetup(agent.get_system_prompt(state), self.offered or None, {})

    async def call_tool(self, call: ToolCall, timeout_s: float | None) -> ToolOutcome:
        """Run a call, if its tool is offered at the present step: an earlier call of the reply may have moved it."""
        step = self.state.get_step()
        offer = {each["function"]["name"]: each["function"] for each in self.offered}
        outcome = await call_tool(
            call, self._invoke, offer=offer, timeout_s=timeout_s, state=self.state, check=self._check
        )
        if self.state.get_step() != step:
            self._refresh_offer()
        return outcome

    async def _invoke(self, name: str, arguments: dict[str, Any]) -> Any:
        return await self._agent.execute_tool(self._tools, name, arguments)

    def _refresh_offer(self) -> None:
        self.offered = [schema.to_openai_format() for schema in self._agent.get_tool_schemas(self.state)]
