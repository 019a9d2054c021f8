"""The head of a conversation: one row that every commit reads and writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.stores.lease import is_held
from agent_runtime_core.stores.sqlite.tables import KEY_BITS, all_keys, name_bytes

if TYPE_CHECKING:
    import sqlite3

__all__ = ["NOWHERE", "Head", "agents_at", "find_head", "find_number", "new_head"]

_FIND = """
    SELECT number, version, message_count, updated, updated_day, lease, lease_until, lease_seconds, running_id,
        running_position, running_remember, agents
    FROM conversations WHERE owner = ? AND id = ?
"""
_FIND_NUMBER = "SELECT number FROM conversations WHERE owner = ? AND id = ?"
_ADD = """
    INSERT INTO conversations (version, message_count, updated, updated_day, lease, lease_until, lease_seconds,
        running_id, running_position, running_remember, agents, owner, id, created)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_SET = """
    UPDATE conversations
    SET version = ?, message_count = ?, updated = ?, lease = ?, lease_until = ?, lease_seconds = ?, running_id = ?,
        running_position = ?, running_remember = ?, agents = ?
    WHERE number = ?
"""
_SET_DAY = "UPDATE conversations SET updated_day = ? WHERE number = ?"
_AGENTS_AT = """
    SELECT agent_key, max(key) & 0xFFFFFFFF, state IS NULL FROM versions
    WHERE key >= ? AND key <= ? AND agent_key IS NOT NULL GROUP BY agent_key
"""

_SOUND = (int, int, int, float, int, int, float, float, bytes, int, int, bytes)
_DAY_S = 86400

NOWHERE = -1
"""The position of a running message whose receipt is not in the head."""


class Head:
    """What is known of a conversation without its messages and states.

    Args:
        number: Its number in this file; 0 before it is added.
        agents: Which version has each agent's present state, as JSON.
    """

    __slots__ = (
        "agents_json",
        "day",
        "lease",
        "lease_seconds",
        "lease_until",
        "message_count",
        "number",
        "running_id",
        "running_position",
        "running_remember",
        "updated",
        "version",
    )

    def __init__(
        self,
        number: int,
        version: int,
        message_count: int,
        updated: float,
        day: int,
        lease: int,
        lease_until: float,
        lease_seconds: float,
        running_id: bytes,
        running_position: int,
        running_remember: int,
        agents: bytes,
    ) -> None:
        self.number = number
        self.version = version
        self.message_count = message_count
        self.updated = updated
        self.day = day
        self.lease = lease
        self.lease_until = lease_until
        self.lease_seconds = lease_seconds
        self.running_id = running_id
        self.running_position = running_position
        self.running_remember = running_remember
        self.agents_json = agents

    @property
    def first_key(self) -> int:
        """What is added to a position or a version to make a key."""
        return self.number << KEY_BITS

    def is_busy(self, now: float) -> bool:
        """Whether somebody holds the lease."""
        return self.lease != 0 and is_held(self.lease_until, self.lease_seconds, now)

    def agents(self, cursor: sqlite3.Cursor) -> dict[str, int]:
        """Which version has each agent's present state."""
        try:
            agents = json.loads(self.agents_json)
            if isinstance(agents, dict) and all(version.__class__ is int for version in agents.values()):
                return agents
        except ValueError:
            pass
        return agents_at(cursor, self.number, self.version)  # the text is damaged; the rows say it, too

    def set_agents(self, agents: dict[str, int]) -> None:
        """Note which version has each agent's present state."""
        self.agents_json = json.dumps(agents).encode()

    def save(self, cursor: sqlite3.Cursor) -> None:
        """Write what may have changed."""
        cursor.execute(
            _SET,
            (
                self.version,
                self.message_count,
                self.updated,
                self.lease,
                self.lease_until,
                self.lease_seconds,
                self.running_id,
                self.running_position,
                self.running_remember,
                self.agents_json,
                self.number,
            ),
        )
        day = int(self.updated // _DAY_S)
        if day != self.day:  # by itself, because it costs a page of the index
            cursor.execute(_SET_DAY, (day, self.number))

    def add(self, cursor: sqlite3.Cursor, owner: str, conversation_id: str, created: float) -> None:
        """Write a new one, and learn its number."""
        cursor.execute(
            _ADD,
            (
                self.version,
                self.message_count,
                self.updated,
                int(self.updated // _DAY_S),
                self.lease,
                self.lease_until,
                self.lease_seconds,
                self.running_id,
                self.running_position,
                self.running_remember,
                self.agents_json,
                name_bytes(owner),
                name_bytes(conversation_id),
                created,
            ),
        )
        self.number = cursor.lastrowid  # type: ignore[assignment]  # not None behind an INSERT


def new_head(now: float) -> Head:
    """The head of a conversation that is not there yet."""
    return Head(0, 0, 0, now, 0, 0, 0.0, 0.0, b"", NOWHERE, 0, b"{}")


def find_head(cursor: sqlite3.Cursor, owner: str, conversation_id: str) -> Head | None:
    """The conversation's head; None when nothing is stored.

    Raises:
        StoreUnavailable: A number in it is no number.
    """
    row = cursor.execute(_FIND, (name_bytes(owner), name_bytes(conversation_id))).fetchall()
    if not row:
        return None
    # SQLite keeps values of any type in any column, so a damaged file may hold anything there.
    head = Head(*row[0])
    if tuple(map(type, row[0])) != _SOUND or head.version < 1 or head.message_count < 0:
        raise StoreUnavailable(
            f"conversation {conversation_id!r} is damaged: its version, its number of messages or another number of "
            f"its head is no such number. Restore the file from a backup, or delete the conversation.",
            key=conversation_id,
        )
    return head


def find_number(cursor: sqlite3.Cursor, owner: str, conversation_id: str) -> int | None:
    """The conversation's number, whatever else is in its head."""
    rows = cursor.execute(_FIND_NUMBER, (name_bytes(owner), name_bytes(conversation_id))).fetchall()
    return rows[0][0] if rows else None


def agents_at(cursor: sqlite3.Cursor, number: int, version: int) -> dict[str, int]:
    """Which version had each agent's state, when the conversation was at this one."""
    first = all_keys(number)[0]
    found = cursor.execute(_AGENTS_AT, (first, first + version)).fetchall()
    return {key.decode("utf-8", "surrogatepass"): at for key, at, is_removed in found if not is_removed}
