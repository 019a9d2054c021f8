"""What a store tells of conversations without reading them; inside the caller's transaction."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agent_runtime_core.interfaces.checkpoint import ConversationInfo, StoreInfo, VersionInfo
from agent_runtime_core.stores.sqlite.head import find_head
from agent_runtime_core.stores.sqlite.tables import SCHEMA_VERSION, name_bytes
from agent_runtime_core.stores.sqlite.versions import listed

if TYPE_CHECKING:
    import sqlite3

__all__ = ["conversations", "info", "versions"]

_LOGGER = logging.getLogger(__name__)

_DAY_S = 86400

FEW = 2000
"""So many old conversations are sorted for each page; more of them are met often enough on the way through all."""

_COLUMNS = "SELECT number, owner, id, version, message_count, agents, created, updated FROM conversations"
_ORDER = "ORDER BY owner, id LIMIT ?"
_HOW_MANY_OLD = "SELECT count(*) FROM (SELECT 1 FROM conversations WHERE updated_day <= ? LIMIT ?)"
# By the index of names, page after page in its order.
_ALL = f"{_COLUMNS} WHERE (owner, id) > (?, ?) AND updated < ? {_ORDER}"
_OF_OWNER = f"{_COLUMNS} WHERE owner = ? AND id > ? AND updated < ? {_ORDER}"
# By the index of days; the plus keeps the other one out of it.
_OLD = (
    f"{_COLUMNS} WHERE (+owner, +id) > (?, ?) AND updated < ? AND updated_day <= ? {_ORDER.replace('owner', '+owner')}"
)
_OLD_OF_OWNER = f"{_COLUMNS} WHERE +owner = ? AND +id > ? AND updated < ? AND updated_day <= ? ORDER BY +id LIMIT ?"

_SIZES = "SELECT count(*), coalesce(sum(message_count), 0) FROM conversations"


def conversations(
    cursor: sqlite3.Cursor,
    owner: str | None,
    updated_before: float | None,
    after: tuple[str, str] | None,
    limit: int,
) -> list[ConversationInfo]:
    """See `CheckpointStore.conversations`. A row that cannot be read is left out and logged."""
    found: list[ConversationInfo] = []
    names = (b"", b"") if after is None else (name_bytes(after[0]), name_bytes(after[1]))
    if owner is not None:
        own = name_bytes(owner)
        if own < names[0]:
            return []
        names = (own, names[1] if own == names[0] else b"")
    before: tuple[float, ...] = (float("inf") if updated_before is None else updated_before,)
    statement = _ALL if owner is None else _OF_OWNER
    if updated_before is not None:
        day = int(updated_before // _DAY_S)
        ((old,),) = cursor.execute(_HOW_MANY_OLD, (day, FEW)).fetchall()
        if old < FEW:
            before += (day,)
            statement = _OLD if owner is None else _OLD_OF_OWNER
    for row in cursor.execute(statement, (*names, *before, limit)).fetchall():
        try:
            found.append(_info(*row))
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            _LOGGER.warning("conversation number %r is damaged and was left out: %s", row[0], type(error).__name__)
    return found


def _info(
    number: int,
    owner: bytes,
    conversation_id: bytes,
    version: int,
    message_count: int,
    agents: bytes,
    created: float,
    updated: float,
) -> ConversationInfo:
    return ConversationInfo(
        conversation_id=_text(conversation_id),
        owner=_text(owner),
        version=int(version),
        message_count=int(message_count),
        agent_keys=tuple(sorted(json.loads(agents))),
        created_at=_utc(created),
        updated_at=_utc(updated),
    )


def versions(cursor: sqlite3.Cursor, keep: int | None, owner: str, conversation_id: str) -> list[VersionInfo]:
    """See `CheckpointStore.versions`."""
    head = find_head(cursor, owner, conversation_id)
    if head is None:
        return []
    return [
        VersionInfo(
            version=version,
            message_count=message_count,
            committed_at=_utc(committed),
            agent_keys=() if agent_key is None else (_text(agent_key),),
        )
        for version, message_count, committed, agent_key in reversed(listed(cursor, head.number, keep))
    ]


def info(cursor: sqlite3.Cursor) -> StoreInfo:
    """See `CheckpointStore.info`."""
    ((count, messages),) = cursor.execute(_SIZES).fetchall()
    return StoreInfo(
        backend="sqlite",
        conversations=count,
        messages=messages,
        size_bytes=_pragma(cursor, "page_count") * _pragma(cursor, "page_size"),
        schema=str(SCHEMA_VERSION),
    )


def _pragma(cursor: sqlite3.Cursor, name: str) -> Any:
    return cursor.execute(f"PRAGMA {name}").fetchall()[0][0]


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogatepass")


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
