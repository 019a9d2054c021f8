"""A message's way to its run: accepted by the store, in line until it is its turn."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from agent_runtime_core.errors import ConversationBusy, StateEncodeError
from agent_runtime_core.interfaces import Answered, Begun, CheckpointStore, OnBusy, Waiting
from agent_runtime_core.messages import MessageDict
from agent_runtime_framework.agents.waiting_room import waiting_room

__all__ = ["Incoming", "begun_turn"]

_LOGGER = logging.getLogger("agent_runtime_framework.agents.turn")

_FIRST_WAIT_S = 0.02
_LONGEST_WAIT_S = 0.5
_SIGNS_PER_LEASE = 3
"""How often in that time a message that waits asks again, at least, so that it is known to be waited for."""
_QUIET_WAIT_S = 1.0
"""A wait for the run that is on is told after so long, or after a third of the lease where that is less."""


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
    is_users: bool = True
    """Whether the user has written it; otherwise code has, such as a person's answer to a question about a tool."""


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
    quiet_s = min(_QUIET_WAIT_S, lease_seconds / _SIGNS_PER_LEASE)
    waited_s = 0.0
    was_asked = has_turn = is_told = False
    loop = asyncio.get_running_loop()
    seat = waiting_room(store).enter((owner, conversation_id), merges=incoming.on_busy == "merge")
    try:
        await seat.come_forward()
        while True:
            was_asked = True
            seat.listen()
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
                has_turn = isinstance(answer, Begun)
                return answer
            if incoming.on_busy == "reject":
                raise ConversationBusy(conversation_id)
            seat.has_arrived()
            if seat.is_behind():
                await seat.wait(lease_seconds / _SIGNS_PER_LEASE)
            else:
                if waited_s >= quiet_s and not is_told:
                    is_told = True
                    _LOGGER.info(
                        "A message to conversation %r has waited %.1f s for the run that is on. If that run's process "
                        "is gone, its lease runs out %g s after its last sign of life, and the message has its turn.",
                        conversation_id,
                        waited_s,
                        lease_seconds,
                    )
                began = loop.time()
                await seat.wait(min(wait_s, lease_seconds / _SIGNS_PER_LEASE))
                waited_s += loop.time() - began
                wait_s = min(wait_s * 1.5, _LONGEST_WAIT_S)
    except asyncio.CancelledError:
        if was_asked:
            await asyncio.shield(store.withdraw(conversation_id, incoming.message_id, owner=owner))
        raise
    finally:
        seat.leave(with_turn=has_turn)
