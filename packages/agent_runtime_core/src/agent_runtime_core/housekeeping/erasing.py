"""Everything of one owner, removed."""

from __future__ import annotations

from contextlib import aclosing

from agent_runtime_core.housekeeping.listing import each_conversation
from agent_runtime_core.interfaces import CheckpointStore, Removal

__all__ = ["erase_owner"]


async def erase_owner(store: CheckpointStore, owner: str) -> Removal:
    """Remove all conversations of an owner, and say what there was.

    Conversations that appear meanwhile go, too: it looks again until there is nothing left. A run that is on is
    refused its next commit. See to it that no new message of the owner is sent; one that is sent afterwards makes a
    new conversation. Each conversation goes whole or not at all; broken off, it can be called again.

    Args:
        store: The store.
        owner: Whose conversations; `""` are those of nobody.

    Raises:
        StoreUnavailable: The store cannot be read or written; what was removed until then stays removed.
    """
    removed = Removal()
    while True:
        found = Removal()
        async with aclosing(each_conversation(store, owner=owner)) as conversations:
            async for info in conversations:
                found += await store.delete(info.conversation_id, owner=owner)
        if not found:
            return removed
        removed += found
