"""One run of a journey: the engine's events, with the journey's steps and commits among them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from agent_runtime_core.events import (
    RunEvent,
    RunFinished,
    RunStarted,
    StepChanged,
    ToolCallFinished,
    TurnFinished,
)
from agent_runtime_core.messages import AgentMessage, MessageDict
from agent_runtime_framework.agents.context import AgentContext, AgentResult
from agent_runtime_framework.agents.conversation import check_state, state_data, window
from agent_runtime_framework.agents.journey_turns import JourneyTurns
from agent_runtime_framework.executor.engine import Engine
from agent_runtime_framework.executor.hooks import ExecutorHooks, observed

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["result_of", "run_journey"]


async def run_journey(
    agent: JourneyAgent[Any, Any, Any], ctx: AgentContext, new_message: MessageDict | None, *, streaming: bool
) -> AsyncGenerator[RunEvent, None]:
    """Tell one run of a journey; the last event is `RunFinished`.

    Args:
        agent: The journey.
        ctx: The request.
        new_message: The user's message in a conversation that the agent keeps: then every turn is committed.
            None when the caller keeps the messages: then only the state is saved, at the end.
        streaming: Whether to use the client's `stream`, where it has one.
    """
    client = agent.client()
    log = agent.log()
    config = agent.config
    if new_message is None:
        messages = ctx.wire_messages()
    else:
        checkpoint = await log.open(ctx, max_messages=config.max_history_messages)
        messages = window(checkpoint.messages, cut=len(checkpoint.messages) < checkpoint.message_count)
        messages.append(new_message)
        ctx.input_messages = [AgentMessage.from_dict(message) for message in messages]
    uncommitted = len(messages) - 1  # where the messages begin that are not in the store yet
    state = await agent.load_state(ctx)
    if state is None:
        state = agent.get_initial_state()
    step = state.get_step()
    yield RunStarted(run_id=ctx.run_id, conversation_id=ctx.conversation_id, agent_key=agent.key, step=step)
    if agent.is_terminal_state(state):
        said = ctx.get_user_message()
        if said is not None and agent.is_closing_message(said):
            if new_message is not None:
                await log.commit(ctx, state_data(state), [new_message])
            yield RunFinished(response="", reason="closing_message", messages=[], usage={}, state=state_data(state))
            return
    turns = JourneyTurns(agent, state, ctx, check=None if new_message is None else check_state)
    engine = Engine(
        client=client,
        messages=messages,
        prepare_turn=turns.prepare_turn,
        call_tool=turns.call_tool,
        max_iterations=config.max_tool_iterations,
        limits=config.limits,
        terminal_tools=config.terminal_tools,
        streaming=streaming,
        closing_call=True,
        closing_text=config.closing_text,
    )
    async with aclosing(engine.run()) as events:
        async for event in events:
            if isinstance(event, TurnFinished):
                if event.reason == "text_response" and not turns.offered and messages[-1]["content"]:
                    _leave_talking_step(agent, state)
                    if step != (now := state.get_step()):
                        yield StepChanged(from_step=step, to_step=now)
                        step = now
                if new_message is not None:
                    await log.commit(ctx, state_data(state), messages[uncommitted:])
                    uncommitted = len(messages)
            elif isinstance(event, RunFinished):
                await agent.save_state(ctx, state)
                event = _with_state(event, state)
            yield event
            if isinstance(event, ToolCallFinished) and step != (now := state.get_step()):
                yield StepChanged(from_step=step, to_step=now)
                step = now


def _leave_talking_step(agent: JourneyAgent[Any, Any, Any], state: Any) -> None:
    """Move on from a step that offers no tools and has spoken: nothing else could."""
    if not agent.is_terminal_state(state):
        target = agent.next_step(state)
        if target is not None:
            state.set_step(target)


def _with_state(event: RunFinished, state: Any) -> RunFinished:
    return RunFinished(
        response=event.response,
        reason=event.reason,
        messages=event.messages,
        usage=event.usage,
        tool_calls_made=event.tool_calls_made,
        state=state_data(state),
    )


async def result_of(events: AsyncGenerator[RunEvent, None], hooks: ExecutorHooks | None) -> AgentResult:
    """A run's stream read to its end."""
    finished: RunFinished | None = None
    async with aclosing(events if hooks is None else observed(events, hooks)) as told:
        async for event in told:
            if isinstance(event, RunFinished):
                finished = event
    assert finished is not None  # the last event of every run that does not raise
    return AgentResult(
        response=finished.response,
        messages=[AgentMessage.from_dict(message) for message in finished.messages],
        state=finished.state,
        usage=None if finished.reason == "closing_message" else finished.usage,
        metadata={"stopped_reason": finished.reason, "tool_calls_made": finished.tool_calls_made},
    )
