"""Reading one conversation: its window, its history, single messages; inside the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agent_runtime_core.errors import VersionNotFound
from agent_runtime_core.stores.sqlite.head import Head, find_head
from agent_runtime_core.stores.sqlite.reading import is_object
from agent_runtime_core.stores.sqlite.versions import count_at, listed, state_at, state_now

if TYPE_CHECKING:
    import sqlite3

__all__ = ["LoadedRow", "history", "joined_messages", "last_readable_version", "load", "message_rows", "read_now"]


class LoadedRow(NamedTuple):
    """A conversation as it was at one moment, not decoded yet."""

    version: int
    message_count: int
    start: int
    joined: bytes | None
    state: tuple[int, bytes | None] | None


# One row costs one step, however many messages it carries: they come joined, as the inside of a JSON list. As bytes,
# because SQLite does not mind what is no valid UTF-8, but the driver would.
_JOINED = """
    SELECT CAST(group_concat(body, ',') AS BLOB) FROM (
        SELECT body FROM messages WHERE key >= ? AND key < ? ORDER BY key
    )
"""
_ROWS = "SELECT key & 0xFFFFFFFF, CAST(body AS BLOB) FROM messages WHERE key >= ? AND key < ? ORDER BY key"


def load(
    cursor: sqlite3.Cursor,
    keep: int | None,
    owner: str,
    conversation_id: str,
    agent_key: str,
    window: int,
    at_version: int | None,
) -> LoadedRow | None:
    """See `CheckpointStore.load`; None when nothing is stored."""
    head = find_head(cursor, owner, conversation_id)
    if head is None:
        if at_version:
            raise VersionNotFound(conversation_id, at_version)
        return None
    if at_version is None or at_version == head.version:
        return read_now(cursor, head, agent_key, window)
    count = count_at(cursor, conversation_id, head, at_version, keep)
    start = max(0, count - window)
    return LoadedRow(
        version=at_version,
        message_count=count,
        start=start,
        joined=joined_messages(cursor, head, start, count),
        state=state_at(cursor, head, agent_key, at_version),
    )


def read_now(cursor: sqlite3.Cursor, head: Head, agent_key: str, window: int) -> LoadedRow:
    """The conversation as it is."""
    count = head.message_count
    start = max(0, count - window)
    return LoadedRow(
        version=head.version,
        message_count=count,
        start=start,
        joined=joined_messages(cursor, head, start, count),
        state=state_now(cursor, head, agent_key),
    )


def joined_messages(cursor: sqlite3.Cursor, head: Head, start: int, stop: int) -> bytes | None:
    """The messages from `start` to before `stop`, joined by commas; None when there are none."""
    if start >= stop:
        return None
    first = head.first_key
    joined: bytes | None = cursor.execute(_JOINED, (first + start, first + stop)).fetchall()[0][0]
    return joined


def history(
    cursor: sqlite3.Cursor, owner: str, conversation_id: str, start: int, limit: int
) -> tuple[int, bytes | None]:
    """Where the messages from `start` end, at most `limit`, and the messages, joined by commas."""
    head = find_head(cursor, owner, conversation_id)
    if head is None:
        return start, None
    stop = max(start, min(head.message_count, start + limit))
    return stop, joined_messages(cursor, head, start, stop)


def message_rows(
    cursor: sqlite3.Cursor, owner: str, conversation_id: str, start: int, stop: int
) -> list[tuple[int, bytes | None]]:
    """Position and text of each message, for leaving out those that cannot be read."""
    head = find_head(cursor, owner, conversation_id)
    if head is None:
        return []
    return cursor.execute(_ROWS, (head.first_key + start, head.first_key + stop)).fetchall()


def last_readable_version(
    cursor: sqlite3.Cursor, keep: int | None, owner: str, conversation_id: str, agent_key: str
) -> int | None:
    """The last version that can be gone back to and at which the agent's state can be read, or it had none."""
    head = find_head(cursor, owner, conversation_id)
    if head is not None:
        for version, _, _, _ in listed(cursor, head.number, keep):
            state = state_at(cursor, head, agent_key, version)
            if state is None or is_object(state[1]):
                return version
    return None
