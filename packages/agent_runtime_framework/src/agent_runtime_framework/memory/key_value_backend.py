"""Conversations over a key/value store: one key for each state and one for each list of messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from agent_runtime_core.messages import MessageDict
from agent_runtime_framework.memory.copying import copied
from agent_runtime_framework.memory.key_lock import KeyLock
from agent_runtime_framework.memory.key_value import MemoryStore
from agent_runtime_framework.memory.message import message_dict
from agent_runtime_framework.memory.storage_key import messages_key, state_key

__all__ = ["KeyValueBackend"]

# Stores made again and again over one backend, for each request say, must wait for each other, too.
_LOCKS: WeakKeyDictionary[Any, KeyLock] = WeakKeyDictionary()


class KeyValueBackend:
    """A key/value store as a backend of conversations.

    Such a store can only put a whole value under a key. Appending therefore reads the list of messages and writes
    it again, one task at a time for each key within this process.
    """

    def __init__(self, store: MemoryStore[Any]) -> None:
        self._store = store
        self._lock = _lock_of(store)

    async def load_state(self, conversation_id: str, agent_key: str) -> dict[str, Any] | None:
        """The state of an agent, or None."""
        state: dict[str, Any] | None = await self.get(state_key(conversation_id, agent_key))
        return state

    async def save_state(self, conversation_id: str, agent_key: str, state: dict[str, Any]) -> None:
        """Put the agent's state in place of the one that is there."""
        await self.set(state_key(conversation_id, agent_key), state)

    async def delete_state(self, conversation_id: str, agent_key: str) -> None:
        """Remove the agent's state, if there is one."""
        await self.delete(state_key(conversation_id, agent_key))

    async def last_messages(self, conversation_id: str, limit: int | None) -> list[MessageDict]:
        """The last messages, oldest first."""
        stored = await self._store.get(messages_key(conversation_id)) or []
        return [message_dict(message) for message in (stored if limit is None else stored[-limit:])]

    async def append_messages(self, conversation_id: str, messages: Sequence[MessageDict]) -> None:
        """Write the list of messages again, with these at its end."""
        key = messages_key(conversation_id)
        new = copied(list(messages))
        async with self._lock.holding(key):
            stored = await self._store.get(key) or []
            await self._store.set(key, [*stored, *new])

    async def delete_messages(self, conversation_id: str) -> None:
        """Remove all messages of a conversation."""
        await self.delete(messages_key(conversation_id))

    async def get(self, key: str) -> Any:
        """A copy of the value under this key, or None."""
        return copied(await self._store.get(key))

    async def set(self, key: str, value: dict[str, Any] | list[MessageDict]) -> None:
        """Put a copy of the value under this key."""
        own = copied(value)
        async with self._lock.holding(key):
            await self._store.set(key, own)

    async def delete(self, key: str) -> None:
        """Remove the key."""
        async with self._lock.holding(key):
            await self._store.delete(key)

    async def close(self) -> None:
        """Do nothing: the store is its owner's."""


def _lock_of(store: MemoryStore[Any]) -> KeyLock:
    try:
        return _LOCKS.setdefault(store, KeyLock())
    except TypeError:  # a store that cannot be hashed or weakly referenced
        return KeyLock()
