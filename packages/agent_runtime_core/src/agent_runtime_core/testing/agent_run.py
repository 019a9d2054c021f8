"""One run of an agent in a test."""

from __future__ import annotations

from typing import Any, Protocol

from agent_runtime_core.interfaces import RunResult, Tool
from agent_runtime_core.testing.run_context import MockRunContext, create_test_context

__all__ = ["run_agent_test"]


class _Runs(Protocol):
    """What can be run: an `AgentRuntime`, or anything with its `run`."""

    async def run(self, ctx: Any) -> Any:
        """Do one run."""
        ...


async def run_agent_test(
    agent: _Runs, message: str, *, tools: list[Tool] | None = None, metadata: dict[str, Any] | None = None
) -> tuple[RunResult, MockRunContext]:
    """Run an agent on one message; what came of it, and the context that recorded the run.

    Args:
        agent: The agent.
        message: What the user says.
        tools: Tools that the host offers.
        metadata: Notes of the host.

    Raises:
        Exception: Whatever the agent raises.
    """
    ctx = create_test_context(message, tools=tools, metadata=metadata)
    return await agent.run(ctx), ctx
