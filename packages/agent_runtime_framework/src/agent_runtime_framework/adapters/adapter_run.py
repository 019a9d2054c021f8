"""One run of an adapter: its tools get the host's context, and each change they announce is a checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_runtime_core.events import ToolOutcome
from agent_runtime_core.messages import ToolCall
from agent_runtime_framework.agents.context import AgentContext
from agent_runtime_framework.agents.hosted_context import HostedContext
from agent_runtime_framework.agents.journey_run import JourneyRun
from agent_runtime_framework.agents.turn import Incoming
from agent_runtime_framework.agents.verdict import Verdict

if TYPE_CHECKING:
    from agent_runtime_framework.adapters.django import DjangoRuntimeAdapter

__all__ = ["AdapterRun", "host_of"]


class AdapterRun(JourneyRun):
    """A journey's run, as an adapter is asked.

    Args:
        adapter: The adapter.
        ctx: The request.
        incoming: The user's message; see `JourneyRun`.
        verdict: A person's answer; see `JourneyRun`.
    """

    def __init__(
        self,
        adapter: DjangoRuntimeAdapter[Any, Any, Any],
        ctx: AgentContext,
        incoming: Incoming | None = None,
        verdict: Verdict | None = None,
    ) -> None:
        super().__init__(adapter, ctx, incoming, verdict)
        self._adapter = adapter
        self._is_hosted = isinstance(ctx, HostedContext)
        self._host = host_of(ctx)
        self._has_told = False  # the tool that runs has announced a change

    async def call_tool(self, call: ToolCall, timeout_s: float | None) -> ToolOutcome:
        """Run a call. What a tool has announced and then undone is announced again, as it is now."""
        self._has_told = False
        try:
            outcome = await super().call_tool(call, timeout_s)
        except Exception:
            await self._take_back()
            raise
        if outcome.status != "ok":
            await self._take_back()
        return outcome

    async def _take_back(self) -> None:
        if self._has_told:
            self._has_told = False
            await self._adapter.on_state_change(self._host, self._state)

    def _new_tools(self) -> Any:
        tools = super()._new_tools()
        if self._is_hosted and hasattr(tools, "on_state_change"):
            told = self._adapter._make_state_callback(self._host)

            async def tell(state: Any) -> None:
                self._has_told = True
                await told(state)

            tools.on_state_change = tell
        return tools


def host_of(ctx: AgentContext) -> Any:
    """The host's context; of a run that no host has made, the context itself."""
    return ctx.host if isinstance(ctx, HostedContext) else ctx
