"""A reminder whose time has come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any
from uuid import UUID

from agent_runtime_core.errors import ConfigError, StoreConflict, VersionNotFound
from agent_runtime_core.interfaces import Checkpoint
from agent_runtime_core.interfaces.run_engine import DurableContext
from agent_runtime_core.interfaces.runs import RunEnd
from agent_runtime_core.messages import whole_text
from agent_runtime_framework.agents.context import AgentContext, checked_owner
from agent_runtime_framework.agents.journey_agent import JourneyAgent
from agent_runtime_framework.agents.journey_router import JourneyRouter
from agent_runtime_framework.agents.journey_run import JourneyRun
from agent_runtime_framework.agents.kept_conversations import KeptConversations
from agent_runtime_framework.agents.step_hooks import moved_on
from agent_runtime_framework.runtime.reminder import Reminder
from agent_runtime_framework.runtime.tasks import Task

__all__ = ["reminded", "step_named"]

Perform = Callable[[KeptConversations[Any], JourneyRun, DurableContext], Awaitable[RunEnd]]
"""Does a run of an agent."""


async def reminded(
    agent: KeptConversations[Any], task: Task, reminder: Reminder, ctx: DurableContext, perform: Perform
) -> RunEnd:
    """Do what the reminder says, unless the user has written since, or the conversation is gone."""
    number = 0
    while True:
        while ctx.recorded(_base(number)):  # tried by an earlier attempt, of which nobody knows what came of it
            version = await ctx.step(_base(number), _nothing)
            if await _was_said(agent, task, reminder, version):
                return _end("reminder", reminder.says or "")
            number += 1
        checkpoint = await agent.store.load(task.conversation_id, agent.key, max_messages=0, owner=task.owner)
        if await _is_void(agent, task, reminder, checkpoint):
            return _end("superseded", "")
        if reminder.prompt is not None:
            run = agent._conversation(
                task.conversation_id,
                f"[Reminder, not written by the user: {reminder.prompt}]",
                f"reminder:{ctx.request.run_id}",
                "queue",
                task.owner,
                is_users=False,
                run_id=UUID(ctx.request.run_id),
            )
            return await perform(agent, run, ctx)

        async def version_now(version: int = checkpoint.version) -> int:
            return version

        await ctx.step(_base(number), version_now)
        number += 1
        try:
            await _said(agent, task, reminder, ctx, checkpoint)
        except StoreConflict:
            continue  # somebody else has written to the conversation just now: perhaps its user
        return _end("reminder", reminder.says or "")


def _base(number: int) -> str:
    """The step of the journal that holds on which version the words were to be written."""
    return f"reminder:base:{number}"


async def _nothing() -> None:
    return None


async def _was_said(agent: KeptConversations[Any], task: Task, reminder: Reminder, version: int) -> bool:
    """Whether the commit on top of this version is the reminder's."""
    load = agent.store.load
    try:
        then = await load(task.conversation_id, agent.key, max_messages=1, at_version=version + 1, owner=task.owner)
        before = await load(task.conversation_id, agent.key, max_messages=0, at_version=version, owner=task.owner)
    except VersionNotFound:
        return False  # nothing was written
    if reminder.says:
        words = {"role": "assistant", "content": whole_text(reminder.says)}
        return then.message_count == before.message_count + 1 and then.messages == [words]
    return then.message_count == before.message_count and then.state != before.state


async def _is_void(agent: KeptConversations[Any], task: Task, reminder: Reminder, checkpoint: Checkpoint) -> bool:
    """Whether there is nothing to be reminded of any more."""
    if checkpoint.version == 0:  # erased, or never begun
        return True
    if not reminder.until_reply:
        return False
    since = await agent.store.history(task.conversation_id, start=task.since, owner=task.owner)
    return any(message.get("role") == "user" for message in since)


async def _said(
    agent: KeptConversations[Any], task: Task, reminder: Reminder, ctx: DurableContext, checkpoint: Checkpoint
) -> None:
    """Write the words into the conversation and move the journey, in one commit.

    Raises:
        StoreConflict: The conversation is at another version by now; nothing was written.
    """
    messages = [{"role": "assistant", "content": whole_text(reminder.says)}] if reminder.says else []
    if reminder.to is None:
        await agent.store.commit(
            task.conversation_id,
            agent.key,
            expected_version=checkpoint.version,
            messages=messages,
            owner=task.owner,
        )
    else:
        assert isinstance(agent, JourneyAgent)  # as it was checked when the reminder was asked for
        context = AgentContext(UUID(ctx.request.run_id), task.conversation_id, [], owner=checked_owner(task.owner))
        log = agent._conversation_log()
        log.opened(context, checkpoint)
        state = await agent.load_state(context) or agent.get_initial_state()
        before = state.get_step()
        await moved_on(agent, state, context, step_named(agent, reminder.to))
        await log.commit(context, state.to_dict(), messages, state_version=agent.version)
        after = state.get_step()
        if after != before:
            event = {"kind": "step_changed", "from_step": _plain(before), "to_step": _plain(after)}
            await ctx.emit("reminder:step_changed", event)


def step_named(agent: Any, value: Any) -> Any:
    """The step of a journey that has this value.

    Raises:
        ConfigError: The agent is no journey, such as a router, or has no such step; the text lists those it has.
    """
    if not isinstance(agent, JourneyAgent) or isinstance(agent, JourneyRouter):
        kind = "a router, whose journeys have steps of their own" if isinstance(agent, JourneyRouter) else "no journey"
        raise ConfigError(f"{agent.key!r} is {kind}: a reminder can only move a journey to a step (to=...).")
    step = agent.get_initial_state().get_step()
    steps = list(type(step)) if isinstance(step, Enum) else []
    for each in steps:
        if value in (each, each.value):
            return each
    known = ", ".join(repr(each.value) for each in steps)
    raise ConfigError(f"journey {agent.key!r} has no step {value!r}; it has {known}.")


def _plain(step: Any) -> Any:
    return step.value if isinstance(step, Enum) else step


def _end(reason: str, response: str) -> RunEnd:
    result: dict[str, Any] = {"kind": "run_finished", "response": response, "reason": reason}
    messages = [{"role": "assistant", "content": response}] if response else []
    return RunEnd(result={**result, "messages": messages, "usage": {}, "tool_calls_made": 0, "state": None})
