"""Going back, copying and removing: rare calls, each in a transaction with the conversation's row locked."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from agent_runtime_core.errors import ConversationBusy, StoreConflict, VersionNotFound
from agent_runtime_core.interfaces.checkpoint import Removal
from agent_runtime_core.stores.postgresql.checkpoints import ALL
from agent_runtime_core.stores.postgresql.commits import trim_versions
from agent_runtime_core.stores.postgresql.line import locked_head, new_version
from agent_runtime_core.stores.postgresql.names import key_of, key_of_name, long_name, long_name_of, whole_name
from agent_runtime_core.stores.postgresql.packs import VERSION_ARRAYS, VERSIONS, close_packs

__all__ = ["delete", "delete_messages", "delete_state", "fork", "rewind", "withdraw"]


def _cut(column: str) -> str:
    return f"{column}[1 : CAST(:version - version + 1 AS integer)]"


_COUNT_AT = text(f"""
    SELECT message_count FROM {VERSIONS} AS v
    WHERE conversation = :number AND version = :version AND message_count IS NOT NULL""")

_STATES_AT = f"""
    SELECT DISTINCT ON (agent) agent, version, journey_version, state FROM {VERSIONS} AS v
    WHERE conversation = :number AND version <= :version AND agent IS NOT NULL ORDER BY agent, version DESC"""

_REWIND = text(f"""
    WITH messages AS (
        DELETE FROM agent_runtime_messages WHERE conversation = :number AND position >= :count
    ), last_messages AS (
        UPDATE agent_runtime_messages SET bodies = bodies[1 : CAST(:count - position AS integer)]
        WHERE conversation = :number AND position = (
            SELECT max(position) FROM agent_runtime_messages WHERE conversation = :number AND position < :count)
    ), old AS ({_STATES_AT}
    ), states AS (
        DELETE FROM agent_runtime_states AS s WHERE conversation = :number AND version > :version
            AND NOT EXISTS (SELECT FROM old WHERE old.state IS NOT NULL AND {key_of_name("old.agent")} = s.agent)
    ), old_states AS (
        INSERT INTO agent_runtime_states AS s (conversation, agent, long_agent, version, journey_version, body)
        SELECT :number, {key_of_name("agent")}, {long_name_of("agent")}, version, journey_version, state
        FROM old WHERE state IS NOT NULL
        ON CONFLICT (conversation, agent) DO UPDATE SET
            version = excluded.version, journey_version = excluded.journey_version, body = excluded.body
    ), versions AS (
        DELETE FROM agent_runtime_versions WHERE conversation = :number AND version > :version
    ), last_versions AS (
        UPDATE agent_runtime_versions SET {", ".join(f"{each} = {_cut(each)}" for each in VERSION_ARRAYS)}
        WHERE conversation = :number AND version = (
            SELECT max(version) FROM agent_runtime_versions WHERE conversation = :number AND version <= :version)
    ), unknown AS (
        DELETE FROM agent_runtime_receipts WHERE conversation = :number AND position >= :count
    ), unanswered AS (
        UPDATE agent_runtime_receipts SET end_position = NULL, result = NULL
        WHERE conversation = :number AND position < :count AND end_position > :count
    )
    UPDATE agent_runtime_conversations SET lease = 0, lease_until = 0 WHERE number = :number""")

_FORK = text(f"""
    WITH copy AS (
        INSERT INTO agent_runtime_conversations
            (owner, id, long_owner, long_id, version, message_count, created_at, updated_at)
        VALUES (:owner, :id, :long_owner, :long_id, :version, :count, statement_timestamp(), statement_timestamp())
        ON CONFLICT (owner, id) DO NOTHING
        RETURNING number
    ), messages AS (
        INSERT INTO agent_runtime_messages (conversation, position, bodies)
        SELECT copy.number, m.position, m.bodies[1 : CAST(:count - m.position AS integer)]
        FROM copy, agent_runtime_messages AS m WHERE m.conversation = :number AND m.position < :count
    ), old AS ({_STATES_AT}
    ), states AS (
        INSERT INTO agent_runtime_states (conversation, agent, long_agent, version, journey_version, body)
        SELECT copy.number, {key_of_name("agent")}, {long_name_of("agent")}, version, journey_version, state
        FROM copy, old WHERE state IS NOT NULL
    ), versions AS (
        INSERT INTO agent_runtime_versions
            (conversation, version, message_counts, times, agents, journey_versions, states)
        SELECT copy.number, version, {", ".join(_cut(each) for each in VERSION_ARRAYS)}
        FROM copy, agent_runtime_versions WHERE conversation = :number AND version <= :version
    )
    SELECT number FROM copy""")

_REMOVE_STATE = text("""
    DELETE FROM agent_runtime_states WHERE conversation = :number AND agent = :agent RETURNING 1""")

_DELETE_MESSAGES = text("""
    WITH messages AS (
        DELETE FROM agent_runtime_messages WHERE conversation = :number
    ), new_messages AS (
        DELETE FROM agent_runtime_new_messages WHERE conversation = :number
    ), new_versions AS (
        DELETE FROM agent_runtime_new_versions WHERE conversation = :number
    ), versions AS (
        DELETE FROM agent_runtime_versions WHERE conversation = :number
    ), unknown AS (
        DELETE FROM agent_runtime_receipts WHERE conversation = :number AND end_position IS NULL
    ), answered AS (
        UPDATE agent_runtime_receipts SET position = 0, end_position = 0
        WHERE conversation = :number AND end_position IS NOT NULL
    )
    SELECT""")

_KEEP_STATES = text("""
    INSERT INTO agent_runtime_versions
        (conversation, version, message_counts, times, agents, journey_versions, states)
    SELECT conversation, version, ARRAY[CAST(NULL AS bigint)], ARRAY[clock_timestamp()],
        ARRAY[coalesce(long_agent, agent)], ARRAY[journey_version], ARRAY[body]
    FROM agent_runtime_states WHERE conversation = :number""")

_DELETE = text("""
    WITH messages AS (
        DELETE FROM agent_runtime_messages WHERE conversation = :number
    ), new_messages AS (
        DELETE FROM agent_runtime_new_messages WHERE conversation = :number
    ), new_versions AS (
        DELETE FROM agent_runtime_new_versions WHERE conversation = :number
    ), versions AS (
        DELETE FROM agent_runtime_versions WHERE conversation = :number
    ), receipts AS (
        DELETE FROM agent_runtime_receipts WHERE conversation = :number
    ), waiting AS (
        DELETE FROM agent_runtime_waiting WHERE conversation = :number
    ), states AS (
        DELETE FROM agent_runtime_states WHERE conversation = :number RETURNING 1
    ), head AS (
        DELETE FROM agent_runtime_conversations WHERE number = :number
    )
    SELECT count(*) FROM states""")

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
    close_packs(connection, head.number)
    trim_versions(
        connection, head.number, keep, to_the_last=True
    )  # what may not be gone back to any more must not come back
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
    close_packs(connection, head.number)
    trim_versions(connection, head.number, keep, to_the_last=True)
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
    named = {"number": head.number, "agent": key_of(agent_key)}
    if connection.execute(_REMOVE_STATE, named).one_or_none() is None:
        return False
    new_version(connection, head.number, head.message_count, removed_agent=whole_name(agent_key))
    return True


def delete_messages(connection: Connection, owner: str, conversation_id: str) -> int:
    """See `CheckpointStore.delete_messages`."""
    head = locked_head(connection, owner, conversation_id)
    if head is None or not head.message_count:
        return 0
    connection.execute(_DELETE_MESSAGES, {"number": head.number})
    connection.execute(_KEEP_STATES, {"number": head.number})
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
