"""Reading messages and states: the checkpoint, now or at a version, and any stretch of the history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from agent_runtime_core.errors import VersionNotFound
from agent_runtime_core.interfaces.checkpoint import Checkpoint
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.stores.postgresql.damage import read_joined, read_object, readable_messages, state_damage
from agent_runtime_core.stores.postgresql.names import key_of, whole_name
from agent_runtime_core.stores.postgresql.packs import VERSIONS, joined_between

__all__ = ["ALL", "read_checkpoint", "read_history", "to_checkpoint"]

ALL = 1 << 62
"""More messages than one conversation can have."""


_LOAD = text(f"""
    SELECT c.version, c.message_count, s.journey_version, s.body,
        ({joined_between("c.number", "c.message_count - :window", "c.message_count")}) AS messages
    FROM agent_runtime_conversations AS c
    LEFT JOIN agent_runtime_states AS s ON s.conversation = c.number AND s.agent = :agent
    WHERE c.owner = :owner AND c.id = :id""")

_LOAD_AT = text(f"""
    SELECT v.version, v.message_count, s.journey_version, s.state AS body,
        ({joined_between("v.conversation", "v.message_count - :window", "v.message_count")}) AS messages
    FROM agent_runtime_conversations AS c
    JOIN {VERSIONS} AS v ON v.conversation = c.number
    LEFT JOIN LATERAL (
        SELECT journey_version, state FROM {VERSIONS} AS w
        WHERE w.conversation = c.number AND w.agent = :whole_agent AND w.version <= :version
        ORDER BY w.version DESC LIMIT 1
    ) AS s ON true
    WHERE c.owner = :owner AND c.id = :id AND v.version = :version AND v.message_count IS NOT NULL AND :keep > (
        SELECT count(*) FROM {VERSIONS} AS later
        WHERE later.conversation = c.number AND later.version > :version AND later.message_count IS NOT NULL)""")

_HISTORY = text(f"""
    SELECT c.message_count, ({joined_between("c.number", ":start", ":stop")}) AS messages
    FROM agent_runtime_conversations AS c
    WHERE c.owner = :owner AND c.id = :id""")


def read_checkpoint(
    connection: Connection,
    owner: str,
    conversation_id: str,
    agent_key: str,
    max_messages: int | None,
    *,
    at_version: int | None = None,
    keep: int = ALL,
) -> Checkpoint:
    """See `CheckpointStore.load`."""
    found: dict[str, Any] = {"owner": key_of(owner), "id": key_of(conversation_id), "agent": key_of(agent_key)}
    window = found["window"] = ALL if max_messages is None else min(max_messages, ALL)
    row = None
    if at_version is None or not 0 < at_version < ALL:
        row = connection.execute(_LOAD, found).one_or_none()
    else:
        del found["agent"]
        found |= {"version": at_version, "keep": keep, "whole_agent": whole_name(agent_key)}
        row = connection.execute(_LOAD_AT, found).one_or_none()
    if row is None and not at_version:
        return Checkpoint()
    if row is None or at_version not in (None, row.version):
        raise VersionNotFound(conversation_id, at_version or 0)
    try:
        return to_checkpoint(row, window)
    except ValueError:
        return _mended(connection, owner, conversation_id, agent_key, window, row)


def _mended(
    connection: Connection, owner: str, conversation_id: str, agent_key: str, window: int, row: Row[Any]
) -> Checkpoint:
    count = row.message_count
    try:
        state = None if row.body is None else read_object(row.body)
    except ValueError as problem:
        raise state_damage(connection, owner, conversation_id, agent_key, row.version, problem) from None
    return Checkpoint(
        version=row.version,
        state=state,
        state_version=0 if state is None else row.journey_version,
        messages=readable_messages(connection, owner, conversation_id, max(0, count - window), count),
        message_count=count,
    )


def to_checkpoint(row: Sequence[Any], window: int, *, own_message: bytes | None = None) -> Checkpoint:
    """The checkpoint in a row of version, number of messages, the journey's version, state and messages.

    Args:
        row: The row.
        window: How many messages were asked for.
        own_message: A message behind those in the row.

    Raises:
        ValueError: Something in it is damaged.
    """
    version, message_count, state_version, state, messages = row[-5:]
    if own_message is not None:
        messages = own_message if messages is None else b"%b,%b" % (messages, own_message)
    return Checkpoint(
        version=version,
        state=None if state is None else read_object(state),
        state_version=0 if state is None else state_version,
        messages=read_joined(messages, min(window, message_count)),
        message_count=message_count,
    )


def read_history(
    connection: Connection, owner: str, conversation_id: str, start: int, limit: int | None
) -> list[MessageDict]:
    """See `CheckpointStore.history`."""
    start = min(start, ALL)
    stop = ALL if limit is None else min(start + limit, ALL)
    named = {"owner": key_of(owner), "id": key_of(conversation_id), "start": start, "stop": stop}
    row = connection.execute(_HISTORY, named).one_or_none()
    if row is None:
        return []
    stop = max(start, min(stop, row.message_count))
    try:
        return read_joined(row.messages, stop - start)
    except ValueError:
        return readable_messages(connection, owner, conversation_id, start, stop)
