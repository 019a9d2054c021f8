"""Reading what can be read of a damaged conversation, with words for what cannot."""

from __future__ import annotations

from typing import Any

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces import CheckpointStore, ConversationInfo

__all__ = ["is_damage", "key_without_state", "missing_messages", "readable_states"]


def is_damage(error: StoreUnavailable, conversation_id: str) -> bool:
    """Whether the error is about this conversation only, and not about the store."""
    return error.key == conversation_id


def key_without_state(info: ConversationInfo) -> str:
    """The key of no agent of this conversation, to read its messages whatever its states are."""
    key = ""
    while key in info.agent_keys:
        key += "-"
    return key


def missing_messages(stored: int, read: int) -> list[str]:
    """What to say of the messages that were left out: a sentence, or nothing."""
    return [f"{stored - read} of {stored} messages cannot be read."] if read < stored else []


async def readable_states(
    store: CheckpointStore, info: ConversationInfo, *, at_version: int | None = None
) -> tuple[dict[str, Any], list[str]]:
    """The states of a conversation's agents, and a sentence for each one that cannot be read.

    The shape of the states: `{agent key: {"state": {...}, "state_version": int}}`.

    Args:
        store: The store.
        info: The conversation.
        at_version: As which version left them; None for the present one.

    Raises:
        StoreUnavailable: The store cannot be read.
        VersionNotFound: There is no such version, or not any more.
    """
    states: dict[str, Any] = {}
    unreadable: list[str] = []
    for agent_key in info.agent_keys:
        try:
            checkpoint = await store.load(
                info.conversation_id, agent_key, max_messages=0, at_version=at_version, owner=info.owner
            )
        except StoreUnavailable as error:
            if not is_damage(error, info.conversation_id):
                raise
            unreadable.append(str(error))
        else:
            states[agent_key] = {"state": checkpoint.state, "state_version": checkpoint.state_version}
    return states, unreadable
