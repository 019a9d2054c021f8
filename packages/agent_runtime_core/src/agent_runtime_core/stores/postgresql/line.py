"""A conversation's row, locked: the lease, the messages in line, and the receipts of those that have left it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from agent_runtime_core.stores.lease import is_held
from agent_runtime_core.stores.postgresql.names import key_of, long_name
from agent_runtime_core.stores.postgresql.packs import VERSION_BYTES, add_version

__all__ = ["NOW", "Head", "Place", "busy", "held", "locked_head", "locked_or_new_head", "new_version"]

NOW = "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"
"""The database's clock, in seconds since 1970: the one that all processes share."""


def held(until: str, seconds: str) -> str:
    """`is_held` as a condition on two columns."""
    return f"{NOW} < {until} AND {until} <= {NOW} + {seconds} + 1"


def busy(row: str) -> str:
    """`Head.is_busy` as a condition on a conversation's row."""
    return f"({row}.lease <> 0 AND {held(f'{row}.lease_until', f'{row}.lease_seconds')})"


_LOCK = text(f"""
    SELECT number, version, message_count, lease, lease_until, lease_seconds, placed, running_position, waiting,
        {NOW} AS now
    FROM agent_runtime_conversations WHERE owner = :owner AND id = :id FOR NO KEY UPDATE""")

_WRITE_RECEIPT = text("""
    WITH receipt AS (
        INSERT INTO agent_runtime_receipts (conversation, message_id, position, remember)
        SELECT number, running_id, running_position, false FROM agent_runtime_conversations WHERE number = :number
    )
    UPDATE agent_runtime_conversations SET running_position = -1 WHERE number = :number""")

_NEW = text("""
    INSERT INTO agent_runtime_conversations
        (owner, id, long_owner, long_id, version, message_count, created_at, updated_at)
    VALUES (:owner, :id, :long_owner, :long_id, 0, 0, statement_timestamp(), statement_timestamp())
    ON CONFLICT (owner, id) DO NOTHING""")

_VERSION = text(f"""
    WITH head AS (
        UPDATE agent_runtime_conversations
        SET version = version + 1, message_count = :count, updated_at = clock_timestamp(), token = 0
        WHERE number = :number RETURNING number, version, message_count, updated_at
    ), {add_version(":removed_agent", size=":size")}
    SELECT version FROM head""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A conversation's own row, which nobody else changes until the transaction ends."""

    number: int
    version: int
    message_count: int
    lease: int
    lease_until: float
    lease_seconds: float
    placed: int
    running_position: int
    waiting: int
    now: float

    def is_busy(self) -> bool:
        """Whether somebody holds the lease."""
        return self.lease != 0 and is_held(self.lease_until, self.lease_seconds, self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Who stands in line."""

    place: int
    merges: bool
    until: float
    seconds: float


def locked_head(connection: Connection, owner: str, conversation_id: str) -> Head | None:
    """The conversation's row, locked, with all receipts in rows of their own; None when there is none."""
    row = connection.execute(_LOCK, {"owner": key_of(owner), "id": key_of(conversation_id)}).one_or_none()
    if row is None:
        return None
    if row.running_position >= 0:
        connection.execute(_WRITE_RECEIPT, {"number": row.number})
    return Head(**row._mapping)


def locked_or_new_head(connection: Connection, owner: str, conversation_id: str) -> Head:
    """The conversation's row, locked; a new one where there was none."""
    named: dict[str, Any] = {"owner": key_of(owner), "id": key_of(conversation_id)}
    named |= {"long_owner": long_name(owner), "long_id": long_name(conversation_id)}
    while True:
        head = locked_head(connection, owner, conversation_id)
        if head is not None:
            return head
        connection.execute(_NEW, named)  # somebody else may be faster, and somebody may delete it again


def new_version(connection: Connection, number: int, message_count: int, *, removed_agent: bytes | None = None) -> int:
    """Raise the version, note how many messages it has and which agent's state was removed with it, and return it."""
    named: dict[str, Any] = {"number": number, "count": message_count, "removed_agent": removed_agent}
    named["size"] = VERSION_BYTES + len(removed_agent or b"")
    version: int = connection.execute(_VERSION, named).scalar_one()
    return version
