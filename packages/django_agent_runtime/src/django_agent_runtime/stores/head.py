"""A conversation's row, locked: nobody else writes to the conversation until the transaction ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from django.db import connections
from django.db.models import Exists, F, OuterRef, QuerySet

from agent_runtime_core.stores.lease import is_held
from django_agent_runtime.models import AgentCheckpoint, AgentConversation, ConversationVersion
from django_agent_runtime.models.names import key_of, long_name
from django_agent_runtime.stores.database import clock

__all__ = ["ALL", "Head", "locked_head", "locked_or_new_head", "named", "new_version", "trim_versions", "uuid_of"]

ALL = 1 << 62
"""More messages, or versions, than one conversation can have."""

TRIM_EVERY = 32
"""Versions beyond those that are kept are removed with every so many commits; until then nothing reads them."""

_COLUMNS = ("pk", "version", "message_count", "lease", "lease_until", "lease_seconds", "running_id", "current_run_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands in the row."""

    pk: UUID
    version: int
    message_count: int
    lease: int
    lease_until: float
    lease_seconds: float
    running_id: str
    current_run_id: UUID | None
    now: float
    is_new: bool = False

    @property
    def time(self) -> datetime:
        """When the row was read, by the clock that all share."""
        return datetime.fromtimestamp(self.now, UTC)

    def is_busy(self) -> bool:
        """Whether somebody holds the lease."""
        return self.lease != 0 and is_held(self.lease_until, self.lease_seconds, self.now)


def named(alias: str, owner: str, conversation_id: str) -> QuerySet[AgentConversation]:
    """The conversation of this name, or nothing."""
    conversations = AgentConversation.objects.using(alias)
    return conversations.filter(store_owner=key_of(owner), store_name=key_of(conversation_id))


def locked_head(alias: str, owner: str, conversation_id: str, *, is_new: bool = False) -> Head | None:
    """The conversation's row, locked; None when there is none."""
    rows = named(alias, owner, conversation_id)
    features = connections[alias].features
    if features.has_select_for_update:
        rows = rows.select_for_update(no_key=features.has_select_for_no_key_update)
    elif not rows.update(version=F("version")):  # SQLite: who has written first in a transaction is the only writer
        return None
    found = list(rows.annotate(now=clock(alias)).values(*_COLUMNS, "now"))
    return Head(**found[0], is_new=is_new) if found else None


def locked_or_new_head(alias: str, owner: str, conversation_id: str, agent_key: str) -> Head:
    """The conversation's row, locked; a new one where there was none."""
    head = locked_head(alias, owner, conversation_id)
    pk = (uuid_of(conversation_id) if owner == "" else None) or uuid4()
    while head is None:
        row = AgentConversation(
            pk=pk,
            store_owner=key_of(owner),
            store_name=key_of(conversation_id),
            long_owner=long_name(owner),
            long_name=long_name(conversation_id),
            agent_key=key_of(agent_key)[:100],
        )
        # Somebody else may be faster, and somebody may delete it again.
        AgentConversation.objects.using(alias).bulk_create([row], ignore_conflicts=True)
        is_new = AgentConversation.objects.using(alias).filter(pk=pk).exists()
        head = locked_head(alias, owner, conversation_id, is_new=is_new)
        pk = uuid4()  # or the id is that of another owner's conversation
    return head


def uuid_of(text: str) -> UUID | None:
    """The UUID that a text is, in its usual form; else None."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None


def new_version(alias: str, head: Head, message_count: int, keep: int, **changes: object) -> int:
    """Raise the version, note how many messages it has and whatever else changes, and return it."""
    version = head.version + 1
    if head.is_new:
        changes["created_at"] = head.time
    AgentConversation.objects.using(alias).filter(pk=head.pk).update(
        version=version, message_count=message_count, updated_at=head.time, **changes
    )
    ConversationVersion.objects.using(alias).create(
        conversation_id=head.pk, version=version, message_count=message_count, committed_at=head.time
    )
    if version % TRIM_EVERY == 0:
        trim_versions(alias, head.pk, keep)
    return version


def trim_versions(alias: str, pk: UUID, keep: int) -> None:
    """Remove what stands before the first version that is kept."""
    versions = ConversationVersion.objects.using(alias).filter(conversation=pk)
    first = versions.order_by("-version").values_list("version", flat=True)[keep - 1 : keep].first()
    if first is None:
        return
    versions.filter(version__lt=first).delete()
    states = AgentCheckpoint.objects.using(alias).filter(conversation=pk)
    later = states.filter(agent_key=OuterRef("agent_key"), seq__gt=OuterRef("seq"), seq__lte=first)
    states.filter(Exists(later), seq__lt=first).delete()
