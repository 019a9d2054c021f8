"""Rows that somebody else has changed, or a disk: what cannot be read is named by its place, never by its content."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import Connection, text

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.stores.json_data import decoded
from agent_runtime_core.stores.postgresql.names import key_of, whole_name
from agent_runtime_core.stores.postgresql.packs import VERSIONS, messages_of
from agent_runtime_core.stores.way_back import way_back

__all__ = ["read_joined", "read_object", "readable_messages", "readable_result", "state_damage"]

_LOGGER = logging.getLogger(__name__)

_ROWS = text(f"""
    SELECT m.position, m.body FROM agent_runtime_conversations AS c,
        LATERAL ({messages_of("c.number", ":start", ":stop")}) AS m
    WHERE c.owner = :owner AND c.id = :id""")

_STATES = text(f"""
    WITH written AS (
        SELECT v.* FROM agent_runtime_conversations AS c JOIN {VERSIONS} AS v ON v.conversation = c.number
        WHERE c.owner = :owner AND c.id = :id AND v.version <= :version
    ), states AS (
        SELECT version, state, lead(version) OVER (ORDER BY version) AS next_version FROM written WHERE agent = :agent
    )
    SELECT s.state, (
        SELECT max(v.version) FROM written AS v
        WHERE v.message_count IS NOT NULL AND v.version >= s.version
            AND v.version < coalesce(s.next_version, :version + 1)
    ) AS last_version
    FROM states AS s ORDER BY s.version DESC""")


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


def readable_messages(
    connection: Connection, owner: str, conversation_id: str, start: int, stop: int
) -> list[MessageDict]:
    """Those of the messages from one position to before another that can be read; each other one is logged."""
    named = {"owner": key_of(owner), "id": key_of(conversation_id), "start": start, "stop": stop}
    stored: dict[int, bytes] = {row.position: row.body for row in connection.execute(_ROWS, named)}
    messages = []
    for position in range(start, stop):
        try:
            if position not in stored:
                raise ValueError("it is missing")
            messages.append(read_object(stored[position]))
        except ValueError as error:
            _LOGGER.warning(
                "message %d of conversation %r is damaged (%s) and was left out; a backup may have it",
                position,
                conversation_id,
                error,
            )
    return messages


def readable_result(conversation_id: str, data: bytes | None) -> dict[str, Any]:
    """What is known of the run that answered a message; empty and logged when it cannot be read."""
    try:
        return read_object(data)
    except ValueError as error:
        _LOGGER.warning("what is known of a run of conversation %r is damaged (%s)", conversation_id, error)
        return {}


def state_damage(
    connection: Connection, owner: str, conversation_id: str, agent_key: str, version: int, problem: ValueError
) -> StoreUnavailable:
    """The error for a state that cannot be read at a version, with the way back."""
    named = {"owner": key_of(owner), "id": key_of(conversation_id), "agent": whole_name(agent_key), "version": version}
    advice = "Restore it from a backup, or delete this state."
    for body, last_version in connection.execute(_STATES, named):
        if last_version is None:
            break  # what was before is not kept any more
        if body is None or _is_object(body):
            advice = f"{way_back(conversation_id, owner, last_version)}, or restore it from a backup."
            break
    return StoreUnavailable(
        f"the state of agent {agent_key!r} of conversation {conversation_id!r} is damaged ({problem}). {advice}",
        key=conversation_id,
    )


def _is_object(data: bytes) -> bool:
    try:
        read_object(data)
    except ValueError:
        return False
    return True
