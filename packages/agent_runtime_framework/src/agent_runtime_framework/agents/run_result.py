"""A run as its caller gets it who does not listen."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from agent_runtime_core.events import RunEvent, RunFinished
from agent_runtime_core.messages import AgentMessage
from agent_runtime_framework.agents.context import AgentResult

__all__ = ["agent_result", "result_of"]


async def result_of(events: AsyncGenerator[RunEvent, None]) -> AgentResult:
    """A run's stream read to its end."""
    last: RunEvent | None = None
    try:
        async for last in events:  # noqa: B007  # only the last one is wanted
            pass
    except BaseException:
        await events.aclose()
        raise
    assert type(last) is RunFinished  # as every run ends that does not raise
    return agent_result(last)


def agent_result(last: RunFinished) -> AgentResult:
    """What a run came to, from its last event."""
    metadata: dict[str, Any] = {"stopped_reason": last.reason, "tool_calls_made": last.tool_calls_made}
    if last.cost is not None:
        metadata["cost"] = str(last.cost)
    if last.replayed:
        metadata["replayed"] = True
    if last.reason.startswith("approval:"):
        metadata["approval_id"] = last.reason.partition(":")[2]
    messages = list(map(AgentMessage.from_dict, last.messages))
    usage = None if last.reason == "closing_message" else last.usage
    return AgentResult(last.response, messages, last.state, usage, metadata)
