"""Runs of a conversation: a message comes, a run begins, commits and ends; each function is one transaction's work."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agent_runtime_core.errors import LeaseLost, StoreConflict
from agent_runtime_core.stores.lease import is_held, new_lease
from agent_runtime_core.stores.sqlite import line, receipts
from agent_runtime_core.stores.sqlite.head import Head, find_head, find_number, new_head
from agent_runtime_core.stores.sqlite.loading import LoadedRow, joined_messages, read_now
from agent_runtime_core.stores.sqlite.tables import name_bytes
from agent_runtime_core.stores.sqlite.versions import State, add_version

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

__all__ = ["AnswerRow", "BegunRow", "begin", "commit", "release", "renew", "withdraw"]

_ADD_MESSAGE = "INSERT INTO messages VALUES (?, ?)"
_RENEW = """
    UPDATE conversations SET lease_until = ?, lease_seconds = ? WHERE owner = ? AND id = ? AND lease = ?
"""


class BegunRow(NamedTuple):
    """What a run begins with."""

    lease: int
    placed: int
    loaded: LoadedRow


class AnswerRow(NamedTuple):
    """What an earlier run answered: the conversation's version now, and where in it the answer is."""

    version: int
    start: int
    stop: int
    joined: bytes | None
    result: bytes | None


def begin(
    cursor: sqlite3.Cursor,
    clock: Callable[[], float],
    keep: int | None,
    owner: str,
    conversation_id: str,
    agent_key: str,
    arrival: line.Arrival,
    window: int,
) -> BegunRow | AnswerRow | int:
    """See `CheckpointStore.begin`; a number is how many messages are in front."""
    now = clock()
    head = find_head(cursor, owner, conversation_id)
    if head is None:
        head = new_head(now)
        _lease(head, arrival, now)
        head.running_position, head.running_remember = 0, arrival.remember
        head.version = head.message_count = 1
        head.add(cursor, owner, conversation_id, now)
        cursor.execute(_ADD_MESSAGE, (head.first_key, arrival.body))
        add_version(cursor, head, now, keep)
        body = arrival.body.encode() if isinstance(arrival.body, str) else arrival.body
        # What is in it is known: nothing has to be read.
        return BegunRow(head.lease, 1, LoadedRow(1, 1, 0 if window else 1, body if window else None, None))
    message_id = arrival.message_id
    receipt = receipts.find_receipt(cursor, head, message_id)
    if receipt is not None and receipt.answer_end is not None:
        return _answer(cursor, head, receipt, message_id)
    waiting = line.waiting_rows(cursor, head.number)
    place = next((place for place, each in enumerate(waiting) if each.message_id == message_id), None)
    if place is not None:
        line.still_there(cursor, waiting[place].key, arrival, now)
    ahead = len(waiting) if place is None else place
    is_first = not any(is_held(each.until, each.seconds, now) for each in waiting[:ahead])
    if head.is_busy(now) or not (receipt is not None or is_first):
        if receipt is not None:
            return 0
        if place is None and arrival.on_busy != "reject":
            line.stand_in_line(cursor, waiting[-1].key + 1 if waiting else head.first_key, arrival, now)
        return ahead
    placed = 0
    if head.running_id != message_id:
        receipts.keep_receipt(cursor, head)
    if receipt is None:
        placed = _place(cursor, head, waiting, place, arrival)
        add_version(cursor, head, now, keep)
    _lease(head, arrival, now)
    head.save(cursor)
    return BegunRow(head.lease, placed, read_now(cursor, head, agent_key, window))


def _lease(head: Head, arrival: line.Arrival, now: float) -> None:
    head.lease = new_lease()
    head.lease_until, head.lease_seconds = now + arrival.seconds, arrival.seconds
    head.running_id = arrival.message_id


def _answer(cursor: sqlite3.Cursor, head: Head, receipt: receipts.Receipt, message_id: bytes) -> AnswerRow:
    if not receipt.remember:
        receipts.drop_receipt(cursor, head.number, message_id)
    start, stop = receipt.position + 1, receipt.answer_end or 0
    return AnswerRow(
        version=head.version,
        start=start,
        stop=stop,
        joined=joined_messages(cursor, head, start, stop),
        result=receipt.result,
    )


def _place(
    cursor: sqlite3.Cursor, head: Head, waiting: list[line.WaitingRow], place: int | None, arrival: line.Arrival
) -> int:
    """Put the message at the end of the history, with those that go with it, and say how many they are."""
    if place is None:
        leaving = waiting
    else:
        end = place + 1
        while end < len(waiting) and waiting[end].merges:
            end += 1
        leaving = waiting[:end]
    position = head.message_count
    if leaving:
        line.leave(cursor, leaving, head.first_key + position)
        for each in leaving:
            if each.message_id == arrival.message_id:
                head.running_position, head.running_remember = position, each.remember
            else:
                receipts.add_receipt(cursor, head.number, each.message_id, position, each.remember)
            position += 1
    if place is None:
        cursor.execute(_ADD_MESSAGE, (head.first_key + position, arrival.body))
        head.running_position, head.running_remember = position, arrival.remember
        position += 1
    placed = position - head.message_count
    head.message_count = position
    head.version += 1
    return placed


def commit(
    cursor: sqlite3.Cursor,
    clock: Callable[[], float],
    keep: int | None,
    owner: str,
    conversation_id: str,
    agent_key: str,
    expected_version: int | None,
    state: State | None,
    messages: list[str | bytes],
    lease: int | None,
    finish: str | bytes | None,
) -> int:
    """See `CheckpointStore.commit`. What refuses it is found before any write."""
    now = clock()
    head = find_head(cursor, owner, conversation_id)
    found_version, held = (0, 0) if head is None else (head.version, head.lease)
    if lease is not None and lease != held:
        raise LeaseLost(conversation_id, expected_version, found_version)
    if expected_version is not None and expected_version != found_version:
        raise StoreConflict(conversation_id, expected_version, found_version)
    is_new = head is None
    head = head or new_head(now)
    first_position = head.message_count
    head.version += 1
    head.message_count += len(messages)
    head.updated = now
    if state is not None:
        head.set_agents({**head.agents(cursor), agent_key: head.version})
    if finish is not None:
        receipts.finish(cursor, head, finish)
    if is_new:
        head.add(cursor, owner, conversation_id, now)
    else:
        head.save(cursor)
    add_version(cursor, head, now, keep, agent_key, state)
    if messages:
        cursor.executemany(_ADD_MESSAGE, enumerate(messages, head.first_key + first_position))
    return head.version


def renew(
    cursor: sqlite3.Cursor,
    clock: Callable[[], float],
    owner: str,
    conversation_id: str,
    lease: int,
    lease_seconds: float,
) -> bool:
    """See `CheckpointStore.renew`."""
    names = (name_bytes(owner), name_bytes(conversation_id))
    cursor.execute(_RENEW, (clock() + lease_seconds, lease_seconds, *names, lease))
    return cursor.rowcount > 0


def release(cursor: sqlite3.Cursor, owner: str, conversation_id: str, lease: int) -> None:
    """See `CheckpointStore.release`."""
    head = find_head(cursor, owner, conversation_id)
    if head is not None and head.lease == lease:
        receipts.keep_receipt(cursor, head)
        receipts.end_lease(head)
        head.save(cursor)


def withdraw(cursor: sqlite3.Cursor, owner: str, conversation_id: str, message_id: str) -> bool:
    """See `CheckpointStore.withdraw`."""
    number = find_number(cursor, owner, conversation_id)
    return number is not None and line.withdraw(cursor, number, name_bytes(message_id))
