"""Retention: conversations that nobody has written to for long are removed."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from agent_runtime_core.errors import StoreConflict
from agent_runtime_core.housekeeping.listing import each_conversation
from agent_runtime_core.interfaces import CheckpointStore, Removal

__all__ = ["older_than_time", "prune"]


async def prune(
    store: CheckpointStore, *, older_than: timedelta | datetime, owner: str | None = None, dry_run: bool = False
) -> Removal:
    """Remove the conversations that were not written to for long, and say what there was.

    One that is written to meanwhile stays. Each goes whole or not at all; broken off, it can be called again.

    Args:
        store: The store.
        older_than: For how long they must have been left alone, or since when (an aware datetime).
        owner: Only those of this owner; None for all.
        dry_run: Remove nothing, and say what would go; messages that wait are then not counted.

    Raises:
        ValueError: The time is negative, lies in the future, or has no time zone.
        StoreUnavailable: The store cannot be read or written; what was removed until then stays removed.
    """
    removed = Removal()
    before = older_than_time(older_than)
    async with aclosing(each_conversation(store, owner=owner, updated_before=before)) as conversations:
        async for info in conversations:
            if dry_run:
                removed += Removal(conversations=1, messages=info.message_count, states=len(info.agent_keys))
                continue
            try:
                removed += await store.delete(info.conversation_id, owner=info.owner, expected_version=info.version)
            except StoreConflict:  # it was written to since the page was read, or is gone
                continue
    return removed


def older_than_time(older_than: timedelta | datetime) -> datetime:
    """The moment before which a conversation must have been written to for the last time.

    Raises:
        ValueError: The time is negative, lies in the future, or has no time zone.
    """
    now = datetime.now(UTC)
    if isinstance(older_than, timedelta):
        if older_than < timedelta():
            raise ValueError(f"older_than is {older_than}; give a time that is not negative.")
        try:
            return now - older_than
        except OverflowError as error:
            raise ValueError(f"older_than is {older_than}, which is before the calendar begins.") from error
    if older_than.tzinfo is None:
        raise ValueError(f"older_than is {older_than}, which has no time zone; give one, such as datetime.now(UTC).")
    if older_than > now:
        raise ValueError(f"older_than is {older_than}, which is in the future: every conversation would go.")
    return older_than
