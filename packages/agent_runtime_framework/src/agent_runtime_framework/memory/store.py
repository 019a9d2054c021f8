"""The typed stores: states of agents, and messages of conversations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from agent_runtime_framework.memory.backend import AnyBackend, open_backend
from agent_runtime_framework.memory.key_value import InMemoryStore, MemoryStore
from agent_runtime_framework.memory.message import StoredMessage, message_dict, with_roles

__all__ = ["ConversationStore", "InMemoryStore", "MemoryStore", "StateStore", "StoredMessage"]


class StateStore(MemoryStore[dict[str, Any]]):
    """Keeps the state of each agent in each conversation; copies go in, copies come out.

    Over a key/value store the key is `state:<conversation_id>:<agent_key>`. Over a checkpoint store these are the
    states that a `JourneyAgent` with that store keeps; a state must be JSON data there.

    Args:
        backend: A `MemoryStore`, a `CheckpointStore`, the URL of one (`sqlite:///journeys.db`), or None for a new
            one in memory.

    Raises:
        ConfigError: The backend is none of these.
    """

    def __init__(self, backend: AnyBackend | None = None) -> None:
        self._backend = open_backend(backend)

    async def save_state(self, conversation_id: object, agent_key: str, state: Any) -> None:
        """Put the agent's state, a dict or an object with `to_dict()`, in place of the one that is there.

        Raises:
            TypeError: It is neither, or not JSON data where the backend is a checkpoint store.
        """
        await self._backend.save_state(str(conversation_id), agent_key, _state_dict(state))

    async def load_state(self, conversation_id: object, agent_key: str) -> dict[str, Any] | None:
        """The agent's state as it was saved, or None."""
        return await self._backend.load_state(str(conversation_id), agent_key)

    async def delete_state(self, conversation_id: object, agent_key: str) -> None:
        """Remove the agent's state; it is no error when there is none."""
        await self._backend.delete_state(str(conversation_id), agent_key)

    async def get(self, key: str) -> dict[str, Any] | None:
        """The state under a storage key, or None."""
        value: dict[str, Any] | None = await self._backend.get(key)
        return value

    async def set(self, key: str, value: dict[str, Any]) -> None:
        """Put a state under a storage key."""
        await self._backend.set(key, _state_dict(value))

    async def delete(self, key: str) -> None:
        """Remove what is under a storage key."""
        await self._backend.delete(key)

    async def close(self) -> None:
        """Close the backend if it was opened here, from a URL."""
        await self._backend.close()

    async def __aenter__(self) -> Self:
        """The store, closed at the end of the block."""
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()


class ConversationStore(MemoryStore[list[StoredMessage]]):
    """Keeps the messages of conversations, tool calls included; copies go in, copies come out.

    Over a key/value store the key is `conversation:<conversation_id>` and the value a list of dicts: such a store
    only takes whole values, so each append writes the list again (one task at a time; nothing is lost within one
    process). Over a checkpoint store these are the messages that a `JourneyAgent` with that store keeps, and
    appending leaves stored ones alone.

    Args:
        backend: A `MemoryStore`, a `CheckpointStore`, the URL of one (`sqlite:///journeys.db`), or None for a new
            one in memory.

    Raises:
        ConfigError: The backend is none of these.
    """

    def __init__(self, backend: AnyBackend | None = None) -> None:
        self._backend = open_backend(backend)

    async def get_messages(self, conversation_id: object, limit: int | None = None) -> list[StoredMessage]:
        """The last `limit` messages, or all of them, oldest first; `[]` for an unknown conversation.

        What is no message is left out, and logged.

        Raises:
            ValueError: The limit is negative.
        """
        if limit is not None and limit <= 0:
            if limit < 0:
                raise ValueError(f"limit is {limit}; give 0 or more messages, or None for all.")
            return []
        messages = await self._backend.last_messages(str(conversation_id), limit)
        return [StoredMessage.from_dict(message) for message in with_roles(messages, str(conversation_id))]

    async def add_message(self, conversation_id: object, message: Any) -> None:
        """Append a message: a `StoredMessage`, an `AgentMessage` or a dict.

        Raises:
            TypeError: It is none of them.
            ValueError: It has no role.
        """
        await self.add_messages(conversation_id, [message])

    async def add_messages(self, conversation_id: object, messages: Iterable[Any]) -> None:
        """Append messages together, in their order; each as `add_message` takes it.

        Raises:
            TypeError: One of them is no message. None was appended.
            ValueError: One of them has no role. None was appended.
        """
        await self._backend.append_messages(str(conversation_id), [message_dict(each) for each in messages])

    async def clear_conversation(self, conversation_id: object) -> None:
        """Remove all messages of a conversation; states stay."""
        await self._backend.delete_messages(str(conversation_id))

    async def get(self, key: str) -> list[StoredMessage] | None:
        """The messages under a storage key, or None."""
        stored = await self._backend.get(key)
        return None if stored is None else [StoredMessage.from_dict(message_dict(each)) for each in stored]

    async def set(self, key: str, value: Iterable[Any]) -> None:
        """Put messages under a storage key, in place of those that are there.

        Raises:
            StoreConflict: Over a checkpoint store: somebody else has written to the conversation in the same moment.
        """
        await self._backend.set(key, [message_dict(each) for each in value])

    async def delete(self, key: str) -> None:
        """Remove what is under a storage key."""
        await self._backend.delete(key)

    async def close(self) -> None:
        """Close the backend if it was opened here, from a URL."""
        await self._backend.close()

    async def __aenter__(self) -> Self:
        """The store, closed at the end of the block."""
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()


def _state_dict(state: Any) -> dict[str, Any]:
    data = state.to_dict() if hasattr(state, "to_dict") and not isinstance(state, type) else state
    if not isinstance(data, Mapping):
        raise TypeError(f"a state is a dict or an object with to_dict(), not {type(state).__name__}.")
    return data if isinstance(data, dict) else dict(data)
