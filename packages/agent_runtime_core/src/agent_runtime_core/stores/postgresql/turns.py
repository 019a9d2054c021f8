"""Beginning a run: one statement when the conversation is free, else a look at its line with its row locked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces.turns import Answered, Begun, OnBusy, TurnAnswer, Waiting
from agent_runtime_core.stores.lease import is_held
from agent_runtime_core.stores.postgresql.checkpoints import ALL, read_checkpoint, to_checkpoint
from agent_runtime_core.stores.postgresql.commits import TRIM_EVERY, trim_versions
from agent_runtime_core.stores.postgresql.damage import read_joined, readable_messages, readable_result
from agent_runtime_core.stores.postgresql.leases import release
from agent_runtime_core.stores.postgresql.line import NOW, Head, Place, busy, held, locked_or_new_head
from agent_runtime_core.stores.postgresql.names import key_of, long_name
from agent_runtime_core.stores.postgresql.packs import (
    ITEM_BYTES,
    add_messages,
    add_version,
    joined_between,
)

__all__ = ["Turn", "forget"]

_FRESH = 0.8
"""Who asks again while so much of the time is left is known to wait: that need not be written."""

# Receipts are looked up as the statement found them when it began. Whatever changes them raises the version, too, or
# moves one out of the conversation's row; so that, which is looked at as it is now, has to have the version and the
# receipt that the statement found. A receipt that goes with its answer never gets a row, unless its run breaks off.
_BEGIN = text(f"""
    WITH seen AS (
        SELECT number, version, lease, lease_until, lease_seconds, running_id, running_position
        FROM agent_runtime_conversations
        WHERE owner = :owner AND id = :id
    ), still AS (
        SELECT w.conversation, w.place, w.until FROM agent_runtime_waiting AS w, seen
        WHERE w.conversation = seen.number AND w.message_id = :message_id AND ({busy("seen")} OR EXISTS (
            SELECT FROM agent_runtime_waiting AS f
            WHERE f.conversation = w.conversation AND f.place < w.place AND {held("f.until", "f.seconds")}))
    ), sign AS (
        UPDATE agent_runtime_waiting AS w SET until = {NOW} + :seconds, seconds = :seconds FROM still
        WHERE w.conversation = still.conversation AND w.place = still.place
            AND NOT w.until BETWEEN {NOW} + :seconds * {_FRESH} AND {NOW} + :seconds
    ), head AS (
        INSERT INTO agent_runtime_conversations AS c (
            owner, id, long_owner, long_id, version, message_count, created_at, updated_at,
            lease, lease_until, lease_seconds, running_id, running_position, placed
        )
        SELECT
            :owner, :id, :long_owner, :long_id, 1, 1, statement_timestamp(), statement_timestamp(),
            :lease, {NOW} + :seconds, :seconds, :message_id, CASE WHEN :remember THEN -1 ELSE 0 END, 1
        WHERE NOT EXISTS (SELECT FROM still)
        ON CONFLICT (owner, id) DO UPDATE SET
            version = c.version + 1, message_count = c.message_count + 1, updated_at = clock_timestamp(), token = 0,
            lease = :lease, lease_until = {NOW} + :seconds, lease_seconds = :seconds, running_id = :message_id,
            running_position = CASE WHEN :remember THEN -1 ELSE c.message_count END, placed = 1
        WHERE c.waiting = 0 AND NOT {busy("c")}
            AND EXISTS (SELECT FROM seen WHERE seen.number = c.number AND seen.version = c.version
                AND seen.running_position = c.running_position)
            AND (c.running_position < 0 OR c.running_id <> :message_id)
            AND NOT EXISTS (
                SELECT FROM agent_runtime_receipts AS r, seen
                WHERE r.conversation = seen.number AND r.message_id = :message_id)
        RETURNING number, version, message_count, updated_at
    ), {add_version()},
    {add_messages("ARRAY[CAST(:body AS bytea)]", ":size", "message_count - 1")},
    receipts AS (
        INSERT INTO agent_runtime_receipts (conversation, message_id, position, remember)
        SELECT number, :message_id, message_count - 1, true FROM head WHERE :remember
        UNION ALL SELECT seen.number, seen.running_id, seen.running_position, false
        FROM seen JOIN head ON seen.number = head.number WHERE seen.running_position >= 0
    )
    SELECT h.number, NULL AS ahead, h.version, h.message_count, s.journey_version, s.body,
        ({joined_between("h.number", "h.message_count - :window", "h.message_count")}) AS messages
    FROM head AS h LEFT JOIN agent_runtime_states AS s ON s.conversation = h.number AND s.agent = :agent
    UNION ALL
    SELECT conversation, (
        SELECT count(*) FROM agent_runtime_waiting AS w
        WHERE w.conversation = still.conversation AND w.place < still.place
    ), NULL, NULL, NULL, NULL, NULL FROM still""")

# One row, whatever is known of the message: its receipt, or its place in line and how many are before it.
_KNOWN = text(f"""
    SELECT r.position + 1 AS first, r.end_position, r.result, CASE WHEN r.end_position IS NOT NULL THEN
        ({joined_between("r.conversation", "r.position + 1", "r.end_position")}) END AS messages,
        w.place, (
            SELECT count(*) FROM agent_runtime_waiting AS f WHERE f.conversation = :number AND f.place < w.place
        ) AS ahead
    FROM (VALUES (1)) AS one
    LEFT JOIN agent_runtime_receipts AS r ON r.conversation = :number AND r.message_id = :message_id
    LEFT JOIN agent_runtime_waiting AS w ON w.conversation = :number AND w.message_id = :message_id""")

# Up to the message, and those behind it that may join; all of the line for one that is not in it.
_LINE = text("""
    SELECT place, merges, until, seconds FROM agent_runtime_waiting
    WHERE conversation = :number AND place < coalesce((
        SELECT min(place) FROM agent_runtime_waiting
        WHERE conversation = :number AND place > CAST(:place AS bigint) AND NOT merges
    ), place + 1)
    ORDER BY place""")

_STAY = text("""
    UPDATE agent_runtime_waiting SET until = :until, seconds = :seconds
    WHERE conversation = :number AND message_id = :message_id""")

_QUEUE = text("""
    WITH counted AS (UPDATE agent_runtime_conversations SET waiting = waiting + 1 WHERE number = :number)
    INSERT INTO agent_runtime_waiting (conversation, message_id, body, remember, merges, until, seconds)
    VALUES (:number, :message_id, :body, :remember, :merges, :until, :seconds) RETURNING place""")

_PLACE = text(f"""
    WITH gone AS (
        DELETE FROM agent_runtime_waiting WHERE conversation = :number AND place <= :last
        RETURNING place, message_id, body, remember
    ), numbered AS (
        SELECT message_id, body, remember, :count + row_number() OVER (ORDER BY place) - 1 AS position FROM gone
    ), receipts AS (
        INSERT INTO agent_runtime_receipts (conversation, message_id, position, remember)
        SELECT :number, message_id, position, remember FROM numbered
    ), placed AS (
        SELECT array_agg(body ORDER BY position) AS bodies, count(*) AS count,
            CAST(sum(octet_length(body) + {ITEM_BYTES}) AS integer) AS size
        FROM numbered
    ), head AS (
        UPDATE agent_runtime_conversations AS c
        SET waiting = c.waiting - placed.count, version = c.version + 1,
            message_count = c.message_count + placed.count, updated_at = clock_timestamp(), token = 0,
            lease = :lease, lease_until = :until, lease_seconds = :seconds, running_id = :message_id,
            placed = placed.count
        FROM placed WHERE number = :number RETURNING number, version, message_count, updated_at
    ), {add_version()},
    {add_messages("(SELECT bodies FROM placed)", "(SELECT size FROM placed)", ":count")}
    SELECT version FROM head""")

_TAKE = text("""
    UPDATE agent_runtime_conversations
    SET lease = :lease, lease_until = :until, lease_seconds = :seconds, running_id = :message_id, placed = 0
    WHERE number = :number""")

_FORGET = text("""
    DELETE FROM agent_runtime_receipts AS r USING agent_runtime_conversations AS c
    WHERE c.owner = :owner AND c.id = :id AND r.conversation = c.number AND r.message_id = :message_id
        AND NOT r.remember AND r.end_position IS NOT NULL""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A message that wants a run. See `CheckpointStore.begin`."""

    owner: str
    conversation_id: str
    agent_key: str
    message_id: str
    body: bytes
    """The message, encoded."""
    remember: bool
    lease_seconds: float
    on_busy: OnBusy
    max_messages: int | None
    lease: int
    """The token that the run gets. A call that was cut off finds by it what it has done."""
    keep: int
    """How many versions are kept."""

    def begin_free(self, connection: Connection) -> Begun | Waiting | None:
        """Begin at once if nothing is in the way, or wait on in line; in one statement. None is anything else."""
        named = self._named() | {
            "owner": key_of(self.owner),
            "id": key_of(self.conversation_id),
            "long_owner": long_name(self.owner),
            "long_id": long_name(self.conversation_id),
            "agent": key_of(self.agent_key),
            "window": ALL if self.max_messages is None else min(self.max_messages, ALL),
            "lease": self.lease,
            "size": len(self.body) + ITEM_BYTES,
        }
        row = connection.execute(_BEGIN, named).one_or_none()
        if row is None:
            return None
        if row.ahead is not None:
            return Waiting(ahead=row.ahead)
        if row.version % TRIM_EVERY == 0 and row.version > self.keep:
            trim_versions(connection, row.number, self.keep)
        try:
            own_message = None if self.max_messages == 0 else self.body
            checkpoint = to_checkpoint(row, named["window"], own_message=own_message)
        except ValueError:
            return self._begun_damaged(connection)
        return Begun(lease=self.lease, checkpoint=checkpoint, placed=1)

    def _begun_damaged(self, connection: Connection) -> Begun:
        try:
            return self._begun(connection, 1)
        except StoreUnavailable:
            # The message is kept and will be answered; nobody runs meanwhile.
            release(connection, self.owner, self.conversation_id, self.lease)
            raise

    def begin(self, connection: Connection) -> TurnAnswer:
        """Begin, wait or be answered, in a transaction."""
        head = locked_or_new_head(connection, self.owner, self.conversation_id)
        if head.lease == self.lease:
            return self._begun(connection, head.placed)
        named = {"number": head.number, "message_id": key_of(self.message_id)}
        known = connection.execute(_KNOWN, named).one()
        if known.end_position is not None:
            return self._answered(connection, head, known)
        is_stored = known.first is not None
        ahead = head.waiting if known.place is None else known.ahead
        if head.is_busy() and is_stored:
            return Waiting(ahead=0)
        line = [] if head.is_busy() or is_stored else self._line(connection, head, known.place)
        values = self._named() | {"number": head.number, "until": head.now + self.lease_seconds}
        if head.is_busy() or any(is_held(each.until, each.seconds, head.now) for each in line[:ahead]):
            if known.place is not None:
                connection.execute(_STAY, values)
            elif self.on_busy != "reject":
                connection.execute(_QUEUE, values)
            return Waiting(ahead=ahead)
        values["lease"] = self.lease
        if is_stored:
            connection.execute(_TAKE, values)
            return self._begun(connection, 0)
        return self._begun(connection, self._place(connection, head, line, ahead, values))

    def _begun(self, connection: Connection, placed: int) -> Begun:
        checkpoint = read_checkpoint(connection, self.owner, self.conversation_id, self.agent_key, self.max_messages)
        return Begun(lease=self.lease, checkpoint=checkpoint, placed=placed)

    def _answered(self, connection: Connection, head: Head, known: Row[Any]) -> Answered:
        start, stop = known.first, known.end_position
        try:
            messages = read_joined(known.messages, max(0, stop - start))
        except ValueError:
            messages = readable_messages(connection, self.owner, self.conversation_id, start, stop)
        result = readable_result(self.conversation_id, known.result)
        return Answered(version=head.version, messages=messages, result=result)

    def _line(self, connection: Connection, head: Head, place: int | None) -> list[Place]:
        if not head.waiting:
            return []
        rows = connection.execute(_LINE, {"number": head.number, "place": place})
        return [Place(**row._mapping) for row in rows]

    def _place(self, connection: Connection, head: Head, line: list[Place], ahead: int, values: dict[str, Any]) -> int:
        end = ahead + 1
        while end < len(line) and line[end].merges:
            end += 1
        last = line[end - 1].place if end <= len(line) else connection.execute(_QUEUE, values).scalar_one()
        placing = values | {"last": last, "count": head.message_count}
        version = connection.execute(_PLACE, placing).scalar_one()
        if version % TRIM_EVERY == 0 and version > self.keep:
            trim_versions(connection, head.number, self.keep)
        return end

    def _named(self) -> dict[str, Any]:
        return {
            "message_id": key_of(self.message_id),
            "body": self.body,
            "remember": self.remember,
            "merges": self.on_busy == "merge",
            "seconds": float(self.lease_seconds),
        }


def forget(connection: Connection, owner: str, conversation_id: str, message_id: str) -> None:
    """Drop the receipt of a message whose answer was fetched, unless it is to be remembered."""
    named = {"owner": key_of(owner), "id": key_of(conversation_id), "message_id": key_of(message_id)}
    connection.execute(_FORGET, named)
