"""Reading messages and states: the checkpoint, now or at a version, and any stretch of the history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.db.models import F, OuterRef, Subquery

from agent_runtime_core.errors import VersionNotFound
from agent_runtime_core.interfaces import Checkpoint
from agent_runtime_core.messages import MessageDict
from django_agent_runtime.models import AgentCheckpoint, AgentConversation, ConversationVersion, Message
from django_agent_runtime.models.documents import read_document
from django_agent_runtime.models.names import key_of
from django_agent_runtime.stores.damage import readable_messages, state_damage
from django_agent_runtime.stores.head import ALL, locked_head, named

__all__ = ["read_checkpoint", "read_history"]

T = TypeVar("T")

TRIES = 4
"""How often a reading is begun again because somebody wrote meanwhile, before it locks the conversation."""


class _Moved(Exception):
    """The conversation was written to between two statements of one reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """A conversation as it was at one moment, without its messages."""

    pk: UUID
    present: int
    version: int
    message_count: int
    body: str | None
    journey_version: int | None


def read_checkpoint(
    alias: str,
    owner: str,
    conversation_id: str,
    agent_key: str,
    max_messages: int | None,
    *,
    at_version: int | None = None,
    keep: int = ALL,
) -> Checkpoint:
    """See `CheckpointStore.load`."""

    def read() -> Checkpoint:
        head = _head(alias, owner, conversation_id, agent_key, at_version, keep)
        if head is None:
            if at_version:
                raise VersionNotFound(conversation_id, at_version)
            return Checkpoint()
        try:
            state = None if head.body is None else read_document(head.body)
        except ValueError as problem:
            raise state_damage(alias, owner, conversation_id, agent_key, head.pk, head.version, problem) from None
        start = 0 if max_messages is None else max(0, head.message_count - max_messages)
        return Checkpoint(
            version=head.version,
            state=state,
            state_version=0 if state is None else head.journey_version or 0,
            messages=_messages(alias, conversation_id, head.pk, head.present, start, head.message_count),
            message_count=head.message_count,
        )

    return _of_one_moment(alias, owner, conversation_id, read)


def read_history(alias: str, owner: str, conversation_id: str, start: int, limit: int | None) -> list[MessageDict]:
    """See `CheckpointStore.history`."""

    def read() -> list[MessageDict]:
        head = _head(alias, owner, conversation_id, "", None, ALL)
        if head is None:
            return []
        stop = head.message_count if limit is None else min(start + limit, head.message_count)
        return _messages(alias, conversation_id, head.pk, head.present, start, stop)

    return _of_one_moment(alias, owner, conversation_id, read)


def _of_one_moment(alias: str, owner: str, conversation_id: str, read: Callable[[], T]) -> T:
    """What is read, again when somebody wrote meanwhile; after some attempts nobody may."""
    for _ in range(TRIES):
        try:
            return read()
        except _Moved:
            continue
    locked_head(alias, owner, conversation_id)
    return read()


def _head(
    alias: str, owner: str, conversation_id: str, agent_key: str, at_version: int | None, keep: int
) -> _Head | None:
    """The head and the agent's state, in one statement."""
    if at_version is not None and not 0 < at_version < ALL:
        if at_version == 0 and not named(alias, owner, conversation_id).filter(version__gt=0).exists():
            return None
        raise VersionNotFound(conversation_id, at_version)
    rows = named(alias, owner, conversation_id)
    states = AgentCheckpoint.objects.using(alias).filter(conversation=OuterRef("pk"), agent_key=key_of(agent_key))
    states = states.filter(seq__lte=OuterRef("version") if at_version is None else at_version).order_by("-seq")
    columns = {"body": Subquery(states.values("body")[:1]), "state_of": Subquery(states.values("journey_version")[:1])}
    if at_version is None:
        row = rows.annotate(**columns).values("pk", "version", "message_count", *columns).first()
        count_at = None
    else:
        versions = ConversationVersion.objects.using(alias).filter(conversation=OuterRef("pk"), version=at_version)
        columns["count_at"] = Subquery(versions.values("message_count")[:1])
        row = rows.annotate(**columns).values("pk", "version", "message_count", *columns).first()
        count_at = None if row is None else row["count_at"]
        if row is not None and (count_at is None or not _is_kept(alias, row["pk"], at_version, keep)):
            raise VersionNotFound(conversation_id, at_version)
    if row is None:
        return None
    return _Head(
        pk=row["pk"],
        present=row["version"],
        version=row["version"] if at_version is None else at_version,
        message_count=row["message_count"] if count_at is None else count_at,
        body=row["body"],
        journey_version=row["state_of"],
    )


def _is_kept(alias: str, pk: UUID, version: int, keep: int) -> bool:
    later = ConversationVersion.objects.using(alias).filter(conversation=pk, version__gt=version)
    return len(later.values_list("version")[:keep]) < keep


def _messages(alias: str, conversation_id: str, pk: UUID, version: int, start: int, stop: int) -> list[MessageDict]:
    """The messages from one position to before another, of the conversation at its present version.

    Raises:
        _Moved: The present version is another.
    """
    if start >= stop:
        return []
    rows = Message.objects.using(alias).filter(conversation=pk, seq__gte=start, seq__lt=stop).order_by("seq")
    stored = list(rows.annotate(present=F("conversation__version")).values_list("seq", "body", "present"))
    is_whole = len(stored) == stop - start and all(row[2] == version for row in stored)
    if not is_whole and not AgentConversation.objects.using(alias).filter(pk=pk, version=version).exists():
        raise _Moved
    bodies = {seq: body for seq, body, _ in stored}
    return readable_messages(conversation_id, bodies, start, stop)
