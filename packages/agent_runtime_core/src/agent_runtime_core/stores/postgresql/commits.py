"""Writing a commit: one statement, which finds out, writes and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, TextClause, text

from agent_runtime_core.errors import LeaseLost, StoreConflict
from agent_runtime_core.stores.postgresql.checkpoints import ALL
from agent_runtime_core.stores.postgresql.names import key_of, long_name

__all__ = ["TRIM_EVERY", "Commit", "trim_versions"]

TRIM_EVERY = 32
"""Versions beyond those that are kept are removed with every so many commits; until then nothing reads them."""

_FIND = text("""
    SELECT version, lease, token FROM agent_runtime_conversations WHERE owner = :owner AND id = :id""")

_TRIM = text("""
    WITH first AS (
        SELECT min(version) AS version FROM (
            SELECT version FROM agent_runtime_versions WHERE conversation = :number ORDER BY version DESC LIMIT :keep
        ) AS kept
    ), versions AS (
        DELETE FROM agent_runtime_versions AS v USING first
        WHERE v.conversation = :number AND v.version < first.version
    )
    DELETE FROM agent_runtime_states AS s USING first
    WHERE s.conversation = :number AND s.version < (
        SELECT max(t.version) FROM agent_runtime_states AS t
        WHERE t.conversation = s.conversation AND t.agent = s.agent AND t.version <= first.version)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What is to be written; its values are encoded already. See `CheckpointStore.commit`."""

    owner: str
    conversation_id: str
    agent_key: str
    expected_version: int | None
    state: bytes | None
    state_version: int
    messages: Sequence[bytes]
    lease: int | None
    finish: bytes | None
    token: int
    """Names this commit, so that one that was cut off is not done twice."""
    keep: int
    """How many versions are kept."""

    def write(self, connection: Connection) -> int:
        """Write it, unless it was written before, and return the version that it made.

        Raises:
            LeaseLost: The lease is not the present one.
            StoreConflict: The version is another.
        """
        creates = self.lease is None and not self.expected_version
        statement = _statement(
            creates,
            self.expected_version is not None,
            self.lease is not None,
            bool(self.messages),
            self.state is not None,
            self.finish is not None,
        )
        row = connection.execute(statement, self._values(creates)).one_or_none()
        if row is None:
            return self._was_written(connection)
        number, version = row
        if version % TRIM_EVERY == 0 and version > self.keep:
            trim_versions(connection, number, self.keep)
        return int(version)

    def _values(self, creates: bool) -> dict[str, Any]:
        values: dict[str, Any] = {
            "owner": key_of(self.owner),
            "id": key_of(self.conversation_id),
            "token": self.token,
            "count": len(self.messages),
        }
        if creates:
            values |= {"long_owner": long_name(self.owner), "long_id": long_name(self.conversation_id)}
        if self.expected_version is not None:
            values["expected"] = self.expected_version if 0 <= self.expected_version < ALL else -1
        if self.lease is not None:
            values["lease"] = self.lease
        if self.messages:
            values["bodies"] = self.messages
        if self.state is not None:
            values |= {"agent": key_of(self.agent_key), "long_agent": long_name(self.agent_key)}
            values |= {"journey_version": self.state_version, "state": self.state}
        if self.finish is not None:
            values["finish"] = self.finish
        return values

    def _was_written(self, connection: Connection) -> int:
        named = {"owner": key_of(self.owner), "id": key_of(self.conversation_id)}
        row = connection.execute(_FIND, named).one_or_none()
        version, lease, token = (0, 0, 0) if row is None else row
        if token == self.token:
            return int(version)
        if self.lease is not None and self.lease != lease:
            raise LeaseLost(self.conversation_id, self.expected_version, version)
        raise StoreConflict(self.conversation_id, self.expected_version or 0, version)


def trim_versions(connection: Connection, number: int, keep: int) -> None:
    """Remove what stands before the first version that is kept."""
    connection.execute(_TRIM, {"number": number, "keep": keep})


@lru_cache(maxsize=64)
def _statement(
    creates: bool, expects: bool, has_lease: bool, has_messages: bool, has_state: bool, finishes: bool
) -> TextClause:
    change = "version = c.version + 1, message_count = c.message_count + :count, updated_at = clock_timestamp(), "
    change += "token = :token" + (", lease = 0, lease_until = 0" if finishes else "")
    condition = "c.token <> :token" + (" AND c.version = :expected" if expects else "")
    condition += " AND c.lease = :lease" if has_lease else ""
    if creates:
        head = f"""
            INSERT INTO agent_runtime_conversations AS c
                (owner, id, long_owner, long_id, version, message_count, created_at, updated_at, token)
            VALUES (:owner, :id, :long_owner, :long_id, 1, :count, clock_timestamp(), clock_timestamp(), :token)
            ON CONFLICT (owner, id) DO UPDATE SET {change} WHERE {condition}"""
    else:
        head = f"UPDATE agent_runtime_conversations AS c SET {change} WHERE c.owner = :owner AND c.id = :id"
        head += f" AND {condition}"
    parts = [
        f"head AS ({head} RETURNING number, version, message_count, updated_at, running_id)",
        """versions AS (
            INSERT INTO agent_runtime_versions (conversation, version, message_count, committed_at)
            SELECT number, version, message_count, updated_at FROM head)""",
    ]
    if has_messages:
        parts.append("""messages AS (
            INSERT INTO agent_runtime_messages (conversation, position, body)
            SELECT number, message_count - :count + place - 1, body
            FROM head, unnest(CAST(:bodies AS bytea[])) WITH ORDINALITY AS b (body, place))""")
    if has_state:
        parts.append("""states AS (
            INSERT INTO agent_runtime_states (conversation, agent, long_agent, version, journey_version, body)
            SELECT number, :agent, :long_agent, version, :journey_version, :state FROM head)""")
    if finishes:
        parts.append("""fetched AS (
            DELETE FROM agent_runtime_receipts AS r USING head
            WHERE r.conversation = head.number AND r.message_id = head.running_id AND NOT r.remember)""")
        parts.append("""answered AS (
            UPDATE agent_runtime_receipts AS r SET end_position = head.message_count, result = :finish FROM head
            WHERE r.conversation = head.number AND r.end_position IS NULL
                AND (r.remember OR r.message_id IS DISTINCT FROM head.running_id))""")
    return text(f"WITH {', '.join(parts)} SELECT number, version FROM head")
