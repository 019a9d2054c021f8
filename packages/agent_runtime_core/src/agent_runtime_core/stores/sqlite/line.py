"""The messages in line for a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agent_runtime_core.stores.sqlite.tables import all_keys

if TYPE_CHECKING:
    import sqlite3

__all__ = ["Arrival", "WaitingRow", "leave", "stand_in_line", "still_there", "waiting_rows", "withdraw"]


class Arrival(NamedTuple):
    """A message that comes to a conversation."""

    message_id: bytes
    body: str | bytes
    remember: bool
    on_busy: str
    seconds: float


class WaitingRow(NamedTuple):
    """A message in line, without its text."""

    key: int
    message_id: bytes
    remember: int
    merges: int
    until: float
    seconds: float


_WAITING = """
    SELECT key, message_id, remember, merges, until, seconds FROM waiting WHERE key >= ? AND key <= ? ORDER BY key
"""
_ADD = "INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?)"
_STILL_THERE = "UPDATE waiting SET until = ?, seconds = ? WHERE key = ?"
_MOVE = "INSERT INTO messages SELECT ?, body FROM waiting WHERE key = ?"
_LEAVE = "DELETE FROM waiting WHERE key = ?"
_WITHDRAW = "DELETE FROM waiting WHERE key >= ? AND key <= ? AND message_id = ?"


def waiting_rows(cursor: sqlite3.Cursor, number: int) -> list[WaitingRow]:
    """Who is in line, the first one first."""
    return [WaitingRow(*row) for row in cursor.execute(_WAITING, all_keys(number)).fetchall()]


def stand_in_line(cursor: sqlite3.Cursor, key: int, arrival: Arrival, now: float) -> None:
    """Put a message behind the others."""
    message_id, body, remember, on_busy, seconds = arrival
    cursor.execute(_ADD, (key, message_id, remember, on_busy == "merge", now + seconds, seconds, body))


def still_there(cursor: sqlite3.Cursor, key: int, arrival: Arrival, now: float) -> None:
    """Note that a message in line is still waited for."""
    cursor.execute(_STILL_THERE, (now + arrival.seconds, arrival.seconds, key))


def leave(cursor: sqlite3.Cursor, rows: list[WaitingRow], first_key: int) -> None:
    """Move messages from the line into the history, the first one to this key."""
    cursor.executemany(_MOVE, [(first_key + offset, row.key) for offset, row in enumerate(rows)])
    cursor.executemany(_LEAVE, [(row.key,) for row in rows])


def withdraw(cursor: sqlite3.Cursor, number: int, message_id: bytes) -> bool:
    """Take a message out of the line and say whether it was there."""
    cursor.execute(_WITHDRAW, (*all_keys(number), message_id))
    return cursor.rowcount > 0
