"""Going back, copying, removing, and leases that hold on or end; each with the conversation's row locked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from agent_runtime_core.errors import ConversationBusy, StoreConflict, VersionNotFound
from agent_runtime_core.interfaces import Removal
from django_agent_runtime.models import (
    AgentCheckpoint,
    AgentConversation,
    ConversationVersion,
    Message,
    Receipt,
    WaitingMessage,
)
from django_agent_runtime.models.names import key_of, long_name
from django_agent_runtime.stores.head import Head, locked_head, named, new_version, trim_versions, uuid_of
from django_agent_runtime.stores.listing import present_states

__all__ = ["delete", "delete_messages", "delete_state", "fork", "release", "renew", "rewind", "withdraw"]

_NOBODY: dict[str, Any] = {"lease": 0, "lease_until": 0.0, "running_id": "", "current_run": None}
_BATCH = 500


def renew(alias: str, owner: str, conversation_id: str, lease: int, lease_seconds: float) -> bool:
    """See `CheckpointStore.renew`."""
    head = locked_head(alias, owner, conversation_id)
    if head is None or head.lease != lease:
        return False
    AgentConversation.objects.using(alias).filter(pk=head.pk).update(
        lease_until=head.now + lease_seconds, lease_seconds=lease_seconds
    )
    return True


def release(alias: str, owner: str, conversation_id: str, lease: int) -> None:
    """See `CheckpointStore.release`."""
    named(alias, owner, conversation_id).filter(lease=lease).update(**_NOBODY)


def withdraw(alias: str, owner: str, conversation_id: str, message_id: str) -> bool:
    """See `CheckpointStore.withdraw`."""
    head = locked_head(alias, owner, conversation_id)
    if head is None:
        return False
    waiting = WaitingMessage.objects.using(alias).filter(conversation=head.pk, message_id=key_of(message_id))
    return bool(waiting.delete()[0])


def rewind(alias: str, owner: str, conversation_id: str, version: int, keep: int) -> int:
    """See `CheckpointStore.rewind`."""
    head = locked_head(alias, owner, conversation_id)
    if head is None:
        raise VersionNotFound(conversation_id, version, has_conversation=False)
    if head.is_busy():
        raise ConversationBusy(conversation_id)
    trim_versions(alias, head.pk, keep)  # what may not be gone back to any more must not come back
    count = _count_at(alias, head, conversation_id, version)
    Message.objects.using(alias).filter(conversation=head.pk, seq__gte=count).delete()
    AgentCheckpoint.objects.using(alias).filter(conversation=head.pk, seq__gt=version).delete()
    ConversationVersion.objects.using(alias).filter(conversation=head.pk, version__gt=version).delete()
    receipts = Receipt.objects.using(alias).filter(conversation=head.pk)
    receipts.filter(position__gte=count).delete()
    receipts.filter(end_position__gt=count).update(end_position=None, result=None)
    return new_version(alias, head, count, keep, **_NOBODY)


def fork(alias: str, owner: str, conversation_id: str, new_conversation_id: str, version: int | None, keep: int) -> int:
    """See `CheckpointStore.fork`."""
    head = locked_head(alias, owner, conversation_id)
    if head is None:
        raise VersionNotFound(conversation_id, version or 0, has_conversation=False)
    trim_versions(alias, head.pk, keep)
    version = head.version if version is None else version
    count = _count_at(alias, head, conversation_id, version)
    there = named(alias, owner, new_conversation_id).values_list("version", flat=True).first()
    if there is not None:
        raise StoreConflict(new_conversation_id, 0, there, is_copy=True)
    copy = AgentConversation.objects.using(alias).get(pk=head.pk)
    copy.pk = (uuid_of(new_conversation_id) if owner == "" else None) or uuid4()
    copy.store_name, copy.long_name = key_of(new_conversation_id), long_name(new_conversation_id)
    copy.version, copy.message_count = version, count
    copy.created_at = copy.updated_at = head.time
    for name, value in _NOBODY.items():
        setattr(copy, name, value)
    if not _inserted(alias, copy):
        raise StoreConflict(new_conversation_id, 0, 0, is_copy=True)
    _copy_rows(alias, Message.objects.using(alias).filter(conversation=head.pk, seq__lt=count), copy.pk)
    _copy_rows(alias, AgentCheckpoint.objects.using(alias).filter(conversation=head.pk, seq__lte=version), copy.pk)
    versions = ConversationVersion.objects.using(alias).filter(conversation=head.pk, version__lte=version)
    _copy_rows(alias, versions, copy.pk)
    return version


def _inserted(alias: str, copy: AgentConversation) -> bool:
    conversations = AgentConversation.objects.using(alias)
    conversations.bulk_create([copy], ignore_conflicts=True)
    return conversations.filter(pk=copy.pk, store_owner=copy.store_owner, store_name=copy.store_name).exists()


def _copy_rows(alias: str, rows: Any, conversation: UUID) -> None:
    def copies() -> Iterable[Any]:
        for row in rows.iterator(chunk_size=_BATCH):
            row.pk, row.conversation_id = uuid4(), conversation
            if hasattr(row, "run_id"):
                row.run_id = None  # a run is in one conversation
            yield row

    rows.model.objects.using(alias).bulk_create(copies(), batch_size=_BATCH)


def delete_state(alias: str, owner: str, conversation_id: str, agent_key: str, keep: int) -> bool:
    """See `CheckpointStore.delete_state`."""
    head = locked_head(alias, owner, conversation_id)
    if head is None:
        return False
    states = AgentCheckpoint.objects.using(alias).filter(conversation=head.pk, agent_key=key_of(agent_key))
    last = states.order_by("-seq").first()
    if last is None or last.body is None:
        return False
    AgentCheckpoint.objects.using(alias).create(
        conversation_id=head.pk,
        agent_key=last.agent_key,
        long_agent=last.long_agent,
        seq=head.version + 1,
        body=None,
        created_at=head.time,
    )
    new_version(alias, head, head.message_count, keep)
    return True


def delete_messages(alias: str, owner: str, conversation_id: str, keep: int) -> int:
    """See `CheckpointStore.delete_messages`."""
    head = locked_head(alias, owner, conversation_id)
    if head is None or not head.message_count:
        return 0
    Message.objects.using(alias).filter(conversation=head.pk).delete()
    ConversationVersion.objects.using(alias).filter(conversation=head.pk).delete()
    present = [each.pk for each in present_states(alias, [head.pk], with_removed=True)]
    AgentCheckpoint.objects.using(alias).filter(conversation=head.pk).exclude(pk__in=present).delete()
    receipts = Receipt.objects.using(alias).filter(conversation=head.pk)
    receipts.filter(end_position=None).delete()
    receipts.update(position=0, end_position=0)
    new_version(alias, head, 0, keep)
    return head.message_count


def delete(alias: str, owner: str, conversation_id: str, expected_version: int | None) -> Removal:
    """See `CheckpointStore.delete`."""
    head = locked_head(alias, owner, conversation_id)
    version = 0 if head is None else head.version
    if expected_version not in (None, version):
        raise StoreConflict(conversation_id, expected_version or 0, version)
    if head is None:
        return Removal()
    removal = Removal(
        conversations=1,
        messages=head.message_count,
        states=len(present_states(alias, [head.pk])),
        waiting=WaitingMessage.objects.using(alias).filter(conversation=head.pk).count(),
    )
    AgentConversation.objects.using(alias).filter(pk=head.pk).delete()
    return removal


def _count_at(alias: str, head: Head, conversation_id: str, version: int) -> int:
    versions = ConversationVersion.objects.using(alias).filter(conversation=head.pk)
    count = None
    if 0 < version <= head.version:
        count = versions.filter(version=version).values_list("message_count", flat=True).first()
    if count is None:
        raise VersionNotFound(conversation_id, version)
    return count
