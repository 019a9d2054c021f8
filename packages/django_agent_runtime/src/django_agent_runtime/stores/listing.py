"""What there is: conversations, the versions of one, and how much of everything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from django.db import connections
from django.db.models import Count, Exists, OuterRef, Q, Sum

from agent_runtime_core.interfaces import ConversationInfo, StoreInfo, VersionInfo
from django_agent_runtime.models import (
    AgentCheckpoint,
    AgentConversation,
    ConversationVersion,
    Message,
    Receipt,
    WaitingMessage,
)
from django_agent_runtime.models.names import key_of, name_of
from django_agent_runtime.stores.head import ALL, named

__all__ = ["list_conversations", "list_versions", "present_states", "read_info"]

_TABLES = (AgentCheckpoint, AgentConversation, ConversationVersion, Message, Receipt, WaitingMessage)


def list_conversations(
    alias: str,
    owner: str | None,
    updated_before: datetime | None,
    after: tuple[str, str] | None,
    limit: int,
) -> list[ConversationInfo]:
    """See `CheckpointStore.conversations`."""
    rows = AgentConversation.objects.using(alias).order_by("store_owner", "store_name")
    if owner is not None:
        rows = rows.filter(store_owner=key_of(owner))
    if updated_before is not None:
        rows = rows.filter(updated_at__lt=updated_before)
    if after is not None:
        last_owner, last_name = key_of(after[0]), key_of(after[1])
        rows = rows.filter(
            Q(store_owner__gt=last_owner) | Q(store_owner=last_owner, store_name__gt=last_name),
            store_owner__gte=last_owner,  # what the index is searched by
        )
    page = list(rows.defer("metadata")[: min(limit, ALL)])
    agents: dict[UUID | None, list[str]] = {}
    for state in present_states(alias, [row.pk for row in page]):
        agents.setdefault(state.conversation_id, []).append(name_of(state.agent_key, state.long_agent))
    return [
        ConversationInfo(
            conversation_id=name_of(row.store_name, row.long_name),
            owner=name_of(row.store_owner, row.long_owner),
            version=row.version,
            message_count=row.message_count,
            agent_keys=tuple(sorted(agents.get(row.pk, ()))),
            created_at=row.created_at.astimezone(UTC),
            updated_at=row.updated_at.astimezone(UTC),
        )
        for row in page
    ]


def present_states(alias: str, pks: Sequence[UUID], *, with_removed: bool = False) -> list[AgentCheckpoint]:
    """The last state of each agent in these conversations, without its body."""
    states = AgentCheckpoint.objects.using(alias)
    later = states.filter(
        conversation=OuterRef("conversation"), agent_key=OuterRef("agent_key"), seq__gt=OuterRef("seq")
    )
    last = states.filter(~Exists(later), conversation__in=pks)
    return list((last if with_removed else last.exclude(body=None)).defer("body"))


def list_versions(alias: str, owner: str, conversation_id: str, keep: int) -> list[VersionInfo]:
    """See `CheckpointStore.versions`."""
    pk = named(alias, owner, conversation_id).values_list("pk", flat=True).first()
    if pk is None:
        return []
    rows = list(ConversationVersion.objects.using(alias).filter(conversation=pk).order_by("-version")[:keep])
    agents: dict[int, list[str]] = {}
    states = AgentCheckpoint.objects.using(alias).filter(conversation=pk)
    for seq, key, whole in states.values_list("seq", "agent_key", "long_agent"):
        agents.setdefault(seq, []).append(name_of(key, whole))
    return [
        VersionInfo(
            version=row.version,
            message_count=row.message_count,
            committed_at=row.committed_at.astimezone(UTC),
            agent_keys=tuple(sorted(agents.get(row.version, ()))),
        )
        for row in reversed(rows)
    ]


def read_info(alias: str) -> StoreInfo:
    """See `CheckpointStore.info`."""
    found = AgentConversation.objects.using(alias).aggregate(count=Count("pk"), messages=Sum("message_count"))
    return StoreInfo(
        backend=f"django ({connections[alias].vendor})",
        conversations=found["count"],
        messages=found["messages"] or 0,
        size_bytes=_size_bytes(alias),
    )


def _size_bytes(alias: str) -> int | None:
    """What the tables take up; only PostgreSQL tells it apart from the rest of the database."""
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return None
    names = [table._meta.db_table for table in _TABLES]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CAST(sum(pg_total_relation_size(to_regclass(name))) AS bigint) "
            "FROM unnest(CAST(%s AS text[])) AS t(name)",
            [names],
        )
        return int(cursor.fetchone()[0])
