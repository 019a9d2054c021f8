"""From rows to checkpoints; what cannot be read is named by its place, never by its content."""

from __future__ import annotations

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces.checkpoint import Checkpoint
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.stores.json_data import decoded

__all__ = ["damage_in", "read_checkpoint", "read_messages"]

LoadedRow = tuple[int, int, bytes | None, bytes | None]
"""Version, number of messages, state, last messages joined by commas."""


def read_checkpoint(row: LoadedRow | None, max_messages: int) -> Checkpoint:
    """The checkpoint in a row; None is a conversation of which nothing is stored.

    Raises:
        ValueError: Something in it is damaged.
    """
    if row is None:
        return Checkpoint()
    version, message_count, state, messages = row
    return Checkpoint(
        version=version,
        state=None if state is None else _read_dict(state),
        messages=read_messages(messages, min(max_messages, message_count)),
        message_count=message_count,
    )


def read_messages(joined: bytes | None, count: int) -> list[MessageDict]:
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


def damage_in(
    conversation_id: str,
    path: str,
    message_count: int,
    message_rows: list[tuple[int, bytes | None]],
    *,
    state: bytes | None = None,
    agent_key: str = "",
) -> StoreUnavailable:
    """The error that says which part of a conversation cannot be read.

    Args:
        conversation_id: The conversation.
        path: The file it is in.
        message_count: How many messages there should be.
        message_rows: Position and text of those that are there.
        state: The state, where it was read.
        agent_key: Whose state that is.
    """
    part = _damaged_message(message_count, message_rows)
    if state is not None and (problem := _problem(state)):
        part = f"the state of agent {agent_key!r} ({problem})"
    return StoreUnavailable(
        f"{part} of conversation {conversation_id!r} in {path} is damaged. Restore the file from a backup, "
        f"or delete the conversation.",
        key=conversation_id,
    )


def _damaged_message(message_count: int, message_rows: list[tuple[int, bytes | None]]) -> str:
    stored = dict(message_rows)
    for position in range(message_count):
        if position not in stored:
            return f"message {position} (it is missing)"
        if problem := _problem(stored[position]):
            return f"message {position} ({problem})"
    return "a message"  # which somebody has mended in the meantime


def _problem(data: bytes | None) -> str | None:
    if data is None:
        return "there is nothing in it"
    try:
        _read_dict(data)
    except ValueError as error:
        return str(error)
    return None


def _read_dict(data: bytes) -> MessageDict:
    value = decoded(data)
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    return value
