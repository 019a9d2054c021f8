"""From what the server tells to a conversation; a state that cannot be read ends with the way back."""

from __future__ import annotations

from bisect import bisect_right

from agent_runtime_core.interfaces.checkpoint import Checkpoint
from agent_runtime_core.stores.redis.calls import Calls
from agent_runtime_core.stores.redis.damage import read_state, readable_messages, readable_versions, state_damage
from agent_runtime_core.stores.redis.names import as_bytes
from agent_runtime_core.stores.redis.replies import Row

__all__ = ["checkpoint_of"]


async def checkpoint_of(calls: Calls, conversation_id: str, owner: str, agent_key: str, row: Row) -> Checkpoint:
    """The conversation in a row; messages that cannot be read are left out and logged.

    Raises:
        StoreUnavailable: The agent's state cannot be read; the text names the last version whose state can.
    """
    try:
        state, state_version = read_state(row.state)
    except ValueError as problem:
        version = await _last_readable_version(calls, conversation_id, owner, agent_key)
        raise state_damage(conversation_id, owner, agent_key, problem, version) from None
    return Checkpoint(
        version=row.version,
        state=state,
        state_version=state_version,
        messages=readable_messages(conversation_id, row.message_count - len(row.messages), row.messages),
        message_count=row.message_count,
    )


async def _last_readable_version(calls: Calls, conversation_id: str, owner: str, agent_key: str) -> int | None:
    """The last version that can be gone back to and at which the agent's state can be read, or it had none."""
    _, versions, states = await calls("states", owner, conversation_id, as_bytes(agent_key), kind="read")
    written_at = [int(version) for version in states[1::2]]
    for each in reversed(readable_versions(conversation_id, versions)):
        place = bisect_right(written_at, each.version)
        try:
            read_state(states[2 * (place - 1)] if place else None)
        except ValueError:
            continue
        return each.version
    return None
