"""What the script answers, as what a store gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from agent_runtime_core.interfaces.checkpoint import ConversationInfo, VersionInfo
from agent_runtime_core.stores.redis.names import as_text, owner_and_id

__all__ = ["Row", "info_of", "microseconds", "version_of"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Row(NamedTuple):
    """A conversation as the server tells it; what of it can be read is still to be seen."""

    version: int
    state: bytes | None
    message_count: int
    messages: list[bytes]


def version_of(row: bytes) -> VersionInfo:
    """A commit: version, messages, microseconds, agent.

    Raises:
        ValueError: It is none.
        OverflowError: Its time is none.
    """
    version, count, at, agent = row.split(b" ", 3)
    return VersionInfo(
        version=int(version),
        message_count=int(count),
        committed_at=_time(at),
        agent_keys=(as_text(agent[1:]),) if agent.startswith(b"+") else (),
    )


def info_of(row: list[Any]) -> ConversationInfo:
    """What is told of a conversation: name, version, messages, created, updated, agents (and whether alive)."""
    name, version, count, created, updated, agents = row
    owner, conversation_id = owner_and_id(name)
    keys = (as_text(key) for key, alive in zip(agents[::2], agents[1::2], strict=True) if alive == b"1")
    return ConversationInfo(
        conversation_id=conversation_id,
        owner=owner,
        version=int(version),
        message_count=count,
        agent_keys=tuple(sorted(keys)),
        created_at=_time(created),
        updated_at=_time(updated),
    )


def microseconds(at: datetime) -> int:
    """Since 1970.

    Raises:
        TypeError: It has no time zone.
    """
    return (at - _EPOCH) // _MICROSECOND


def _time(since_1970: bytes) -> datetime:
    return _EPOCH + int(since_1970) * _MICROSECOND
