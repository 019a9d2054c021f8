"""Rows that hold many messages, or many versions, of one conversation, so that each costs little more than itself.

What is written is put at the end of the conversation's open pack, a row in `agent_runtime_new_messages` or
`agent_runtime_new_versions`, which PostgreSQL changes in its place. When that is full, all of it goes into one row of
`agent_runtime_messages` or `agent_runtime_versions`, which stays as it is. `room` is how many bytes an open pack still
takes; where it is not more than 0, the pack is closed, and the row there is only a place for the next one.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

__all__ = [
    "ITEM_BYTES",
    "PACK_BYTES",
    "VERSIONS",
    "VERSION_ARRAYS",
    "VERSION_BYTES",
    "add_long_messages",
    "add_messages",
    "add_version",
    "close_packs",
    "joined_between",
    "messages_of",
]

PACK_BYTES = 2000
"""A pack that has so many bytes is full. PostgreSQL compresses rows that are longer, so full ones and not open ones."""

ITEM_BYTES = 8
"""What a message takes beside its text."""

VERSION_BYTES = 32
"""What a version takes beside the state and the agent's name."""

VERSION_ARRAYS = ("message_counts", "times", "agents", "journey_versions", "states")
"""The columns of a pack of versions; each has one element for each version."""

_VERSION_COLUMNS = ", ".join(VERSION_ARRAYS)


def _versions_in(table: str, condition: str) -> str:
    return f"""
        SELECT p.conversation, p.version + e.place - 1 AS version, e.message_count, e.committed_at, e.agent,
            e.journey_version, e.state
        FROM {table} AS p,
            unnest(p.message_counts, p.times, p.agents, p.journey_versions, p.states) WITH ORDINALITY
                AS e (message_count, committed_at, agent, journey_version, state, place)
        {condition}"""


VERSIONS = f"""(
        {_versions_in("agent_runtime_versions", "")}
        UNION ALL {_versions_in("agent_runtime_new_versions", "WHERE p.room > 0")}
    )"""
"""The versions one by one, in place of a table. Those without `message_count` are kept for their state alone."""


def messages_of(number: str, start: str, stop: str) -> str:
    """The messages (`position`, `body`) from one position to before another: a subquery."""

    def within(table: str, condition: str) -> str:
        return f"""
            SELECT p.position + e.place - 1 AS position, e.body
            FROM {table} AS p, unnest(p.bodies) WITH ORDINALITY AS e (body, place)
            WHERE p.conversation = {number} AND p.position < {stop} AND {condition}
                AND p.position + e.place - 1 >= {start} AND p.position + e.place - 1 < {stop}"""

    first_pack = f"""coalesce((
        SELECT max(position) FROM agent_runtime_messages WHERE conversation = {number} AND position <= {start}), 0)"""
    return f"""
        {within("agent_runtime_messages", f"p.position >= {first_pack}")}
        UNION ALL {within("agent_runtime_new_messages", "p.room > 0")}"""


def joined_between(number: str, start: str, stop: str) -> str:
    """The messages from one position to before another, joined by commas: one value instead of many rows."""
    return f"SELECT string_agg(body, ',' ORDER BY position) FROM ({messages_of(number, start, stop)}) AS m"


def add_messages(bodies: str, size: str, first: str) -> str:
    """What puts messages into a pack of `head`, the conversation's row as it has just been changed: two subqueries.

    Args:
        bodies: The array of them.
        size: Its bytes.
        first: The position of the first one.
    """
    return f"""
        new_messages AS (
            INSERT INTO agent_runtime_new_messages AS t (conversation, position, room, bodies)
            SELECT number, {first}, {PACK_BYTES} - {size}, CASE WHEN {PACK_BYTES} > {size} THEN {bodies} ELSE '{{}}' END
            FROM head
            ON CONFLICT (conversation) DO UPDATE SET
                position = CASE WHEN t.room > 0 THEN t.position ELSE excluded.position END,
                {_added("bodies")}, {_ROOM}
            RETURNING conversation, position, room, bodies
        ), messages AS (
            INSERT INTO agent_runtime_messages (conversation, position, bodies)
            SELECT conversation, position, bodies || {bodies} FROM new_messages WHERE room <= 0
        )"""


