"""Playing a sender in the contract's tests: asking for a run, insisting on it, and finishing it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from agent_runtime_core.interfaces.checkpoint_store import CheckpointStore
from agent_runtime_core.interfaces.turns import Answered, Begun, OnBusy, TurnAnswer, Waiting
from agent_runtime_core.messages import MessageDict

__all__ = ["LONG", "SHORT", "answered", "ask", "begun", "begun_at_last", "finish", "reply", "user", "waiting"]

LONG = 3600.0
"""Seconds that are not over before the test is."""
SHORT = 0.01
"""Seconds that are over soon."""
_DEADLINE_S = 20.0


def user(message_id: str) -> MessageDict:
    """The message that a sender sends under this id."""
    return {"role": "user", "content": f"this is {message_id}"}


def reply(message_id: str) -> MessageDict:
    """The answer to it."""
    return {"role": "assistant", "content": f"answer to {message_id}"}


async def ask(
    store: CheckpointStore,
    message_id: str,
    conversation_id: str = "c",
    *,
    agent_key: str = "agent",
    remember: bool = True,
    lease_seconds: float = LONG,
    on_busy: OnBusy = "queue",
    max_messages: int | None = None,
    owner: str = "",
) -> TurnAnswer:
    """What the store answers to a message."""
    return await store.begin(
        conversation_id,
        agent_key,
        message=user(message_id),
        message_id=message_id,
        remember=remember,
        lease_seconds=lease_seconds,
        on_busy=on_busy,
        max_messages=max_messages,
        owner=owner,
    )


async def begun(store: CheckpointStore, message_id: str, conversation_id: str = "c", **how: Any) -> Begun:
    """The run that a message begins, at once."""
    answer = await ask(store, message_id, conversation_id, **how)
    assert isinstance(answer, Begun), answer
    return answer


async def begun_at_last(store: CheckpointStore, message_id: str, conversation_id: str = "c", **how: Any) -> Begun:
    """The run that a message begins as soon as what it waits for is over."""
    deadline = time.monotonic() + _DEADLINE_S
    while time.monotonic() < deadline:
        answer = await ask(store, message_id, conversation_id, **how)
        if isinstance(answer, Begun):
            return answer
        assert isinstance(answer, Waiting), answer
        await asyncio.sleep(0)
    raise AssertionError(f"{message_id} still waits after {_DEADLINE_S:.0f} seconds")


async def waiting(store: CheckpointStore, message_id: str, conversation_id: str = "c", **how: Any) -> int:
    """How many are in line before a message, which has to wait."""
    answer = await ask(store, message_id, conversation_id, **how)
    assert isinstance(answer, Waiting), answer
    return answer.ahead


async def answered(store: CheckpointStore, message_id: str, conversation_id: str = "c", **how: Any) -> Answered:
    """The stored answer to a message."""
    answer = await ask(store, message_id, conversation_id, **how)
    assert isinstance(answer, Answered), answer
    return answer


async def finish(
    store: CheckpointStore,
    run: Begun,
    messages: Sequence[MessageDict],
    conversation_id: str = "c",
    *,
    result: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
    owner: str = "",
) -> int:
    """End a run that has committed nothing since it began with these messages; returns the version."""
    return await store.commit(
        conversation_id,
        "agent",
        expected_version=run.checkpoint.version,
        state=state,
        messages=messages,
        lease=run.lease,
        finish=result or {},
        owner=owner,
    )
