"""What happens when a person's answer is carried out, whoever asks for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any
from uuid import UUID

from agent_runtime_core.events import RunEvent, RunFinished, RunStarted, TextDelta
from agent_runtime_framework.agents.journey_run import JourneyRun
from agent_runtime_framework.agents.verdict import Verdict

if TYPE_CHECKING:
    from agent_runtime_framework.agents.kept_conversations import KeptConversations

__all__ = ["verdict_events"]


async def verdict_events(
    agent: KeptConversations[Any],
    conversation_id: UUID | str,
    verdict: Verdict,
    owner: UUID | str,
    begin: Callable[[str], Awaitable[JourneyRun]],
    *,
    streaming: bool,
    listened: bool = False,
) -> AsyncGenerator[RunEvent, None]:
    """The run of a person's answer, or what is stored of it.

    Args:
        agent: The journey, or a router.
        conversation_id: The conversation.
        verdict: The answer.
        owner: Whose conversation it is.
        begin: Makes the run, of the id that its message is to have.
        streaming: Whether text is told while it is written.
        listened: Whether what happens is told, and not the end alone.
    """
    message_id = f"approval:{verdict.approval_id}"
    while True:
        run = await begin(message_id)
        held: list[RunEvent] | None = []  # as long as it may be a stored reply, and that of another message
        async with aclosing(agent._events(run, streaming=streaming, listened=listened)) as events:
            async for event in events:
                if held is None:
                    yield event
                    continue
                held.append(event)
                if isinstance(event, (RunStarted, TextDelta)):
                    continue
                if isinstance(event, RunFinished) and event.replayed:
                    if not await agent._is_decided(conversation_id, verdict, owner):
                        break
                for each in held:
                    yield each
                held = None
        if held is None:
            return
        message_id += "+"  # a run of another message took this one along before the answer was stored
