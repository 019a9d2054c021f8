"""The versions of a conversation: one row for each commit, with the state that it wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_runtime_core.errors import VersionNotFound
from agent_runtime_core.stores.sqlite.head import Head
from agent_runtime_core.stores.sqlite.tables import MAX_NUMBER, all_keys, name_bytes

if TYPE_CHECKING:
    import sqlite3

__all__ = ["State", "VersionRow", "add_version", "count_at", "listed", "state_at", "state_now", "trim"]

State = tuple[int, str | bytes | None]
"""The journey's version, and the state as JSON; None: removed."""
VersionRow = tuple[int, int, float, bytes | None]
"""Version, number of messages, time, and the agent whose state was written with it."""

TRIM_EVERY = 32
"""Old versions go with every so many commits: each time costs as much as a commit."""

_ADD = "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?)"
_COUNT_AT = "SELECT message_count FROM versions WHERE key = ?"
_LATER = """
    SELECT count(*) FROM (
        SELECT 1 FROM versions WHERE key > ? AND key <= ? AND message_count IS NOT NULL LIMIT ?
    )
"""
_LISTED = """
    SELECT key & 0xFFFFFFFF, message_count, committed, agent_key FROM versions
    WHERE key >= ? AND key <= ? AND message_count IS NOT NULL ORDER BY key DESC LIMIT ?
"""
_STATE_NOW = "SELECT state_version, CAST(state AS BLOB) FROM versions WHERE key = ?"
_STATE_AT = """
    SELECT state_version, CAST(state AS BLOB) FROM versions
    WHERE key >= ? AND key <= ? AND agent_key = ? ORDER BY key DESC LIMIT 1
"""
_FIRST_LISTED = """
    SELECT key FROM versions
    WHERE key >= ? AND key <= ? AND message_count IS NOT NULL ORDER BY key DESC LIMIT 1 OFFSET ?
"""
_OLD = "SELECT key, agent_key, state IS NULL FROM versions WHERE key >= ? AND key <= ? ORDER BY key DESC"
_DELETE = "DELETE FROM versions WHERE key = ?"
_UNLIST = "UPDATE versions SET message_count = NULL WHERE key = ?"


def add_version(
    cursor: sqlite3.Cursor, head: Head, now: float, keep: int | None, agent_key: str = "", state: State | None = None
) -> None:
    """Count the commit that the head is at, with the state that it writes; old versions go from time to time."""
    head.updated = now
    key = head.first_key + head.version
    if state is None:
        cursor.execute(_ADD, (key, head.message_count, now, None, None, None))
    else:
        cursor.execute(_ADD, (key, head.message_count, now, name_bytes(agent_key), *state))
    if keep is not None and head.version > keep and head.version % TRIM_EVERY == 0:
        trim(cursor, head.number, keep)


def count_at(cursor: sqlite3.Cursor, conversation_id: str, head: Head, version: int, keep: int | None) -> int:
    """How many messages a version had.

    Raises:
        VersionNotFound: It is none that can be gone back to.
    """
    if 0 < version <= head.version:
        key = head.first_key + version
        found = cursor.execute(_COUNT_AT, (key,)).fetchall()
        if found and found[0][0] is not None and (keep is None or _later(cursor, head, key, keep) < keep):
            count: int = found[0][0]
            return count
    raise VersionNotFound(conversation_id, version)


def _later(cursor: sqlite3.Cursor, head: Head, key: int, keep: int) -> int:
    ((later,),) = cursor.execute(_LATER, (key, head.first_key + MAX_NUMBER, keep)).fetchall()
    return int(later)


def listed(cursor: sqlite3.Cursor, number: int, keep: int | None) -> list[VersionRow]:
    """The versions that can be gone back to, the newest first."""
    return cursor.execute(_LISTED, (*all_keys(number), -1 if keep is None else keep)).fetchall()


def state_now(cursor: sqlite3.Cursor, head: Head, agent_key: str) -> tuple[int, bytes | None] | None:
    """The agent's state with the journey's version; None when it has none. A state that is lost is empty."""
    if head.agents_json == b"{}":
        return None
    version = head.agents(cursor).get(agent_key)
    if version is None:
        return None
    found = cursor.execute(_STATE_NOW, (head.first_key + version,)).fetchall()
    return (0, b"") if not found or found[0][1] is None else found[0]


def state_at(cursor: sqlite3.Cursor, head: Head, agent_key: str, version: int) -> tuple[int, bytes | None] | None:
    """The agent's state as a version left it; None when it had none."""
    key = head.first_key
    found = cursor.execute(_STATE_AT, (key, key + version, name_bytes(agent_key))).fetchall()
    return None if not found or found[0][1] is None else found[0]


def trim(cursor: sqlite3.Cursor, number: int, keep: int) -> None:
    """Remove the versions that cannot be gone back to any more, but no state that a later one still has."""
    first, last = all_keys(number)
    found = cursor.execute(_FIRST_LISTED, (first, last, keep - 1)).fetchall()
    if found:
        unlist(cursor, first, found[0][0])


def unlist(cursor: sqlite3.Cursor, first: int, end: int) -> None:
    """Let the versions before the key `end` be none, and remove those whose states have been replaced by then."""
    seen = set()
    gone: list[tuple[int]] = []
    kept: list[tuple[int]] = []
    for key, agent_key, is_removed in cursor.execute(_OLD, (first, end)).fetchall():
        is_needed = agent_key is not None and agent_key not in seen and not is_removed
        if agent_key is not None:
            seen.add(agent_key)
        if key < end:
            (kept if is_needed else gone).append((key,))
    cursor.executemany(_DELETE, gone)
    cursor.executemany(_UNLIST, kept)
