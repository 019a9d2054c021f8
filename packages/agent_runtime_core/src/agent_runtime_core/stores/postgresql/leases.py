"""A lease that holds on, or ends; each is one statement."""

from __future__ import annotations

from sqlalchemy import Connection, text

from agent_runtime_core.stores.postgresql.line import NOW
from agent_runtime_core.stores.postgresql.names import key_of

__all__ = ["release", "renew"]

_RENEW = text(f"""
    UPDATE agent_runtime_conversations SET lease_until = {NOW} + :seconds, lease_seconds = :seconds
    WHERE owner = :owner AND id = :id AND lease = :lease RETURNING 1""")

_RELEASE = text("""
    UPDATE agent_runtime_conversations SET lease = 0, lease_until = 0
    WHERE owner = :owner AND id = :id AND lease = :lease""")


def renew(connection: Connection, owner: str, conversation_id: str, lease: int, lease_seconds: float) -> bool:
    """See `CheckpointStore.renew`."""
    named = {"owner": key_of(owner), "id": key_of(conversation_id), "lease": lease, "seconds": float(lease_seconds)}
    return connection.execute(_RENEW, named).one_or_none() is not None


def release(connection: Connection, owner: str, conversation_id: str, lease: int) -> None:
    """See `CheckpointStore.release`."""
    named = {"owner": key_of(owner), "id": key_of(conversation_id), "lease": lease}
    connection.execute(_RELEASE, named)
