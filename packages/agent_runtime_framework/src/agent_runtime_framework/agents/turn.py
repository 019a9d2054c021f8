"""A message's way to its run: accepted by the store, in line until it is its turn."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agent_runtime_core.errors import ConversationBusy, StateEncodeError
from agent_runtime_core.interfaces import Answered, Begun, CheckpointStore, OnBusy, Waiting
from agent_runtime_core.messages import MessageDict
from agent_runtime_framework.agents.waiting_room import waiting_room

__all__ = ["Incoming", "begun_turn"]

_FIRST_WAIT_S = 0.02
_LONGEST_WAIT_S = 0.5


@dataclass(slots=True)
class Incoming:
    """A user's message on its way to a run."""

    message: MessageDict
    """The message."""
    message_id: str
    """Names it within its conversation."""
    remember: bool
    """Whether its sender may send it again under this id."""
    on_busy: OnBusy
    """What becomes of it while a run is on."""


async def begun_turn(
    store: CheckpointStore,
    owner: str,
    conversation_id: str,
    agent_key: str,
    incoming: Incoming,
    *,
    lease_seconds: float,
    max_messages: int | None,
) -> Begun | Answered:
    """Wait until it is the message's turn. A wait that is cancelled takes the message out of the line.

    Raises:
        ConversationBusy: A run is on, and the message was not to wait.
        StateEncodeError: The message is not JSON data.
        StoreError: The store failed.
    """
    wait_s = _FIRST_WAIT_S
    waits = False
    try:
        while True:
            try:
                answer = await store.begin(
                    conversation_id,
                    agent_key,
                    message=incoming.message,
                    message_id=incoming.message_id,
                    remember=incoming.remember,
                    lease_seconds=lease_seconds,
                    on_busy=incoming.on_busy,
                    max_messages=max_messages,
                    owner=owner,
                )
            except TypeError as error:
                raise StateEncodeError(f"the message to {conversation_id!r} is not JSON data: {error}") from error
            if not isinstance(answer, Waiting):
                return answer
            if incoming.on_busy == "reject":
                raise ConversationBusy(conversation_id)
            waits = True
            await waiting_room(store).wait(
                (owner, conversation_id),
                ahead=answer.ahead,
                merges=incoming.on_busy == "merge",
                timeout_s=min(wait_s, lease_seconds / 3),
            )
            wait_s = min(wait_s * 1.5, _LONGEST_WAIT_S)
    except asyncio.CancelledError:
        if waits:
            await asyncio.shield(store.withdraw(conversation_id, incoming.message_id, owner=owner))
        raise
