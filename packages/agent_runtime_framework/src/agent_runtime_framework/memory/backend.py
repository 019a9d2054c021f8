"""What the typed stores need of a backend, and how each kind of backend is brought to give it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces.checkpoint_store import CheckpointStore
from agent_runtime_core.messages import MessageDict
from agent_runtime_framework.memory.checkpoint_backend import CheckpointBackend
from agent_runtime_framework.memory.key_value import InMemoryStore, MemoryStore
from agent_runtime_framework.memory.key_value_backend import KeyValueBackend

__all__ = ["AnyBackend", "Backend", "open_backend"]

AnyBackend = MemoryStore[Any] | CheckpointStore | str
"""What the typed stores take: a key/value store, a store of conversations, or such a store's URL."""


class Backend(Protocol):
    """States and messages of conversations. What goes in and comes out is shared with nobody."""

    async def load_state(self, conversation_id: str, agent_key: str) -> dict[str, Any] | None:
        """The state of an agent, or None."""
        ...

    async def save_state(self, conversation_id: str, agent_key: str, state: dict[str, Any]) -> None:
        """Put the agent's state in place of the one that is there."""
        ...

    async def delete_state(self, conversation_id: str, agent_key: str) -> None:
        """Remove the agent's state, if there is one."""
        ...

    async def last_messages(self, conversation_id: str, limit: int | None) -> list[MessageDict]:
        """The last `limit` messages (at least 1; None: all), oldest first."""
        ...

    async def append_messages(self, conversation_id: str, messages: Sequence[MessageDict]) -> None:
        """Add messages behind those that are there; concurrent calls lose nothing."""
        ...

    async def delete_messages(self, conversation_id: str) -> None:
        """Remove all messages of a conversation."""
        ...

    async def get(self, key: str) -> Any:
        """What is stored under a raw key: a state as a dict, messages as a list of dicts, or None."""
        ...

    async def set(self, key: str, value: dict[str, Any] | list[MessageDict]) -> None:
        """Put a state or a list of messages under a raw key."""
        ...

    async def delete(self, key: str) -> None:
        """Remove what is stored under a raw key."""
        ...

    async def close(self) -> None:
        """Free what was opened for this backend."""
        ...


def open_backend(given: AnyBackend | None) -> Backend:
    """Bring any backend to the form that the typed stores need; a new one in memory for None.

    Raises:
        ConfigError: It is none of the kinds that are known, or a URL that leads to no store.
    """
    if given is None:
        return KeyValueBackend(InMemoryStore())
    if isinstance(given, str):
        from agent_runtime_core.stores import open_store  # here, because most stores are opened elsewhere

        return CheckpointBackend(open_store(given), owned=True)
    if _has(given, "load", "commit", "history", "delete_state", "delete_messages"):
        return CheckpointBackend(cast(CheckpointStore, given), owned=False)
    if _has(given, "get", "set", "delete"):
        return KeyValueBackend(cast("MemoryStore[Any]", given))
    raise ConfigError(
        f"backend is a {type(given).__name__}; give a MemoryStore, a CheckpointStore, "
        f"or the URL of a store such as 'sqlite:///journeys.db'."
    )


def _has(given: object, *methods: str) -> bool:
    return not isinstance(given, type) and all(callable(getattr(given, name, None)) for name in methods)