# `excluded.room` is what a pack with nothing but this in it leaves.
_ROOM = f"room = CASE WHEN t.room > 0 THEN t.room - {PACK_BYTES} + excluded.room ELSE excluded.room END"
_STAYS_OPEN = f"t.room - {PACK_BYTES} + excluded.room > 0"


def _added(column: str) -> str:
    """What fills a pack is not put into it: it goes with it to the full ones."""
    return f"""{column} = CASE WHEN t.room > 0 AND {_STAYS_OPEN} THEN t.{column} || excluded.{column}
                    WHEN t.room > 0 THEN t.{column} ELSE excluded.{column} END"""


def add_long_messages(first: str) -> str:
    """The same for `:bodies` that fill packs by themselves; in `:firsts` stands where the pack of each begins."""
    return f"""
        new_messages AS (
            INSERT INTO agent_runtime_new_messages AS t (conversation, position, room, bodies)
            SELECT number, 0, -1, '{{}}' FROM head
            ON CONFLICT (conversation) DO UPDATE SET room = CASE WHEN t.room > 0 THEN 0 ELSE -1 END
            RETURNING conversation, position, room, bodies
        ), was_open AS (
            INSERT INTO agent_runtime_messages (conversation, position, bodies)
            SELECT conversation, position, bodies FROM new_messages WHERE room = 0
        ), messages AS (
            INSERT INTO agent_runtime_messages (conversation, position, bodies)
            SELECT number, {first} + first_in_pack, array_agg(body ORDER BY place)
            FROM head, unnest(CAST(:bodies AS bytea[]), CAST(:firsts AS bigint[])) WITH ORDINALITY
                AS b (body, first_in_pack, place)
            GROUP BY number, message_count, first_in_pack
        )"""


def add_version(agent: str = "NULL", journey_version: str = "NULL", state: str = "NULL", size: str = "") -> str:
    """What puts the version of `head`, the conversation's row as it has just been changed, into a pack: two subqueries.

    Args:
        agent: The agent whose state is written or removed with it.
        journey_version: The journey's version that wrote the state.
        state: The state; NULL beside an agent: removed.
        size: Its bytes, where there is an agent.
    """
    size = size or str(VERSION_BYTES)
    values = {
        "message_counts": "ARRAY[head.message_count]",
        "times": "ARRAY[head.updated_at]",
        "agents": f"ARRAY[CAST({agent} AS bytea)]",
        "journey_versions": f"ARRAY[CAST({journey_version} AS bigint)]",
        "states": f"ARRAY[CAST({state} AS bytea)]",
    }
    alone = ", ".join(f"CASE WHEN {PACK_BYTES} > {size} THEN {value} ELSE '{{}}' END" for value in values.values())
    return f"""
        new_versions AS (
            INSERT INTO agent_runtime_new_versions AS t (conversation, version, room, {_VERSION_COLUMNS})
            SELECT number, version, {PACK_BYTES} - {size}, {alone} FROM head
            ON CONFLICT (conversation) DO UPDATE SET
                version = CASE WHEN t.room > 0 THEN t.version ELSE excluded.version END,
                {", ".join(_added(column) for column in VERSION_ARRAYS)}, {_ROOM}
            RETURNING conversation, version, room, {_VERSION_COLUMNS}
        ), versions AS (
            INSERT INTO agent_runtime_versions (conversation, version, {_VERSION_COLUMNS})
            SELECT p.conversation, p.version, {", ".join(f"p.{column} || {value}" for column, value in values.items())}
            FROM new_versions AS p, head WHERE p.room <= 0
        )"""


_CLOSE = text(f"""
    WITH new_messages AS (
        DELETE FROM agent_runtime_new_messages WHERE conversation = :number RETURNING *
    ), new_versions AS (
        DELETE FROM agent_runtime_new_versions WHERE conversation = :number RETURNING *
    ), messages AS (
        INSERT INTO agent_runtime_messages (conversation, position, bodies)
        SELECT conversation, position, bodies FROM new_messages WHERE room > 0
    )
    INSERT INTO agent_runtime_versions (conversation, version, {_VERSION_COLUMNS})
    SELECT conversation, version, {_VERSION_COLUMNS} FROM new_versions WHERE room > 0""")


def close_packs(connection: Connection, number: int) -> None:
    """Put what is in the open packs of a conversation to the full ones, where it may be cut or removed."""
    connection.execute(_CLOSE, {"number": number})
