"""Going back, copying and removing; each function is one transaction's work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_runtime_core.errors import ConversationBusy, StoreConflict, VersionNotFound
from agent_runtime_core.interfaces.checkpoint import Removal
from agent_runtime_core.stores.sqlite.head import NOWHERE, Head, agents_at, find_head, find_number, new_head
from agent_runtime_core.stores.sqlite.receipts import end_lease, keep_receipt
from agent_runtime_core.stores.sqlite.tables import all_keys
from agent_runtime_core.stores.sqlite.versions import add_version, count_at, trim, unlist

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

__all__ = ["delete", "delete_messages", "delete_state", "fork", "rewind"]

_DELETE_MESSAGES = "DELETE FROM messages WHERE key >= ? AND key <= ?"
_DELETE_VERSIONS = "DELETE FROM versions WHERE key >= ? AND key <= ?"
_COUNT_STATES = """
    SELECT count(*) FROM (
        SELECT max(key), state IS NULL AS is_removed FROM versions
        WHERE key >= ? AND key <= ? AND agent_key IS NOT NULL GROUP BY agent_key
    ) WHERE NOT is_removed
"""
_DELETE_WAITING = "DELETE FROM waiting WHERE key >= ? AND key <= ?"
_DELETE_RECEIPTS = "DELETE FROM receipts WHERE conversation = ?"
_DELETE_HEAD = "DELETE FROM conversations WHERE number = ?"
_DELETE_LATER_RECEIPTS = "DELETE FROM receipts WHERE conversation = ? AND position >= ?"
_TAKE_ANSWERS_BACK = "UPDATE receipts SET answer_end = NULL, result = NULL WHERE conversation = ? AND answer_end > ?"
_DELETE_OPEN_RECEIPTS = "DELETE FROM receipts WHERE conversation = ? AND answer_end IS NULL"
_EMPTY_ANSWERS = "UPDATE receipts SET position = 0, answer_end = 0 WHERE conversation = ?"
_COPY_MESSAGES = "INSERT INTO messages SELECT key + ?, body FROM messages WHERE key >= ? AND key < ? ORDER BY key"
_COPY_VERSIONS = """
    INSERT INTO versions
    SELECT key + ?, message_count, committed, agent_key, state_version, state
    FROM versions WHERE key >= ? AND key <= ? ORDER BY key
"""


def rewind(
    cursor: sqlite3.Cursor,
    clock: Callable[[], float],
    keep: int | None,
    owner: str,
    conversation_id: str,
    version: int,
) -> int:
    """See `CheckpointStore.rewind`."""
    now = clock()
    head = find_head(cursor, owner, conversation_id)
    if head is None:
        raise VersionNotFound(conversation_id, version, has_conversation=False)
    if head.is_busy(now):
        raise ConversationBusy(conversation_id)
    count = count_at(cursor, conversation_id, head, version, keep)
    if keep is not None:
        trim(cursor, head.number, keep)  # now, because behind the rewind nobody could tell which ones were too old
    keep_receipt(cursor, head)
    end_lease(head)
    first, last = all_keys(head.number)
    cursor.execute(_DELETE_MESSAGES, (first + count, last))
    cursor.execute(_DELETE_VERSIONS, (first + version + 1, last))
    cursor.execute(_DELETE_LATER_RECEIPTS, (head.number, count))
    cursor.execute(_TAKE_ANSWERS_BACK, (head.number, count))
    head.set_agents(agents_at(cursor, head.number, version))
    head.message_count = count
    return _counted(cursor, head, now, keep)


def _counted(cursor: sqlite3.Cursor, head: Head, now: float, keep: int | None) -> int:
    head.version += 1
    add_version(cursor, head, now, keep)
    head.save(cursor)
    return head.version


def fork(
    cursor: sqlite3.Cursor,
    clock: Callable[[], float],
    keep: int | None,
    owner: str,
    conversation_id: str,
    new_conversation_id: str,
    version: int | None,
) -> int:
    """See `CheckpointStore.fork`."""
    head = find_head(cursor, owner, conversation_id)
    if head is None:
        raise VersionNotFound(conversation_id, version or 0, has_conversation=False)
    there = find_head(cursor, owner, new_conversation_id)
    if there is not None:
        raise StoreConflict(new_conversation_id, 0, there.version, is_copy=True)
    version = head.version if version is None else version
    count = count_at(cursor, conversation_id, head, version, keep)
    if keep is not None:
        trim(cursor, head.number, keep)
    now = clock()
    copy = new_head(now)
    copy.version, copy.message_count = version, count
    copy.set_agents(agents_at(cursor, head.number, version))
    copy.add(cursor, owner, new_conversation_id, now)
    first, offset = head.first_key, copy.first_key - head.first_key
    cursor.execute(_COPY_MESSAGES, (offset, first, first + count))
    cursor.execute(_COPY_VERSIONS, (offset, first, first + version))
    return version


def delete_state(
    cursor: sqlite3.Cursor,
    clock: Callable[[], float],
    keep: int | None,
    owner: str,
    conversation_id: str,
    agent_key: str,
) -> bool:
    """See `CheckpointStore.delete_state`."""
    head = find_head(cursor, owner, conversation_id)
    agents = {} if head is None else head.agents(cursor)
    if head is None or agents.pop(agent_key, None) is None:
        return False
    head.set_agents(agents)
    head.version += 1
    add_version(cursor, head, clock(), keep, agent_key, (0, None))
    head.save(cursor)
    return True


def delete_messages(
    cursor: sqlite3.Cursor, clock: Callable[[], float], keep: int | None, owner: str, conversation_id: str
) -> int:
    """See `CheckpointStore.delete_messages`."""
    head = find_head(cursor, owner, conversation_id)
    if head is None or not head.message_count:
        return 0
    first, last = all_keys(head.number)
    removed = head.message_count
    cursor.execute(_DELETE_MESSAGES, (first, last))
    unlist(cursor, first, last)
    cursor.execute(_DELETE_OPEN_RECEIPTS, (head.number,))
    cursor.execute(_EMPTY_ANSWERS, (head.number,))
    head.message_count, head.running_position = 0, NOWHERE
    _counted(cursor, head, clock(), keep)
    return removed


def delete(cursor: sqlite3.Cursor, owner: str, conversation_id: str, expected_version: int | None) -> Removal:
    """See `CheckpointStore.delete`. What is damaged can be deleted, too."""
    if expected_version is not None:
        head = find_head(cursor, owner, conversation_id)
        version = 0 if head is None else head.version
        if expected_version != version:
            raise StoreConflict(conversation_id, expected_version, version)
    number = find_number(cursor, owner, conversation_id)
    if number is None:
        return Removal()
    keys = all_keys(number)
    ((states,),) = cursor.execute(_COUNT_STATES, keys).fetchall()
    cursor.execute(_DELETE_MESSAGES, keys)
    messages = cursor.rowcount
    cursor.execute(_DELETE_VERSIONS, keys)
    cursor.execute(_DELETE_WAITING, keys)
    waiting = cursor.rowcount
    cursor.execute(_DELETE_RECEIPTS, (number,))
    cursor.execute(_DELETE_HEAD, (number,))
    return Removal(conversations=1, messages=messages, states=states, waiting=waiting)
