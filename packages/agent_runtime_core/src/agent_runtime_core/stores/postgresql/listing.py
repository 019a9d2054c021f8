"""What there is: conversations, the versions of one, and how much of everything."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, text

from agent_runtime_core.interfaces.checkpoint import ConversationInfo, StoreInfo, VersionInfo
from agent_runtime_core.stores.postgresql.checkpoints import ALL
from agent_runtime_core.stores.postgresql.names import key_of, name_of
from agent_runtime_core.stores.postgresql.packs import VERSIONS
from agent_runtime_core.stores.postgresql.revision import REVISION

__all__ = ["list_conversations", "list_versions", "read_info"]

_CONVERSATIONS = """
    SELECT c.owner, c.long_owner, c.id, c.long_id, c.version, c.message_count, c.created_at, c.updated_at,
        ARRAY(SELECT coalesce(s.long_agent, s.agent) FROM agent_runtime_states AS s
            WHERE s.conversation = c.number) AS agents
    FROM agent_runtime_conversations AS c
    WHERE {conditions}
    ORDER BY c.owner, c.id LIMIT :limit"""

_VERSIONS = text(f"""
    SELECT v.version, v.message_count, v.committed_at, v.agent
    FROM agent_runtime_conversations AS c JOIN {VERSIONS} AS v ON v.conversation = c.number
    WHERE c.owner = :owner AND c.id = :id AND v.message_count IS NOT NULL
    ORDER BY v.version DESC LIMIT :keep""")

_INFO = text("""
    SELECT count(*), coalesce(CAST(sum(message_count) AS bigint), 0),
        CAST((SELECT sum(pg_total_relation_size(to_regclass(name))) FROM unnest(ARRAY[
            'agent_runtime_conversations', 'agent_runtime_messages', 'agent_runtime_new_messages',
            'agent_runtime_states', 'agent_runtime_versions', 'agent_runtime_new_versions',
            'agent_runtime_waiting', 'agent_runtime_receipts'
        ]) AS t(name)) AS bigint)
    FROM agent_runtime_conversations""")


def list_conversations(
    connection: Connection,
    owner: str | None,
    updated_before: datetime | None,
    after: tuple[str, str] | None,
    limit: int,
) -> list[ConversationInfo]:
    """See `CheckpointStore.conversations`."""
    conditions, named = ["true"], dict[str, Any](limit=min(limit, ALL))
    if owner is not None:
        conditions.append("c.owner = :owner")
        named["owner"] = key_of(owner)
    if updated_before is not None:
        conditions.append("c.updated_at < :before")
        named["before"] = updated_before
    if after is not None:
        conditions.append("(c.owner, c.id) > (:after_owner, :after_id)")
        named |= {"after_owner": key_of(after[0]), "after_id": key_of(after[1])}
    rows = connection.execute(text(_CONVERSATIONS.format(conditions=" AND ".join(conditions))), named)
    return [
        ConversationInfo(
            conversation_id=name_of(row.id, row.long_id),
            owner=name_of(row.owner, row.long_owner),
            version=row.version,
            message_count=row.message_count,
            agent_keys=tuple(sorted(name_of(agent, None) for agent in row.agents)),
            created_at=row.created_at.astimezone(UTC),
            updated_at=row.updated_at.astimezone(UTC),
        )
        for row in rows
    ]


def list_versions(connection: Connection, owner: str, conversation_id: str, keep: int) -> list[VersionInfo]:
    """See `CheckpointStore.versions`."""
    named = {"owner": key_of(owner), "id": key_of(conversation_id), "keep": keep}
    rows = connection.execute(_VERSIONS, named).all()
    return [
        VersionInfo(
            version=row.version,
            message_count=row.message_count,
            committed_at=row.committed_at.astimezone(UTC),
            agent_keys=() if row.agent is None else (name_of(row.agent, None),),
        )
        for row in reversed(rows)
    ]


def read_info(connection: Connection) -> StoreInfo:
    """See `CheckpointStore.info`."""
    conversations, messages, size_bytes = connection.execute(_INFO).one()
    return StoreInfo(
        backend="postgresql",
        conversations=conversations,
        messages=messages,
        size_bytes=size_bytes,
        schema=REVISION,
    )
