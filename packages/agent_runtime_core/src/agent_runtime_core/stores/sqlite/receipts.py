"""Receipts: which messages in the history have ids that may come again, and where their answers are.

The receipt of the message that a run began with is in the head until the run ends: a message that nobody else asks
for, and that need not be remembered, gets no row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agent_runtime_core.stores.sqlite.head import NOWHERE, Head

if TYPE_CHECKING:
    import sqlite3

__all__ = ["Receipt", "add_receipt", "drop_receipt", "end_lease", "find_receipt", "finish", "keep_receipt"]


class Receipt(NamedTuple):
    """A message in the history whose id may come again."""

    position: int
    remember: int
    answer_end: int | None
    result: bytes | None


_FIND = """
    SELECT position, remember, answer_end, CAST(result AS BLOB) FROM receipts WHERE conversation = ? AND message_id = ?
"""
_ADD = "INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?, ?, ?)"
_DROP = "DELETE FROM receipts WHERE conversation = ? AND message_id = ?"
_DROP_FETCHED = "DELETE FROM receipts WHERE conversation = ? AND message_id = ? AND remember = 0"
# By name, because SQLite would rather go through all receipts of the conversation.
_ANSWER = """
    UPDATE receipts INDEXED BY receipts_unanswered SET answer_end = ?, result = ?
    WHERE conversation = ? AND answer_end IS NULL
"""


def find_receipt(cursor: sqlite3.Cursor, head: Head, message_id: bytes) -> Receipt | None:
    """The receipt of a message."""
    if head.running_position != NOWHERE and head.running_id == message_id:
        return Receipt(head.running_position, head.running_remember, None, None)
    found = cursor.execute(_FIND, (head.number, message_id)).fetchall()
    return Receipt(*found[0]) if found else None


def add_receipt(cursor: sqlite3.Cursor, number: int, message_id: bytes, position: int, remember: int) -> None:
    """Note where in the history a message is that has no answer yet."""
    cursor.execute(_ADD, (number, message_id, position, remember, None, None))


def keep_receipt(cursor: sqlite3.Cursor, head: Head) -> None:
    """Write down the receipt that is in the head, because another message or nobody takes its place there."""
    if head.running_position != NOWHERE:
        add_receipt(cursor, head.number, head.running_id, head.running_position, head.running_remember)
        head.running_position = NOWHERE


def drop_receipt(cursor: sqlite3.Cursor, number: int, message_id: bytes) -> None:
    """Forget a message's id."""
    cursor.execute(_DROP, (number, message_id))


def finish(cursor: sqlite3.Cursor, head: Head, result: str | bytes) -> None:
    """End the run that is on: all messages that have left the line are answered, up to the last message."""
    if head.running_position == NOWHERE:
        # Whoever finishes knows the answer.
        cursor.execute(_DROP_FETCHED, (head.number, head.running_id))
    elif head.running_remember:
        row = (head.number, head.running_id, head.running_position, 1, head.message_count, result)
        cursor.execute(_ADD, row)
    cursor.execute(_ANSWER, (head.message_count, result, head.number))
    head.running_position = NOWHERE
    end_lease(head)


def end_lease(head: Head) -> None:
    """Let nobody hold the lease."""
    head.lease, head.lease_until, head.running_id = 0, 0.0, b""
