"""From the tables of an earlier version to the present ones, inside the caller's transaction."""

from __future__ import annotations

import json
import sqlite3

from agent_runtime_core.stores.sqlite.tables import INDEXES_AND_VIEW, KEY_BITS, NEW_IN_VERSION_2

__all__ = ["upgrade_from_1"]


def upgrade_from_1(connection: sqlite3.Connection, now: float) -> None:
    """Give the conversations of a file of version 1 an owner, times, and one version to go back to.

    Messages stay where they are. The owner is `""`, and the times are that of the upgrade: version 1 knew neither.

    Args:
        connection: With a transaction that writes.
        now: The time, in seconds since 1970.
    """
    connection.execute("DROP VIEW history")
    connection.execute("ALTER TABLE conversations RENAME TO conversations_1")
    for statement in NEW_IN_VERSION_2:
        connection.execute(statement)
    connection.execute(
        """
        INSERT INTO conversations
        SELECT number, x'', CAST(id AS BLOB), version, message_count, ?, ?, ?, 0, 0, 0, x'', -1, 0,
            CAST('{}' AS BLOB)
        FROM conversations_1
        """,
        (now, now, int(now // 86400)),
    )
    _add_versions(connection, now)
    connection.execute("DROP TABLE states")
    connection.execute("DROP TABLE conversations_1")
    for statement in INDEXES_AND_VIEW:
        connection.execute(statement)


def _add_versions(connection: sqlite3.Connection, now: float) -> None:
    """Give each conversation its present version.

    A version has one state. When there are several, they were written by as many commits: the others get the versions
    before, which cannot be gone back to.
    """
    connection.execute(
        """
        INSERT INTO versions (key, message_count, committed)
        SELECT (number << 32) + version, message_count, ? FROM conversations
        """,
        (now,),
    )
    states = connection.execute(
        """
        SELECT conversation, CAST(agent_key AS BLOB), version, states.rowid
        FROM states JOIN conversations ON number = conversation ORDER BY conversation, states.rowid
        """
    )
    before, back = 0, 0
    agents: dict[str, int] = {}
    for number, agent_key, version, row in states:
        if number != before:
            _set_agents(connection, before, agents)
            before, agents, back = number, {}, 0
        connection.execute(
            """
            INSERT INTO versions (key, committed, agent_key, state_version, state)
            SELECT ?, ?, ?, 0, body FROM states WHERE rowid = ?
            ON CONFLICT (key) DO UPDATE
            SET agent_key = excluded.agent_key, state_version = excluded.state_version, state = excluded.state
            """,
            ((number << KEY_BITS) + version - back, now, agent_key, row),
        )
        agents[agent_key.decode("utf-8", "surrogatepass")] = version - back
        back += 1
    _set_agents(connection, before, agents)


def _set_agents(connection: sqlite3.Connection, number: int, agents: dict[str, int]) -> None:
    connection.execute("UPDATE conversations SET agents = ? WHERE number = ?", (json.dumps(agents).encode(), number))
