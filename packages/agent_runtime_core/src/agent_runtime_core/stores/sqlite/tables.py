"""The tables of a SQLite store, and how their keys are made."""

from __future__ import annotations

__all__ = ["INDEXES_AND_VIEW", "KEY_BITS", "MAX_NUMBER", "SCHEMA", "SCHEMA_VERSION", "all_keys", "name_bytes"]

SCHEMA_VERSION = 2
"""What `PRAGMA user_version` says of a file that this code writes."""

KEY_BITS = 32
MAX_NUMBER = (1 << KEY_BITS) - 1
"""More messages or versions than one conversation can have."""

# Conversations have numbers, and the key of a message is its conversation's number and its own position in one
# integer: the messages of a conversation lie side by side, in their order, and its last ones are found without an
# index. The same goes for its versions. Each commit is one row of `versions`, with the state that it wrote, so that a
# commit touches few pages. Names are stored as their bytes: they compare by code point, whatever is in them.
_MESSAGES = """
    CREATE TABLE messages (
        key INTEGER PRIMARY KEY, -- conversation number * 2^32 + position
        body TEXT NOT NULL
    )
"""
_REST = (
    """
    CREATE TABLE conversations (
        number INTEGER PRIMARY KEY,
        owner BLOB NOT NULL,
        id BLOB NOT NULL,
        version INTEGER NOT NULL,
        message_count INTEGER NOT NULL,
        created REAL NOT NULL, -- this and all times: seconds since 1970
        updated REAL NOT NULL,
        updated_day INTEGER NOT NULL, -- days since 1970; it has the index, because it seldom changes
        lease INTEGER NOT NULL, -- 0: nobody's
        lease_until REAL NOT NULL,
        lease_seconds REAL NOT NULL,
        running_id BLOB NOT NULL, -- the message that the last run began with, until it has finished; or empty
        running_position INTEGER NOT NULL, -- where that message is; -1: its receipt is a row, or it has none
        running_remember INTEGER NOT NULL,
        agents BLOB NOT NULL, -- JSON: {agent key: the version that has its present state}
        UNIQUE (owner, id)
    )
    """,
    """
    CREATE TABLE versions (
        key INTEGER PRIMARY KEY, -- conversation number * 2^32 + version
        message_count INTEGER, -- NULL: not a version to go back to, kept for its state
        committed REAL NOT NULL,
        agent_key BLOB, -- NULL: the commit wrote no state
        state_version INTEGER,
        state TEXT -- NULL beside an agent's key: it was removed
    )
    """,
    """
    CREATE TABLE waiting (
        key INTEGER PRIMARY KEY, -- conversation number * 2^32 + place
        message_id BLOB NOT NULL,
        remember INTEGER NOT NULL,
        merges INTEGER NOT NULL,
        until REAL NOT NULL,
        seconds REAL NOT NULL,
        body TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE receipts (
        conversation INTEGER NOT NULL,
        message_id BLOB NOT NULL,
        position INTEGER NOT NULL,
        remember INTEGER NOT NULL,
        answer_end INTEGER, -- NULL: not answered yet
        result TEXT,
        PRIMARY KEY (conversation, message_id)
    ) WITHOUT ROWID
    """,
)
INDEXES_AND_VIEW = (
    "CREATE INDEX conversations_by_day ON conversations (updated_day)",
    "CREATE INDEX receipts_unanswered ON receipts (conversation) WHERE answer_end IS NULL",
    # For people with a SQLite shell.
    """
    CREATE VIEW history AS
        SELECT CAST(owner AS TEXT) AS owner, CAST(id AS TEXT) AS conversation_id, key & 0xFFFFFFFF AS position, body
        FROM conversations JOIN messages ON key BETWEEN number << 32 AND (number << 32) + 0xFFFFFFFF
    """,
)
SCHEMA = (_MESSAGES, *_REST, *INDEXES_AND_VIEW)

NEW_IN_VERSION_2 = _REST


def all_keys(number: int) -> tuple[int, int]:
    """The first and the last key that rows of a conversation can have."""
    first = number << KEY_BITS
    return first, first + MAX_NUMBER


def name_bytes(name: str) -> bytes:
    """A name as it is stored."""
    return name.encode("utf-8", "surrogatepass")
