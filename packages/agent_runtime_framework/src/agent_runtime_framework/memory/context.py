"""State and messages of a conversation together: what an agent starts a run with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from agent_runtime_core.messages import MessageDict
from agent_runtime_framework.memory.message import StoredMessage
from agent_runtime_framework.memory.store import ConversationStore, StateStore

__all__ = ["MemoryContext", "MemoryManager", "build_memory_context"]


@dataclass
class MemoryContext:
    """What is remembered of a conversation."""

    state: dict[str, Any] | None = None
    """The agent's state, or None."""
    messages: list[StoredMessage] = field(default_factory=list)
    """The messages, oldest first."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Notes of the application."""

    def has_state(self) -> bool:
        """Whether there is a state, be it an empty one."""
        return self.state is not None

    def get_message_dicts(self) -> list[MessageDict]:
        """The messages as dicts."""
        return [message.to_dict() for message in self.messages]


async def build_memory_context(
    conversation_id: object,
    agent_key: str,
    state_store: StateStore | None = None,
    conversation_store: ConversationStore | None = None,
    message_limit: int | None = None,
) -> MemoryContext:
    """Read the agent's state and the last messages; a store that is None contributes nothing.

    Args:
        conversation_id: The conversation: a UUID, a text, anything with a `str()`.
        agent_key: Whose state it is.
        state_store: Where the state is.
        conversation_store: Where the messages are.
        message_limit: How many messages at most; None for all.

    Raises:
        ValueError: The limit is negative.
    """
    context = MemoryContext()
    if state_store is not None:
        context.state = await state_store.load_state(conversation_id, agent_key)
    if conversation_store is not None:
        context.messages = await conversation_store.get_messages(conversation_id, message_limit)
    return context


class MemoryManager:
    """States and messages of conversations behind one object.

    Given stores over the checkpoint store of a `JourneyAgent`, it reads and writes that agent's conversations.

    Args:
        state_store: Where states are kept; a new one in memory when None.
        conversation_store: Where messages are kept; a new one in memory when None.
    """

    def __init__(
        self, state_store: StateStore | None = None, conversation_store: ConversationStore | None = None
    ) -> None:
        self.state_store = StateStore() if state_store is None else state_store
        self.conversation_store = ConversationStore() if conversation_store is None else conversation_store

    async def load_context(
        self, conversation_id: object, agent_key: str, message_limit: int | None = None
    ) -> MemoryContext:
        """The agent's state and the last messages of a conversation; see `build_memory_context`.

        Raises:
            ValueError: The limit is negative.
        """
        return await build_memory_context(
            conversation_id, agent_key, self.state_store, self.conversation_store, message_limit
        )

    async def save_state(self, conversation_id: object, agent_key: str, state: Any) -> None:
        """Put the agent's state, a dict or an object with `to_dict()`, in place of the one that is there.

        Raises:
            TypeError: It is neither, or not JSON data where the backend is a checkpoint store.
        """
        await self.state_store.save_state(conversation_id, agent_key, state)

    async def save_messages(self, conversation_id: object, messages: Iterable[Any]) -> None:
        """Append messages to those that are stored: `StoredMessage`, `AgentMessage` or dict, as they come.

        Raises:
            TypeError: One of them is no message. None was appended.
            ValueError: One of them has no role. None was appended.
        """
        await self.conversation_store.add_messages(conversation_id, messages)

    async def clear_conversation(self, conversation_id: object) -> None:
        """Remove all messages of a conversation; states stay."""
        await self.conversation_store.clear_conversation(conversation_id)

    async def delete_state(self, conversation_id: object, agent_key: str) -> None:
        """Remove the agent's state; it is no error when there is none."""
        await self.state_store.delete_state(conversation_id, agent_key)

    async def close(self) -> None:
        """Close what the two stores opened themselves, from a URL."""
        await self.state_store.close()
        await self.conversation_store.close()

    async def __aenter__(self) -> Self:
        """The manager, closed at the end of the block."""
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()
