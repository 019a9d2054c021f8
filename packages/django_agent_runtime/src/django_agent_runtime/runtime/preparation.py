"""What an agent is given for a run, by what it keeps itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from agent_runtime_core.interfaces.run_engine import DurableContext
from django_agent_runtime.conf import runtime_settings
from django_agent_runtime.models import AgentRun
from django_agent_runtime.models.names import ANSWERS
from django_agent_runtime.runtime.event_log import EventLog
from django_agent_runtime.runtime.journey_signals import JourneySignals
from django_agent_runtime.runtime.outcome import added_messages
from django_agent_runtime.runtime.patience import persistently
from django_agent_runtime.runtime.runner import RunContextImpl
from django_agent_runtime.runtime.stored_agents import keeps_conversations
from django_agent_runtime.runtime.superseding import go_back, supersedes
from django_agent_runtime.stores.database import Database

__all__ = ["Preparation", "prepare"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """A run that can begin."""

    ctx: RunContextImpl
    signals: JourneySignals
    own: int
    """How many of the messages are the run's; the others are history."""
    keeps_messages: bool
    """Whether the history is written when the run has succeeded; not where the agent does that."""

    def new_messages(self, output: dict[str, Any]) -> list[str]:
        """What a successful run adds to the history, as JSON texts.

        Raises:
            TypeError: It is no JSON data.
        """
        return added_messages(output, self.ctx.input_messages, self.own) if self.keeps_messages else []


async def prepare(run: AgentRun, runtime: Any, durable: DurableContext, log: EventLog) -> Preparation:
    """Make the context of a run.

    An agent that keeps its conversations reads its history itself, and gets what came in; any other one gets both.
    """
    database = Database(None)
    is_kept = keeps_conversations(runtime) and run.conversation_id is not None
    history: list[dict[str, Any]] = []
    if is_kept:
        if await persistently(run.pk, lambda: database.run(partial(supersedes, run=run))):
            await persistently(run.pk, lambda: database.run(partial(go_back, run=run)))
    elif runtime_settings().INCLUDE_CONVERSATION_HISTORY:
        history = await persistently(run.pk, lambda: database.run(partial(_history, run=run)))
    own = [message for message in run.input.get("messages") or [] if isinstance(message, dict)]
    signals = JourneySignals(run)
    ctx = RunContextImpl(
        run.pk,
        agent_key=run.agent_key,
        log=log,
        database=database,
        keeps_states=not is_kept,
        durable=durable,
        observer=signals.observe,
        approval=_approval(run),
        conversation_id=run.conversation_id,
        input_messages=[*history, *own],
        params=run.input.get("params") or {},
        metadata=run.metadata,
    )
    return Preparation(ctx=ctx, signals=signals, own=len(own), keeps_messages=not is_kept)


def _approval(run: AgentRun) -> Any:
    """The person's answer; of a run that a project has made of what a client sent, none."""
    return run.input.get("approval") if run.owner_key.startswith(ANSWERS) else None


def _history(alias: str, *, run: AgentRun) -> list[dict[str, Any]]:
    limit = runtime_settings().MAX_HISTORY_MESSAGES
    if run.conversation is None or limit == 0:
        return []
    return run.conversation.get_message_history(limit=limit)
