"""Conversations over a checkpoint store: the very ones that a `JourneyAgent` keeps there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent_runtime_core.interfaces.checkpoint_store import CheckpointStore
from agent_runtime_core.messages import MessageDict
from agent_runtime_framework.memory.storage_key import read_messages_key, read_state_key

__all__ = ["CheckpointBackend"]

_NO_AGENT = ""


class CheckpointBackend:
    """A checkpoint store as a backend of conversations.

    The keys of states and messages lead to the states and messages of that conversation. Any other raw key is a
    conversation of its own, in which no agent takes part.

    Args:
        store: Where the conversations are.
        owned: Whether `close` closes the store.
    """

    def __init__(self, store: CheckpointStore, *, owned: bool) -> None:
        self._store = store
        self._owned = owned

    async def load_state(self, conversation_id: str, agent_key: str) -> dict[str, Any] | None:
        """The state of an agent, or None."""
        return (await self._store.load(conversation_id, agent_key, max_messages=0)).state

    async def save_state(self, conversation_id: str, agent_key: str, state: dict[str, Any]) -> None:
        """Put the agent's state in place of the one that is there."""
        before = await self._store.load(conversation_id, agent_key, max_messages=0)  # it stays of its journey's version
        await self._store.commit(
            conversation_id, agent_key, expected_version=None, state=state, state_version=before.state_version
        )

    async def delete_state(self, conversation_id: str, agent_key: str) -> None:
        """Remove the agent's state, if there is one."""
        await self._store.delete_state(conversation_id, agent_key)

    async def last_messages(self, conversation_id: str, limit: int | None) -> list[MessageDict]:
        """The last messages, oldest first."""
        return (await self._store.load(conversation_id, _NO_AGENT, max_messages=limit)).messages

    async def append_messages(self, conversation_id: str, messages: Sequence[MessageDict]) -> None:
        """Add messages in one transaction; stored ones are not touched."""
        if messages:
            await self._store.commit(conversation_id, _NO_AGENT, expected_version=None, messages=messages)

    async def delete_messages(self, conversation_id: str) -> None:
        """Remove all messages of a conversation; states stay."""
        await self._store.delete_messages(conversation_id)

    async def get(self, key: str) -> Any:
        """The state or the messages under this key, or None."""
        if (place := read_state_key(key)) is not None:
            return await self.load_state(*place)
        if (conversation_id := read_messages_key(key)) is not None:
            return await self.last_messages(conversation_id, None) or None
        checkpoint = await self._store.load(key, _NO_AGENT)
        return checkpoint.messages or None if checkpoint.state is None else checkpoint.state

    async def set(self, key: str, value: dict[str, Any] | list[MessageDict]) -> None:
        """Put a state or messages under this key.

        Raises:
            TypeError: Messages for the key of a state, or the other way round.
            StoreConflict: Somebody else has written to the conversation in the same moment.
        """
        state_place = read_state_key(key)
        messages_place = read_messages_key(key)
        if isinstance(value, dict):
            if messages_place is not None:
                raise TypeError(f"{key!r} is the key of messages; give a list of them, not a state.")
            await self.save_state(*(state_place or (key, _NO_AGENT)), value)
        else:
            if state_place is not None:
                raise TypeError(f"{key!r} is the key of a state; give a dict, not a list of messages.")
            await self._replace_messages(messages_place or key, value)

    async def delete(self, key: str) -> None:
        """Remove the state or the messages under this key."""
        if (place := read_state_key(key)) is not None:
            await self.delete_state(*place)
        elif (conversation_id := read_messages_key(key)) is not None:
            await self.delete_messages(conversation_id)
        else:
            await self._store.delete(key)

    async def close(self) -> None:
        """Close the store if it was opened for this backend."""
        if self._owned:
            await self._store.close()

    async def _replace_messages(self, conversation_id: str, messages: list[MessageDict]) -> None:
        """Append where the stored messages are the beginning of the new ones; else write them anew."""
        checkpoint = await self._store.load(conversation_id, _NO_AGENT)
        stored = checkpoint.messages
        if messages[: len(stored)] == stored:
            if new := messages[len(stored) :]:
                await self._store.commit(conversation_id, _NO_AGENT, expected_version=checkpoint.version, messages=new)
            return
        await self.delete_messages(conversation_id)
        try:
            await self.append_messages(conversation_id, messages)
        except TypeError:  # not JSON data: leave the conversation as it was
            await self.append_messages(conversation_id, stored)
            raise
