"""Messages and versions stand in packs, many in one row, and the present states in rows of their own.

A row costs more than a message: 2.6 to 3.5 bytes were taken for one of JSON. A pack of some 2,000 bytes spreads that,
and PostgreSQL compresses it.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ROOM_FOR_CHANGES = {"fillfactor": 70}
"""So much of a page is more than one row: PostgreSQL clears former ones away as soon as less than that is free."""

_OLD = ("messages", "states", "versions")

_MESSAGES = """
    INSERT INTO agent_runtime_messages (conversation, position, bodies)
    SELECT conversation, min(position), array_agg(body ORDER BY position) FROM (
        SELECT *, sum(octet_length(body) + 8) OVER (PARTITION BY conversation ORDER BY position) / 2000 AS pack
        FROM agent_runtime_messages_0001
    ) AS m GROUP BY conversation, pack"""

# A state that a version without a row has written is kept for that state: it stands alone.
_VERSIONS = """
    INSERT INTO agent_runtime_versions
        (conversation, version, message_counts, times, agents, journey_versions, states)
    SELECT conversation, min(version), array_agg(message_count ORDER BY version), array_agg(at ORDER BY version),
        array_agg(agent ORDER BY version), array_agg(journey_version ORDER BY version), array_agg(body ORDER BY version)
    FROM (
        SELECT *, sum(coalesce(octet_length(body), 0) + 56)
            OVER (PARTITION BY conversation, version - place ORDER BY version) / 2000 AS pack
        FROM (
            SELECT conversation, version, v.message_count, coalesce(v.committed_at, clock_timestamp()) AS at,
                coalesce(s.long_agent, s.agent) AS agent, s.journey_version, s.body,
                row_number() OVER (PARTITION BY conversation ORDER BY version) AS place
            FROM agent_runtime_versions_0001 AS v FULL JOIN agent_runtime_states_0001 AS s
                USING (conversation, version)
        ) AS numbered
    ) AS e GROUP BY conversation, version - place, pack"""

_STATES = """
    INSERT INTO agent_runtime_states (conversation, version, journey_version, agent, long_agent, body)
    SELECT conversation, version, journey_version, agent, long_agent, body FROM (
        SELECT DISTINCT ON (conversation, agent) * FROM agent_runtime_states_0001
        ORDER BY conversation, agent, version DESC
    ) AS last WHERE body IS NOT NULL"""


def _of_conversation() -> sa.Column[int]:
    return sa.Column("conversation", sa.BigInteger, nullable=False)


def _versions() -> list[sa.Column[Any]]:
    return [
        sa.Column("message_counts", ARRAY(sa.BigInteger), nullable=False, comment="null: kept for the state alone"),
        sa.Column("times", ARRAY(sa.TIMESTAMP(timezone=True)), nullable=False),
        sa.Column("agents", ARRAY(sa.LargeBinary), nullable=False, comment="null: no state was written"),
        sa.Column("journey_versions", ARRAY(sa.BigInteger), nullable=False),
        sa.Column("states", ARRAY(sa.LargeBinary), nullable=False, comment="null beside an agent: removed"),
    ]


def upgrade() -> None:
    """Make the tables anew, and bring over what stood in the old ones."""
    for table in _OLD:
        op.execute(f"ALTER TABLE agent_runtime_{table} RENAME TO agent_runtime_{table}_0001")
        op.execute(f"ALTER INDEX agent_runtime_{table}_pkey RENAME TO agent_runtime_{table}_0001_pkey")
    _create()
    for statement in (_MESSAGES, _VERSIONS, _STATES):
        op.execute(statement)
    for table in _OLD:
        op.drop_table(f"agent_runtime_{table}_0001")


def _create() -> None:
    op.add_column(
        "agent_runtime_conversations",
        sa.Column(
            "running_position",
            sa.BigInteger,
            nullable=False,
            server_default="-1",
            comment="where the message running_id is, if this is its receipt; else -1",
        ),
    )
    op.create_table(
        "agent_runtime_messages",
        _of_conversation(),
        sa.Column("position", sa.BigInteger, nullable=False, comment="of the first of them"),
        sa.Column("bodies", ARRAY(sa.LargeBinary), nullable=False),
        sa.PrimaryKeyConstraint("conversation", "position"),
    )
    op.create_table(
        "agent_runtime_new_messages",
        _of_conversation(),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("room", sa.Integer, nullable=False, comment="bytes that it still takes; closed if not more than 0"),
        sa.Column("bodies", ARRAY(sa.LargeBinary), nullable=False),
        sa.PrimaryKeyConstraint("conversation"),
        postgresql_with=_ROOM_FOR_CHANGES,
    )
    op.create_table(
        "agent_runtime_versions",
        _of_conversation(),
        sa.Column("version", sa.BigInteger, nullable=False, comment="the first of them; each other is one more"),
        *_versions(),
        sa.PrimaryKeyConstraint("conversation", "version"),
    )
    op.create_table(
        "agent_runtime_new_versions",
        _of_conversation(),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("room", sa.Integer, nullable=False),
        *_versions(),
        sa.PrimaryKeyConstraint("conversation"),
        postgresql_with=_ROOM_FOR_CHANGES,
    )
    op.create_table(
        "agent_runtime_states",
        _of_conversation(),
        sa.Column("version", sa.BigInteger, nullable=False, comment="the commit that wrote it"),
        sa.Column("journey_version", sa.BigInteger, nullable=False),
        sa.Column("agent", sa.LargeBinary, nullable=False),
        sa.Column("long_agent", sa.LargeBinary),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("conversation", "agent"),
    )
    op.execute("ALTER TABLE agent_runtime_waiting SET (fillfactor = 50)")  # whoever waits says so time and again
    # All columns of a pack are compressed, and stay in their row as long as that fits a page.
    for table, columns in (("messages", ("bodies",)), ("versions", [column.name for column in _versions()])):
        for column in columns:
            op.execute(f"ALTER TABLE agent_runtime_{table} ALTER COLUMN {column} SET STORAGE MAIN")
        op.execute(f"ALTER TABLE agent_runtime_{table} SET (toast_tuple_target = 128)")
