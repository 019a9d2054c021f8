"""Conversations, their messages, states and versions, the line of waiting messages and the receipts of placed ones.

Texts are bytes: PostgreSQL's own texts hold neither null bytes nor lone surrogates. The rows of a conversation hang on
its number without foreign keys: whoever writes one has locked the conversation's row, in the same transaction.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels = None
depends_on = None


def _of_conversation() -> sa.Column[int]:
    return sa.Column("conversation", sa.BigInteger, nullable=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "agent_runtime_conversations",
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("owner", sa.LargeBinary, nullable=False),
        sa.Column("id", sa.LargeBinary, nullable=False),
        sa.Column("long_owner", sa.LargeBinary, comment="the whole text, where the key is too short for it"),
        sa.Column("long_id", sa.LargeBinary),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("message_count", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("lease", sa.BigInteger, nullable=False, server_default="0", comment="0: nobody runs"),
        sa.Column("lease_until", sa.Double, nullable=False, server_default="0", comment="seconds since 1970"),
        sa.Column("lease_seconds", sa.Double, nullable=False, server_default="0"),
        sa.Column("running_id", sa.LargeBinary, comment="the message that the last run began with"),
        sa.Column("placed", sa.BigInteger, nullable=False, server_default="0", comment="by the begin of that run"),
        sa.Column("waiting", sa.BigInteger, nullable=False, server_default="0", comment="messages in line"),
        sa.Column("token", sa.BigInteger, nullable=False, server_default="0", comment="names the last commit"),
        sa.UniqueConstraint("owner", "id", name="agent_runtime_conversations_owner_id"),
        postgresql_with={"fillfactor": 70},  # room to change a row beside itself, without touching the indexes
    )
    op.create_table(
        "agent_runtime_messages",
        _of_conversation(),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("conversation", "position"),
    )
    op.create_table(
        "agent_runtime_states",
        _of_conversation(),
        sa.Column("version", sa.BigInteger, nullable=False, comment="the commit that wrote it"),
        sa.Column("journey_version", sa.BigInteger, nullable=False),
        sa.Column("agent", sa.LargeBinary, nullable=False),
        sa.Column("long_agent", sa.LargeBinary),
        sa.Column("body", sa.LargeBinary, comment="null: removed"),
        sa.PrimaryKeyConstraint("conversation", "agent", "version"),
    )
    op.create_table(
        "agent_runtime_versions",
        _of_conversation(),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("message_count", sa.BigInteger, nullable=False),
        sa.Column("committed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("conversation", "version"),
    )
    op.create_table(
        "agent_runtime_waiting",
        _of_conversation(),
        sa.Column("place", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("remember", sa.Boolean, nullable=False),
        sa.Column("merges", sa.Boolean, nullable=False),
        sa.Column("message_id", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("conversation", "place"),
    )
    op.create_table(
        "agent_runtime_receipts",
        _of_conversation(),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("end_position", sa.BigInteger, comment="null: not answered"),
        sa.Column("remember", sa.Boolean, nullable=False),
        sa.Column("message_id", sa.LargeBinary, nullable=False),
        sa.Column("result", sa.LargeBinary),
        sa.PrimaryKeyConstraint("conversation", "message_id"),
    )
    op.create_index(
        "agent_runtime_receipts_open",
        "agent_runtime_receipts",
        ["conversation"],
        postgresql_where=sa.text("end_position IS NULL"),
    )
