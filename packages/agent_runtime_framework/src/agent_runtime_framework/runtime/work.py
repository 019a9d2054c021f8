"""What a worker does for a run: the agent's own run, with a journal."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any
from uuid import UUID

from agent_runtime_core.contexts.durable import DurableRunContext
from agent_runtime_core.errors import ConfigError
from agent_runtime_core.events import RunEvent, RunFinished, TextDelta
from agent_runtime_core.interfaces.run_engine import DurableContext
from agent_runtime_core.interfaces.runs import RunEnd, RunStatus
from agent_runtime_framework.agents.durable_journal import DurableJournal
from agent_runtime_framework.agents.journey_run import JourneyRun
from agent_runtime_framework.agents.kept_conversations import KeptConversations
from agent_runtime_framework.runtime.reminding import reminded
from agent_runtime_framework.runtime.tasks import Task

__all__ = ["AgentWork"]


class AgentWork:
    """Does the runs of some agents.

    Args:
        agents: The agents by their keys: journeys and routers, and other agents with a `run(ctx)`.
    """

    def __init__(self, agents: Mapping[str, Any]) -> None:
        self._agents = agents

    async def __call__(self, ctx: DurableContext) -> RunEnd:
        """Do one run.

        Raises:
            ConfigError: This process does not have the agent.
            Exception: What the agent raises.
        """
        agent = self._agents.get(ctx.request.agent_key)
        if agent is None:
            known = ", ".join(sorted(self._agents))
            raise ConfigError(f"this worker has no agent {ctx.request.agent_key!r}; it has {known}.")
        if not isinstance(agent, KeptConversations):
            return await _done_by_runtime(agent, ctx)
        task = Task.of(ctx.request)
        if task.verdict is not None:
            return await _decided(agent, task, ctx)
        if task.reminder is not None:
            return await reminded(agent, task, task.reminder, ctx, _performed)
        assert task.text is not None
        run = agent._conversation(
            task.conversation_id, task.text, task.message_id, "queue", task.owner, run_id=UUID(ctx.request.run_id)
        )
        return await _performed(agent, run, ctx)


async def _performed(agent: KeptConversations[Any], run: JourneyRun, ctx: DurableContext) -> RunEnd:
    """The end of a run that the agent does."""

    async def tell_text(text: str) -> None:
        await ctx.emit_delta({"kind": TextDelta.kind, "text": text})

    journal = DurableJournal(ctx, run, tell_text)
    run.keep_journal(journal, ctx.cancelled)
    last: RunEvent | None = None
    events: AsyncGenerator[RunEvent, None] = agent._events(run, streaming=True)
    async with aclosing(events):
        async for last in events:
            await journal.tell(last)
    assert isinstance(last, RunFinished)  # as every run ends that does not raise
    status = RunStatus.CANCELLED if last.reason == "cancelled" else RunStatus.SUCCEEDED
    return RunEnd(result=last.to_dict(), status=status)


async def _decided(agent: KeptConversations[Any], task: Task, ctx: DurableContext) -> RunEnd:
    """The end of the run in which a person's answer is carried out."""
    verdict = task.verdict
    assert verdict is not None
    message_id = f"approval:{verdict.approval_id}"
    while True:
        run = await agent._verdict_run(
            task.conversation_id, verdict, message_id, task.owner, run_id=UUID(ctx.request.run_id)
        )
        end = await _performed(agent, run, ctx)
        if not end.result.get("replayed") or await agent._is_decided(task.conversation_id, verdict, task.owner):
            return end
        message_id += "+"  # a run of another message took this one along before the answer was stored


async def _done_by_runtime(agent: Any, ctx: DurableContext) -> RunEnd:
    """The end of a run of an agent that is no journey."""
    given = ctx.request.input
    run_ctx = DurableRunContext(
        ctx,
        conversation_id=given.get("conversation_id"),
        input_messages=given.get("messages"),
        params=given.get("params"),
        metadata=given.get("metadata"),
    )
    result = await agent.run(run_ctx)
    status = RunStatus.CANCELLED if ctx.cancelled() else RunStatus.SUCCEEDED
    names = ("final_output", "final_messages", "usage", "artifacts")
    return RunEnd(result={name: getattr(result, name, None) for name in names}, status=status)
