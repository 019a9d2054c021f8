"""Writing a commit: one statement, which finds out, writes and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, TextClause, text

from agent_runtime_core.errors import LeaseLost, StoreConflict
from agent_runtime_core.stores.postgresql.checkpoints import ALL
from agent_runtime_core.stores.postgresql.names import key_of, long_name, whole_name
from agent_runtime_core.stores.postgresql.packs import (
    ITEM_BYTES,
    PACK_BYTES,
    VERSION_BYTES,
    VERSIONS,
    add_long_messages,
    add_messages,
    add_version,
)

__all__ = ["TRIM_EVERY", "Commit", "trim_versions"]

TRIM_EVERY = 32
"""Versions beyond those that are kept are removed with every so many commits; until then nothing reads them."""

_FIND = text("""
    SELECT version, lease, token FROM agent_runtime_conversations WHERE owner = :owner AND id = :id""")

_FIRST = f"""
    SELECT min(version) AS version FROM (
        SELECT version FROM {VERSIONS} AS v WHERE conversation = :number AND message_count IS NOT NULL
        ORDER BY version DESC LIMIT :keep
    ) AS kept"""

# A state that a kept version still has stays, alone, when the pack goes in which it was written.
_TRIM = text(f"""
    WITH first AS ({_FIRST}
    ), gone AS (
        DELETE FROM agent_runtime_versions AS p USING first
        WHERE p.conversation = :number AND p.version + cardinality(p.message_counts) <= first.version
        RETURNING p.*
    ), last AS (
        SELECT DISTINCT ON (agent) gone.version + place - 1 AS version, at, agent, journey_version, state
        FROM gone, unnest(times, agents, journey_versions, states) WITH ORDINALITY
            AS e (at, agent, journey_version, state, place)
        WHERE agent IS NOT NULL ORDER BY agent, version DESC
    )
    INSERT INTO agent_runtime_versions
        (conversation, version, message_counts, times, agents, journey_versions, states)
    SELECT :number, last.version, ARRAY[CAST(NULL AS bigint)], ARRAY[at], ARRAY[agent], ARRAY[journey_version],
        ARRAY[state]
    FROM last, first
    WHERE state IS NOT NULL AND NOT EXISTS (
        SELECT FROM {VERSIONS} AS later WHERE later.conversation = :number AND later.agent = last.agent
            AND later.version > last.version AND later.version <= first.version)""")

_UNLIST = text(f"""
    UPDATE agent_runtime_versions AS p SET message_counts = ARRAY(
        SELECT CASE WHEN p.version + place > first.version THEN message_count END
        FROM unnest(p.message_counts) WITH ORDINALITY AS e (message_count, place) ORDER BY place
    )
    FROM ({_FIRST}) AS first
    WHERE p.conversation = :number AND p.version < first.version
        AND p.version + cardinality(p.message_counts) > first.version""")


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
            self._message_bytes > 2 * PACK_BYTES,
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
            if self._message_bytes > 2 * PACK_BYTES:
                values["firsts"] = self._firsts()
            else:
                values["size"] = self._message_bytes
        if self.state is not None:
            agent = whole_name(self.agent_key)
            values["whole_agent"] = agent
            values["version_size"] = VERSION_BYTES + len(self.state) + len(agent)
            values |= {"agent": key_of(self.agent_key), "long_agent": long_name(self.agent_key)}
            values |= {"journey_version": self.state_version, "state": self.state}
        if self.finish is not None:
            values["finish"] = self.finish
        return values

    @property
    def _message_bytes(self) -> int:
        return sum(map(len, self.messages)) + ITEM_BYTES * len(self.messages)

    def _firsts(self) -> list[int]:
        """For each message which one its pack begins with."""
        firsts = []
        first = size = 0
        for place, body in enumerate(self.messages):
            if size >= PACK_BYTES:
                first, size = place, 0
            size += len(body) + ITEM_BYTES
            firsts.append(first)
        return firsts

    def _was_written(self, connection: Connection) -> int:
        named = {"owner": key_of(self.owner), "id": key_of(self.conversation_id)}
        row = connection.execute(_FIND, named).one_or_none()
        version, lease, token = (0, 0, 0) if row is None else row
        if token == self.token:
            return int(version)
        if self.lease is not None and self.lease != lease:
            raise LeaseLost(self.conversation_id, self.expected_version, version)
        raise StoreConflict(self.conversation_id, self.expected_version or 0, version)


def trim_versions(connection: Connection, number: int, keep: int, *, to_the_last: bool = False) -> None:
    """Remove what stands before the first version that is kept.

    Args:
        connection: To the database.
        number: The conversation's.
        keep: How many versions are kept.
        to_the_last: Also those in one pack with that first one, which otherwise go with it.
    """
    named = {"number": number, "keep": keep}
    connection.execute(_TRIM, named)
    if to_the_last:
        connection.execute(_UNLIST, named)


@lru_cache(maxsize=64)
def _statement(
    creates: bool, expects: bool, has_lease: bool, has_messages: bool, has_state: bool, finishes: bool, is_long: bool
) -> TextClause:
    change = "version = c.version + 1, message_count = c.message_count + :count, updated_at = clock_timestamp(), "
    change += "token = :token" + (", lease = 0, lease_until = 0, running_position = -1" if finishes else "")
    condition = "c.token <> :token" + (" AND c.version = :expected" if expects else "")
    condition += " AND c.lease = :lease" if has_lease else ""
    if creates:
        head = f"""
            INSERT INTO agent_runtime_conversations AS c
                (owner, id, long_owner, long_id, version, message_count, created_at, updated_at, token)
            VALUES (:owner, :id, :long_owner, :long_id, 1, :count, statement_timestamp(), statement_timestamp(), :token)
            ON CONFLICT (owner, id) DO UPDATE SET {change} WHERE {condition}"""
    else:
        head = f"UPDATE agent_runtime_conversations AS c SET {change} WHERE c.owner = :owner AND c.id = :id"
        head += f" AND {condition}"
    parts = [
        f"head AS ({head} RETURNING number, version, message_count, updated_at, running_id)",
    ]
    if is_long:
        parts.append(add_long_messages("message_count - :count"))
    elif has_messages:
        parts.append(add_messages("CAST(:bodies AS bytea[])", ":size", "message_count - :count"))
    if has_state:
        parts.append(add_version(":whole_agent", ":journey_version", ":state", ":version_size"))
        parts.append("""states AS (
            INSERT INTO agent_runtime_states AS s (conversation, agent, long_agent, version, journey_version, body)
            SELECT number, :agent, :long_agent, version, :journey_version, :state FROM head
            ON CONFLICT (conversation, agent) DO UPDATE SET
                version = excluded.version, journey_version = excluded.journey_version, body = excluded.body)""")
    else:
        parts.append(add_version())
    if finishes:
        parts.append("""fetched AS (
            DELETE FROM agent_runtime_receipts AS r USING head
            WHERE r.conversation = head.number AND r.message_id = head.running_id AND NOT r.remember)""")
        parts.append("""answered AS (
            UPDATE agent_runtime_receipts AS r SET end_position = head.message_count, result = :finish FROM head
            WHERE r.conversation = head.number AND r.end_position IS NULL
                AND (r.remember OR r.message_id IS DISTINCT FROM head.running_id))""")
    return text(f"WITH {', '.join(parts)} SELECT number, version FROM head")
