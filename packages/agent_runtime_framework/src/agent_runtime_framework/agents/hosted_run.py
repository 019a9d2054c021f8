"""One run that a host has made: its message goes to a journey, what happens goes to the host's events."""

from __future__ import annotations

import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

from agent_runtime_core.errors import ConfigError, JourneyError, LLMRejected
from agent_runtime_core.events import RunEvent, RunFinished, TextDelta, ToolCallFinished, ToolCallStarted
from agent_runtime_core.interfaces import ErrorInfo, EventType, RunContext, RunResult
from agent_runtime_core.interfaces.run_engine import DurableContext
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.stores import InMemoryCheckpointStore
from agent_runtime_framework.agents.conversation import shown
from agent_runtime_framework.agents.durable_journal import DurableJournal
from agent_runtime_framework.agents.hosted_context import HostedContext
from agent_runtime_framework.agents.hosted_state import HostedState
from agent_runtime_framework.agents.journey_run import JourneyRun
from agent_runtime_framework.agents.turn import Incoming
from agent_runtime_framework.agents.verdict import Verdict
from agent_runtime_framework.agents.verdict_events import verdict_events

if TYPE_CHECKING:
    from agent_runtime_framework.agents.kept_conversations import KeptConversations

__all__ = ["described", "run_hosted"]

_SHOWN_OF_A_RESULT = 500
"""Characters of a tool's result in an event; the model and the messages get all of it."""

_LASTING = (ConfigError, JourneyError, LLMRejected)
"""Errors that another try does not mend."""


async def run_hosted(agent: KeptConversations[Any], host: RunContext) -> RunResult:
    """Run a journey for a host.

    An agent that was given a store keeps the conversation there, as with `send`: the user's last message goes in under
    the run's id, so that another try of the run takes it up where the first was, or gives the stored answer. Without
    one the host keeps it: its `input_messages` are the conversation, its checkpoints hold the state.

    The host gets `tool.call`, `tool.result`, the answer as `assistant.message`, and a checkpoint of the state at the
    end; with the parameter `"stream": true` also `assistant.delta`, `{"content": piece}`, while the model writes. A run
    that was cut short, or that waits for a person, says so in `artifacts["stopped_reason"]`. A host that has a method
    `observe` is given every event of the run's inside, too.

    A host whose context has a `durable` (the run, as an engine gives it) gets more from an agent with a store: each
    call of the model and of a tool is in the engine's journal, and is not repeated when the run is done again.

    A host whose context has an `approval`, `{"approval_id": str, "granted": bool, "by": str}`, gives a person's answer
    to a call that waits for them: the run carries it out, as `approve` does, and takes no message. It is up to the
    host who may answer; what users send (messages, `params`, `metadata`) is never such an answer.

    Args:
        agent: The journey, or a router.
        host: The host's context.

    Raises:
        TypeError: `host` is no context.
        ValueError: The agent keeps the conversation, and the run brings no message of the user. Or it brings a
            person's answer to an agent that has no store.
        ApprovalNotFound: What a person has answered does not wait, or not any more.
        Exception: What the run of a journey raises.
    """
    if not hasattr(host, "emit"):
        raise TypeError(
            f"{type(agent).__name__}.run() takes an AgentContext, or the run context of a host; this is a "
            f"{type(host).__name__}"
        )
    in_store = host.conversation_id is not None and _has_a_store(agent)
    verdict = _verdict_of(agent, host, in_store)
    states = None if in_store else HostedState(agent, host)
    messages = [] if in_store else shown(list(host.input_messages), host.conversation_id)
    streaming = host.params.get("stream") is True
    durable: DurableContext | None = getattr(host, "durable", None)
    journal: DurableJournal | None = None

    def journalled(run: JourneyRun) -> JourneyRun:
        nonlocal journal
        if durable is not None and in_store:  # what the host keeps itself is told by no version
            journal = DurableJournal(durable, run, partial(_tell_text, host) if streaming else None)
            run.keep_journal(journal, host.cancelled)
        return run

    if verdict is not None:
        events = _decided(agent, host, verdict, journalled, streaming=streaming)
    else:
        ctx = HostedContext(host, messages, states)
        run = journalled(agent._run_of(ctx, _incoming(agent, host) if in_store else None))
        events = agent._events(run, streaming=streaming, listened=True)
    finished = await _told(events, host, lambda: journal is not None and journal.has_told_text)
    if finished.reason == "closing_message":
        return RunResult(final_output={"response": ""})
    if finished.response and finished.reason != "cancelled":
        await _say(host, finished.response)
    state = finished.state or {}
    if states is None:
        await host.checkpoint(state)  # for whoever looks at the host; what counts is in the agent's store
    else:
        await states.keep(ctx.notes.put_into(state), run._kept_version())
    return RunResult(
        final_output={"response": finished.response, "state": state},
        final_messages=finished.messages,
        usage=dict(finished.usage),
        artifacts={} if _has_answered(finished) else {"stopped_reason": finished.reason},
    )


