"""From rows to messages and states; what cannot be read is named by its place, never by its content."""

from __future__ import annotations

import logging
from typing import Any

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.stores.json_data import decoded
from agent_runtime_core.stores.way_back import way_back

__all__ = ["is_object", "read_joined", "read_object", "readable_messages", "readable_result", "state_damage"]

_LOGGER = logging.getLogger(__name__)


def read_joined(joined: bytes | None, count: int) -> list[MessageDict]:
    """The messages in a text that joins them by commas.

    Raises:
        ValueError: They are not that many, or something is no message.
    """
    messages: list[MessageDict] = [] if joined is None else decoded(b"[%b]" % joined)
    if len(messages) != count:
        raise ValueError(f"{count} messages are stored and {len(messages)} are there")
    for message in messages:
        if message.__class__ is not dict:
            raise ValueError("a message is no JSON object")
    return messages


def read_object(data: bytes | None) -> dict[str, Any]:
    """The dict in a text.

    Raises:
        ValueError: There is none.
    """
    if not data:
        raise ValueError("there is nothing in it")
    value = decoded(data)
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    return value


def is_object(data: bytes | None) -> bool:
    """Whether there is a dict in the text."""
    try:
        read_object(data)
    except ValueError:
        return False
    return True


def readable_messages(
    conversation_id: str, path: str, start: int, stop: int, rows: list[tuple[int, bytes | None]]
) -> list[MessageDict]:
    """Those of the messages that can be read; each other one is logged by its position.

    Args:
        conversation_id: The conversation.
        path: The file it is in.
        start: The position of the first message that should be there.
        stop: The position behind the last one.
        rows: Position and text of those that are there.
    """
    stored = dict(rows)
    messages = []
    for position in range(start, stop):
        problem = "it is missing"
        if position in stored:
            try:
                messages.append(read_object(stored[position]))
                continue
            except ValueError as error:
                problem = str(error)
        _LOGGER.warning(
            "message %d of conversation %r in %s is damaged (%s) and was left out; a backup may have it",
            position,
            conversation_id,
            path,
            problem,
        )
    return messages


def readable_result(conversation_id: str, path: str, position: int, data: bytes | None) -> dict[str, Any]:
    """What is known of the run whose answer begins at this position; empty and logged when it cannot be read."""
    try:
        return read_object(data)
    except ValueError as error:
        _LOGGER.warning(
            "what is known of the run at message %d of conversation %r in %s is damaged (%s) and was left out",
            position,
            conversation_id,
            path,
            error,
        )
        return {}


def state_damage(
    conversation_id: str, owner: str, path: str, agent_key: str, state: bytes | None, readable_version: int | None
) -> StoreUnavailable:
    """The error for a state that cannot be read, with the way back.

    Args:
        conversation_id: The conversation.
        owner: Whose it is.
        path: The file it is in.
        agent_key: Whose state it is.
        state: What is there.
        readable_version: The last version whose state can be read; None when there is none.
    """
    problem = "it is another one than a moment ago"
    try:
        read_object(state)
    except ValueError as error:
        problem = str(error)
    if readable_version is None:
        advice = "Restore the file from a backup, or delete this state."
    else:
        advice = f"{way_back(conversation_id, owner, readable_version)}, or restore the file from a backup."
    return StoreUnavailable(
        f"the state of agent {agent_key!r} of conversation {conversation_id!r} in {path} is damaged ({problem}). "
        f"{advice}",
        key=conversation_id,
    )
