"""What a store tells of its conversations, in pieces that keep the server busy for a moment only."""

from __future__ import annotations

from datetime import datetime

from agent_runtime_core.interfaces.checkpoint import ConversationInfo
from agent_runtime_core.stores.redis.calls import Calls
from agent_runtime_core.stores.redis.names import first_of, name_of
from agent_runtime_core.stores.redis.replies import info_of, microseconds

__all__ = ["conversations"]

_PAGE = 500


async def conversations(
    calls: Calls, owner: str | None, updated_before: datetime | None, after: tuple[str, str] | None, limit: int
) -> list[ConversationInfo]:
    """See `CheckpointStore.conversations`."""
    before: int | str = "" if updated_before is None else microseconds(updated_before)
    first, last = (b"-", b"+") if owner is None else (b"[" + first_of(owner)[0], b"(" + first_of(owner)[1])
    if after is not None and name_of(*after) >= first[1:]:
        first = b"(" + name_of(*after)
    found: list[ConversationInfo] = []
    while len(found) < limit:
        count = min(_PAGE, limit - len(found)) if updated_before is None else _PAGE
        _, many, first, rows = await calls(
            "conversations", "", "", first, last, count, before, calls.prefix + b"{", kind="read"
        )
        found += map(info_of, rows)
        if many < count:
            break
        first = b"(" + first
    return found[:limit]
