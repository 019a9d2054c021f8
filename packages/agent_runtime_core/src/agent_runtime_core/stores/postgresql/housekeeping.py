"""Going back, copying and removing: rare calls, each in a transaction with the conversation's row locked."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from agent_runtime_core.errors import ConversationBusy, StoreConflict, VersionNotFound
from agent_runtime_core.interfaces.checkpoint import Removal
from agent_runtime_core.stores.postgresql.checkpoints import ALL
from agent_runtime_core.stores.postgresql.commits import trim_versions
from agent_runtime_core.stores.postgresql.line import locked_head, new_version
from agent_runtime_core.stores.postgresql.names import key_of, long_name

__all__ = ["delete", "delete_messages", "delete_state", "fork", "rewind", "withdraw"]

_COUNT_AT = text("""
    SELECT message_count FROM agent_runtime_versions WHERE conversation = :number AND version = :version""")

_REWIND = text("""
    WITH messages AS (
        DELETE FROM agent_runtime_messages WHERE conversation = :number AND position >= :count
    ), states AS (
        DELETE FROM agent_runtime_states WHERE conversation = :number AND version > :version
    ), versions AS (
        DELETE FROM agent_runtime_versions WHERE conversation = :number AND version > :version
    ), unknown AS (
        DELETE FROM agent_runtime_receipts WHERE conversation = :number AND position >= :count
    ), unanswered AS (
        UPDATE agent_runtime_receipts SET end_position = NULL, result = NULL
        WHERE conversation = :number AND position < :count AND end_position > :count
    )
    UPDATE agent_runtime_conversations SET lease = 0, lease_until = 0 WHERE number = :number""")

_FORK = text("""
    WITH copy AS (
        INSERT INTO agent_runtime_conversations
            (owner, id, long_owner, long_id, version, message_count, created_at, updated_at)
        VALUES (:owner, :id, :long_owner, :long_id, :version, :count, clock_timestamp(), clock_timestamp())
        ON CONFLICT (owner, id) DO NOTHING
        RETURNING number
    ), messages AS (
        INSERT INTO agent_runtime_messages (conversation, position, body)
        SELECT copy.number, m.position, m.body FROM copy, agent_runtime_messages AS m
        WHERE m.conversation = :number AND m.position < :count
    ), states AS (
        INSERT INTO agent_runtime_states (conversation, agent, long_agent, version, journey_version, body)
        SELECT copy.number, s.agent, s.long_agent, s.version, s.journey_version, s.body
        FROM copy, agent_runtime_states AS s WHERE s.conversation = :number AND s.version <= :version
    ), versions AS (
        INSERT INTO agent_runtime_versions (conversation, version, message_count, committed_at)
        SELECT copy.number, v.version, v.message_count, v.committed_at
        FROM copy, agent_runtime_versions AS v WHERE v.conversation = :number AND v.version <= :version
    )
    SELECT number FROM copy""")

_REMOVE_STATE = text("""
    INSERT INTO agent_runtime_states (conversation, agent, long_agent, version, journey_version, body)
    SELECT conversation, agent, long_agent, :version, 0, NULL FROM (
        SELECT * FROM agent_runtime_states WHERE conversation = :number AND agent = :agent
        ORDER BY version DESC LIMIT 1
    ) AS last WHERE body IS NOT NULL
    RETURNING 1""")

_DELETE_MESSAGES = text("""
    WITH messages AS (
        DELETE FROM agent_runtime_messages WHERE conversation = :number
    ), versions AS (
        DELETE FROM agent_runtime_versions WHERE conversation = :number
    ), unknown AS (
        DELETE FROM agent_runtime_receipts WHERE conversation = :number AND end_position IS NULL
    ), answered AS (
        UPDATE agent_runtime_receipts SET position = 0, end_position = 0
        WHERE conversation = :number AND end_position IS NOT NULL
    )
    DELETE FROM agent_runtime_states AS s WHERE s.conversation = :number AND s.version < (
        SELECT max(t.version) FROM agent_runtime_states AS t
        WHERE t.conversation = s.conversation AND t.agent = s.agent)""")

_DELETE = text("""
    WITH messages AS (
        DELETE FROM agent_runtime_messages WHERE conversation = :number
    ), versions AS (
        DELETE FROM agent_runtime_versions WHERE conversation = :number
    ), receipts AS (
        DELETE FROM agent_runtime_receipts WHERE conversation = :number
    ), waiting AS (
        DELETE FROM agent_runtime_waiting WHERE conversation = :number
    ), states AS (
        DELETE FROM agent_runtime_states WHERE conversation = :number RETURNING agent, version, body
    ), last AS (
        SELECT DISTINCT ON (agent) body FROM states ORDER BY agent, version DESC
    ), head AS (
        DELETE FROM agent_runtime_conversations WHERE number = :number
    )
    SELECT count(*) FROM last WHERE body IS NOT NULL""")

_WITHDRAW = text("""
    WITH gone AS (
        DELETE FROM agent_runtime_waiting WHERE conversation = :number AND message_id = :message_id RETURNING 1
    )
    UPDATE agent_runtime_conversations SET waiting = waiting - 1 WHERE number = :number AND EXISTS (SELECT FROM gone)
    RETURNING 1""")


def rewind(connection: Connection, owner: str, conversation_id: str, version: int, keep: int) -> int:
    """See `CheckpointStore.rewind`."""
    head = locked_head(connection, owner, conversation_id)
    if head is None:
        raise VersionNotFound(conversation_id, version, has_conversation=False)
    if head.is_busy():
        raise ConversationBusy(conversation_id)
    trim_versions(connection, head.number, keep)  # what may not be gone back to any more must not come back
    count = _count_at(connection, head.number, conversation_id, version)
    connection.execute(_REWIND, {"number": head.number, "version": version, "count": count})
    return new_version(connection, head.number, count)


def fork(
    connection: Connection, owner: str, conversation_id: str, new_conversation_id: str, version: int | None, keep: int
) -> int:
    """See `CheckpointStore.fork`."""
    head = locked_head(connection, owner, conversation_id)
    if head is None:
        raise VersionNotFound(conversation_id, version or 0, has_conversation=False)
    there = head if new_conversation_id == conversation_id else locked_head(connection, owner, new_conversation_id)
    if there is not None:
        raise StoreConflict(new_conversation_id, 0, there.version, is_copy=True)
    trim_versions(connection, head.number, keep)
    version = head.version if version is None else version
    named: dict[str, Any] = {"number": head.number, "version": version, "owner": key_of(owner)}
    named |= {"long_owner": long_name(owner), "id": key_of(new_conversation_id)}
    named |= {"long_id": long_name(new_conversation_id)}
    named["count"] = _count_at(connection, head.number, conversation_id, version)
    if connection.execute(_FORK, named).one_or_none() is None:
        there = locked_head(connection, owner, new_conversation_id)
        raise StoreConflict(new_conversation_id, 0, 0 if there is None else there.version, is_copy=True)
    return version


def delete_state(connection: Connection, owner: str, conversation_id: str, agent_key: str) -> bool:
    """See `CheckpointStore.delete_state`."""
    head = locked_head(connection, owner, conversation_id)
    if head is None:
        return False
    named = {"number": head.number, "agent": key_of(agent_key), "version": head.version + 1}
    if connection.execute(_REMOVE_STATE, named).one_or_none() is None:
        return False
    new_version(connection, head.number, head.message_count)
    return True


def delete_messages(connection: Connection, owner: str, conversation_id: str) -> int:
    """See `CheckpointStore.delete_messages`."""
    head = locked_head(connection, owner, conversation_id)
    if head is None or not head.message_count:
        return 0
    connection.execute(_DELETE_MESSAGES, {"number": head.number})
    new_version(connection, head.number, 0)
    return head.message_count


def delete(connection: Connection, owner: str, conversation_id: str, expected_version: int | None) -> Removal:
    """See `CheckpointStore.delete`."""
    head = locked_head(connection, owner, conversation_id)
    version = 0 if head is None else head.version
    if expected_version is not None and expected_version != version:
        raise StoreConflict(conversation_id, expected_version, version)
    if head is None:
        return Removal()
    states = connection.execute(_DELETE, {"number": head.number}).scalar_one()
    return Removal(conversations=1, messages=head.message_count, states=states, waiting=head.waiting)


def withdraw(connection: Connection, owner: str, conversation_id: str, message_id: str) -> bool:
    """See `CheckpointStore.withdraw`."""
    head = locked_head(connection, owner, conversation_id)
    if head is None or not head.waiting:
        return False
    named = {"number": head.number, "message_id": key_of(message_id)}
    return connection.execute(_WITHDRAW, named).one_or_none() is not None


def _count_at(connection: Connection, number: int, conversation_id: str, version: int) -> int:
    row = None
    if 0 < version < ALL:
        row = connection.execute(_COUNT_AT, {"number": number, "version": version}).one_or_none()
    if row is None:
        raise VersionNotFound(conversation_id, version)
    count: int = row[0]
    return count
