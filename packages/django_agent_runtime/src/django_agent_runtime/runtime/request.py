"""A run as its engine is asked for it."""

from __future__ import annotations

from agent_runtime_core.interfaces.runs import RunRequest
from django_agent_runtime.models import AgentRun

__all__ = ["request_of"]


def request_of(run: AgentRun) -> RunRequest:
    """A request that names the row; whoever does the run reads it. The runs of a conversation go one at a time."""
    return RunRequest(
        run_id=str(run.pk),
        agent_key=run.agent_key,
        order_key=str(run.conversation_id or run.pk),
        max_attempts=max(1, run.max_attempts),
    )
