"""The tables of a SQLite store and every statement on them; each function works inside the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_runtime_core.errors import StoreConflict, StoreUnavailable
from agent_runtime_core.stores.json_data import storable_text

if TYPE_CHECKING:
    import sqlite3

__all__ = [
    "SCHEMA",
    "commit",
    "delete",
    "delete_messages",
    "delete_state",
    "history",
    "load",
    "message_rows",
]

# Conversations have numbers, and a message's key is its conversation's number and its own position in one integer:
# the messages of a conversation lie side by side, in their order, and its last ones are found without an index.
SCHEMA = (
    """
    CREATE TABLE conversations (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL,
        message_count INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE states (
        conversation INTEGER NOT NULL,
        agent_key TEXT NOT NULL,
        body TEXT NOT NULL,
        UNIQUE (conversation, agent_key)
    )
    """,
    """
    CREATE TABLE messages (
        key INTEGER PRIMARY KEY, -- conversation number * 2^32 + position
        body TEXT NOT NULL
    )
    """,
    # For people with a SQLite shell.
    """
    CREATE VIEW history AS
        SELECT id AS conversation_id, key & 0xFFFFFFFF AS position, body
        FROM conversations JOIN messages ON key BETWEEN number << 32 AND (number << 32) + 0xFFFFFFFF
    """,
)

_POSITION_BITS = 32
_MAX_POSITION = (1 << _POSITION_BITS) - 1

# A single statement reads of one moment and needs no transaction, and its one row costs one step, however many
# messages it carries: they come joined, as the inside of a JSON list. As bytes, because SQLite does not mind what
# is no valid UTF-8, but the driver would.
_LOAD = """
    SELECT version, message_count,
        (SELECT CAST(body AS BLOB) FROM states WHERE conversation = number AND agent_key = ?),
        (SELECT CAST(group_concat(body, ',') AS BLOB) FROM (
            SELECT body FROM messages
            WHERE key >= (number << 32) + max(0, message_count - ?) AND key < (number << 32) + message_count
            ORDER BY key
        ))
    FROM conversations WHERE id = ?
"""
_HISTORY = """
    SELECT version, message_count,
        (SELECT CAST(group_concat(body, ',') AS BLOB) FROM (
            SELECT body FROM messages
            WHERE key >= (number << 32) + ? AND key < (number << 32) + min(message_count, ?)
            ORDER BY key
        ))
    FROM conversations WHERE id = ?
"""
_MESSAGE_ROWS = """
    SELECT key & 0xFFFFFFFF, CAST(body AS BLOB) FROM messages
    WHERE key >= (SELECT number << 32 FROM conversations WHERE id = ?)
        AND key < (SELECT (number << 32) + message_count FROM conversations WHERE id = ?)
    ORDER BY key
"""
_HEAD = "SELECT version, message_count, number FROM conversations WHERE id = ?"
_ADD_HEAD = "INSERT INTO conversations (id, version, message_count) VALUES (?, 1, ?)"
_SET_HEAD = "UPDATE conversations SET version = ?, message_count = ? WHERE number = ?"
_SET_STATE = """
    INSERT INTO states (conversation, agent_key, body) VALUES (?, ?, ?)
    ON CONFLICT (conversation, agent_key) DO UPDATE SET body = excluded.body
"""
_ADD_MESSAGE = "INSERT INTO messages (key, body) VALUES (?, ?)"
_DELETE_STATE = "DELETE FROM states WHERE conversation = ? AND agent_key = ?"
_DELETE_STATES = "DELETE FROM states WHERE conversation = ?"
_DELETE_MESSAGES = "DELETE FROM messages WHERE key BETWEEN ? AND ?"
_DELETE_HEAD = "DELETE FROM conversations WHERE number = ?"


def load(
    cursor: sqlite3.Cursor, conversation_id: str, agent_key: str, max_messages: int
) -> tuple[int, int, bytes | None, bytes | None] | None:
    """Version, number of messages, state and last messages (joined by commas); None when nothing is stored."""
    cursor.execute(_LOAD, (storable_text(agent_key), max_messages, storable_text(conversation_id)))
    row: tuple[int, int, bytes | None, bytes | None] | None = _only_row(cursor, conversation_id)
    return row


def history(
    cursor: sqlite3.Cursor, conversation_id: str, start: int, stop: int
) -> tuple[int, int, bytes | None] | None:
    """Version, number of messages and those from `start` to before `stop`; None when nothing is stored."""
    cursor.execute(_HISTORY, (start, stop, storable_text(conversation_id)))
    row: tuple[int, int, bytes | None] | None = _only_row(cursor, conversation_id)
    return row


def message_rows(cursor: sqlite3.Cursor, conversation_id: str) -> list[tuple[int, bytes | None]]:
    """Position and text of each message, for finding the damaged one."""
    key = storable_text(conversation_id)
    return cursor.execute(_MESSAGE_ROWS, (key, key)).fetchall()


def commit(
    cursor: sqlite3.Cursor,
    conversation_id: str,
    agent_key: str,
    expected_version: int | None,
    state: str | bytes | None,
    messages: list[str | bytes],
) -> int:
    """Append messages and set the state; see `CheckpointStore.commit`. A conflict is found before any write."""
    head = _head(cursor, conversation_id)
    found_version = 0 if head is None else head[0]
    if expected_version is not None and expected_version != found_version:
        raise StoreConflict(conversation_id, expected_version, found_version)
    if head is None:
        cursor.execute(_ADD_HEAD, (storable_text(conversation_id), len(messages)))
        number: int = cursor.lastrowid  # type: ignore[assignment]  # not None behind an INSERT
        count = 0
    else:
        count, number = head[1:]
        cursor.execute(_SET_HEAD, (found_version + 1, count + len(messages), number))
    if state is not None:
        cursor.execute(_SET_STATE, (number, storable_text(agent_key), state))
    if messages:
        cursor.executemany(_ADD_MESSAGE, enumerate(messages, (number << _POSITION_BITS) + count))
    return found_version + 1


def delete_state(cursor: sqlite3.Cursor, conversation_id: str, agent_key: str) -> bool:
    """Remove one agent's state; see `CheckpointStore.delete_state`."""
    head = _head(cursor, conversation_id)
    if head is None:
        return False
    version, count, number = head
    cursor.execute(_DELETE_STATE, (number, storable_text(agent_key)))
    if not cursor.rowcount:
        return False
    cursor.execute(_SET_HEAD, (version + 1, count, number))
    return True


def delete_messages(cursor: sqlite3.Cursor, conversation_id: str) -> int:
    """Remove all messages; see `CheckpointStore.delete_messages`."""
    head = _head(cursor, conversation_id)
    if head is None or not head[1]:
        return 0
    version, count, number = head
    cursor.execute(_DELETE_MESSAGES, _all_keys(number))
    cursor.execute(_SET_HEAD, (version + 1, 0, number))
    return count


def delete(cursor: sqlite3.Cursor, conversation_id: str) -> bool:
    """Remove a conversation; see `CheckpointStore.delete`."""
    head = _head(cursor, conversation_id)
    if head is None:
        return False
    number = head[2]
    cursor.execute(_DELETE_MESSAGES, _all_keys(number))
    cursor.execute(_DELETE_STATES, (number,))
    cursor.execute(_DELETE_HEAD, (number,))
    return True


def _head(cursor: sqlite3.Cursor, conversation_id: str) -> tuple[int, int, int] | None:
    """Version, number of messages and the conversation's own number."""
    cursor.execute(_HEAD, (storable_text(conversation_id),))
    head: tuple[int, int, int] | None = _only_row(cursor, conversation_id)
    return head


def _only_row(cursor: sqlite3.Cursor, conversation_id: str) -> Any:
    """The row of this conversation, or None. Reading to the end closes the statement and what it holds open."""
    rows = cursor.fetchall()
    if not rows:
        return None
    version, message_count = rows[0][:2]
    # SQLite keeps values of any type in any column, so a damaged file may hold anything there.
    if version.__class__ is not int or message_count.__class__ is not int or version < 1 or message_count < 0:
        raise StoreUnavailable(
            f"conversation {conversation_id!r} is damaged: its version or its number of messages is no such number. "
            f"Restore the file from a backup, or delete the conversation.",
            key=conversation_id,
        )
    return rows[0]


def _all_keys(number: int) -> tuple[int, int]:
    first = number << _POSITION_BITS
    return first, first + _MAX_POSITION
