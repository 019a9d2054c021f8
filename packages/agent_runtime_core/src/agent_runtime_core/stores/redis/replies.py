"""What the script answers, as what a store gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces.checkpoint import Checkpoint, ConversationInfo, VersionInfo
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.stores.json_data import decoded
from agent_runtime_core.stores.redis.names import as_text, owner_and_id

__all__ = ["checkpoint_of", "info_of", "messages_of", "microseconds", "object_of", "version_of"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def object_of(data: bytes) -> dict[str, Any]:
    """The dict that was stored.

    Raises:
        StoreUnavailable: Something else wrote there.
    """
    try:
        value = decoded(data)
    except ValueError as error:
        raise StoreUnavailable(f"a stored value is damaged ({error}); restore it from a backup.") from None
    if not isinstance(value, dict):
        raise StoreUnavailable("a stored value is damaged (it is no JSON object); restore it from a backup.")
    return value


def messages_of(rows: list[bytes]) -> list[MessageDict]:
    """The messages that were stored."""
    return [object_of(row) for row in rows]


def checkpoint_of(reply: list[Any]) -> Checkpoint:
    """A conversation: version, the state's row, number of messages, messages."""
    version, row, count, messages = reply
    state, state_version = None, 0
    if row and not row.endswith(b" -"):  # JSON ends with a brace
        _, written_with, data = row.split(b" ", 2)
        state, state_version = object_of(data), int(written_with)
    return Checkpoint(
        version=version,
        state=state,
        state_version=state_version,
        messages=messages_of(messages),
        message_count=count,
    )


def version_of(row: bytes) -> VersionInfo:
    """A commit: version, messages, microseconds, agent."""
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