def described(error: Exception) -> ErrorInfo:
    """An error of a run, as a host stores it."""
    return ErrorInfo(
        type=type(error).__name__,
        message=str(error),
        stack="".join(traceback.format_exception(error)),
        retriable=not isinstance(error, _LASTING),
    )


def _has_a_store(agent: KeptConversations[Any]) -> bool:
    """Whether the agent was given a store, when it was made or later."""
    return not (agent.keeps_in_its_memory and isinstance(agent.store, InMemoryCheckpointStore))


def _has_answered(finished: RunFinished) -> bool:
    """Whether the run has come to its own end: nothing has cut it short, and nobody is waited for."""
    return finished.reason == "text_response" or finished.reason.startswith("terminal_tool:")


async def _tell_text(host: RunContext, text: str) -> None:
    """Tell the host a piece of what the model writes."""
    await host.emit(EventType.ASSISTANT_DELTA, {"content": text})


def _verdict_of(agent: KeptConversations[Any], host: RunContext, in_store: bool) -> Verdict | None:
    """A person's answer, when that is what the run brings."""
    given = getattr(host, "approval", None)
    if given is None:
        return None
    if not in_store:
        raise ConfigError(
            f"run {host.run_id} of {agent.key!r} brings a person's answer, and what they were asked is not stored: "
            f"give the agent a store, and the run the conversation"
        )
    return Verdict.of_host(given)


def _decided(
    agent: KeptConversations[Any],
    host: RunContext,
    verdict: Verdict,
    journalled: Callable[[JourneyRun], JourneyRun],
    *,
    streaming: bool,
) -> AsyncGenerator[RunEvent, None]:
    """What happens when a person's answer is carried out."""
    conversation_id = host.conversation_id
    assert conversation_id is not None  # as it is where the agent has a store

    async def begin(message_id: str) -> JourneyRun:
        return journalled(await agent._verdict_run(conversation_id, verdict, message_id, "", ctx=HostedContext(host)))

    return verdict_events(agent, conversation_id, verdict, "", begin, streaming=streaming, listened=True)


async def _told(
    events: AsyncGenerator[RunEvent, None], host: RunContext, has_told_text: Callable[[], bool]
) -> RunFinished:
    """Tell the host what happens, and return the end."""
    finished: RunFinished | None = None
    observe = getattr(host, "observe", None)
    async with aclosing(events):
        async for event in events:
            match event:
                case TextDelta(text=text):
                    if not has_told_text():
                        await _tell_text(host, text)
                case ToolCallStarted():
                    call = event.to_dict()
                    payload = {name: call[name] for name in ("name", "arguments", "tool_call_id")}
                    await host.emit(EventType.TOOL_CALL, payload)
                case ToolCallFinished(call=call, outcome=outcome):
                    payload = {
                        "name": call.name,
                        "result": outcome.content[:_SHOWN_OF_A_RESULT],
                        "tool_call_id": call.id,
                    }
                    await host.emit(EventType.TOOL_RESULT, payload)
                case RunFinished():
                    finished = event
                case _:
                    pass  # of the inside: none of a host's events
            if observe is not None:
                await observe(event)
    assert finished is not None  # as every run ends that does not raise
    return finished


async def _say(host: RunContext, text: str) -> None:
    """Show the answer to the user."""
    say = getattr(host, "emit_user_message", None)
    if say is None:
        await host.emit(EventType.ASSISTANT_MESSAGE, {"content": text})
    else:
        await say(text)


def _incoming(agent: KeptConversations[Any], host: RunContext) -> Incoming:
    """The user's message to a conversation that the agent keeps."""
    said: list[MessageDict] = []
    for message in reversed(host.input_messages):
        if message.get("role") != "user":
            break
        said.insert(0, message)
    if not said:
        raise ValueError(
            f"run {host.run_id} of {agent.key!r} ends with no message of the user; an agent with a store answers "
            f"one: put it at the end of the input messages"
        )
    return Incoming(
        message={"role": "user", "content": _joined([message.get("content") for message in said])},
        message_id=str(host.run_id),
        remember=True,
        on_busy=agent.config.on_busy,
    )


def _joined(contents: list[Any]) -> Any:
    """What the user said in one go, as one message: texts, or lists of parts."""
    if len(contents) == 1:
        return contents[0]
    if all(isinstance(content, str) for content in contents):
        return "\n\n".join(contents)
    parts: list[Any] = []
    for content in contents:
        parts.extend(content if isinstance(content, list) else [{"type": "text", "text": str(content)}])
    return parts
