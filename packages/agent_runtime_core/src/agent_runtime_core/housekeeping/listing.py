"""The conversations of a store, page by page."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime

from agent_runtime_core.interfaces import CheckpointStore, ConversationInfo

__all__ = ["PAGE_SIZE", "each_conversation", "find_conversation"]

PAGE_SIZE = 100
"""How many conversations are asked for at a time."""

_LAST_CHARACTER = "\U0010ffff"


async def each_conversation(
    store: CheckpointStore,
    *,
    owner: str | None = None,
    updated_before: datetime | None = None,
    page_size: int = PAGE_SIZE,
) -> AsyncGenerator[ConversationInfo, None]:
    """What the store tells of each conversation, by owner and then id; one page at a time is in memory.

    What is removed while it goes on is no trouble; what is added comes if its name is still ahead.

    Args:
        store: The store.
        owner: Only those of this owner; None for all.
        updated_before: Only those that were not written to since; an aware datetime.
        page_size: How many are asked for at a time.

    Raises:
        StoreUnavailable: The store cannot be read.
    """
    after: tuple[str, str] | None = None
    while True:
        page = await store.conversations(owner=owner, updated_before=updated_before, after=after, limit=page_size)
        for info in page:
            yield info
        if len(page) < page_size:
            return
        after = (page[-1].owner, page[-1].conversation_id)


async def find_conversation(
    store: CheckpointStore, conversation_id: str, *, owner: str = ""
) -> ConversationInfo | None:
    """What the store tells of one conversation, or None when there is no such one.

    Raises:
        StoreUnavailable: The store cannot be read.
    """
    after = (owner, _just_before(conversation_id))
    while page := await store.conversations(owner=owner, after=after, limit=PAGE_SIZE):
        for info in page:
            if info.conversation_id == conversation_id:
                return info
            if info.conversation_id > conversation_id:
                return None
        after = (owner, page[-1].conversation_id)
    return None


def _just_before(text: str) -> str:
    """A text with next to nothing between it and the given one, in the order of code points."""
    last = ord(text[-1])
    if last == 0:
        return text[:-1]
    before = 0xD7FF if 0xD800 < last <= 0xE000 else last - 1  # no half of a surrogate pair: not every store takes them
    return text[:-1] + chr(before) + _LAST_CHARACTER
