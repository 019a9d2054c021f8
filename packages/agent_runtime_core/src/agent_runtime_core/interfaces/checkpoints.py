"""What a store of conversations is: one version counter, an append-only history, one state per agent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from agent_runtime_core.messages import MessageDict

__all__ = ["Checkpoint", "CheckpointStore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A conversation as it was at one moment. The reader owns it: changing it changes nothing stored."""

    version: int = 0
    """Counts the commits of this conversation; 0 when nothing is stored."""
    state: dict[str, Any] | None = None
    """The state of the agent that was asked for, or None."""
    messages: list[MessageDict] = field(default_factory=list)
    """The last messages, oldest first; as many as were asked for."""
    message_count: int = 0
    """All stored messages, also those that were not asked for."""


class CheckpointStore(Protocol):
    """Keeps conversations: messages and, for each agent that takes part, its state.

    A conversation has one version, which every write raises by one. Values are JSON data (dicts with text keys,
    lists, texts, numbers, booleans, None); what is read back equals what was written and shares nothing with it.
    Ids are any non-empty texts. All methods may be called from several tasks, and from different event loops one
    after the other. `agent_runtime_core.testing.CheckpointStoreContract` is this text as tests.
    """

    async def load(self, conversation_id: str, agent_key: str, *, max_messages: int | None = None) -> Checkpoint:
        """Read version, state and the last `max_messages` messages (None: all), all of one moment.

        Nothing stored gives `Checkpoint()`. The time it takes depends on the messages asked for, not on those stored.

        Raises:
            StoreUnavailable: The store cannot be read.
        """
        ...

    async def commit(
        self,
        conversation_id: str,
        agent_key: str,
        *,
        expected_version: int | None,
        state: dict[str, Any] | None = None,
        messages: Sequence[MessageDict] = (),
    ) -> int:
        """Append the messages and set the agent's state, both or neither, and return the new version.

        Args:
            conversation_id: The conversation.
            agent_key: Whose state it is.
            expected_version: The version that was read; None writes whatever is there.
            state: The agent's new state; None leaves the stored one.
            messages: Messages to append; stored ones are never rewritten.

        Raises:
            StoreConflict: The stored version is another; nothing was written.
            TypeError: A value is not JSON data; nothing was written.
            StoreUnavailable: The store cannot be written; nothing was written.
        """
        ...

    async def history(self, conversation_id: str, *, start: int = 0, limit: int | None = None) -> list[MessageDict]:
        """The stored messages from position `start` (the first is 0), oldest first, at most `limit`.

        Raises:
            StoreUnavailable: The store cannot be read.
        """
        ...

    async def delete_state(self, conversation_id: str, agent_key: str) -> bool:
        """Remove one agent's state and say whether there was one. Raises the version when there was.

        Raises:
            StoreUnavailable: The store cannot be written.
        """
        ...

    async def delete_messages(self, conversation_id: str) -> int:
        """Remove all messages, keep the states, and return how many there were. Raises the version when there were any.

        Raises:
            StoreUnavailable: The store cannot be written.
        """
        ...

    async def delete(self, conversation_id: str) -> bool:
        """Remove the conversation with all that belongs to it, and say whether there was one.

        Raises:
            StoreUnavailable: The store cannot be written.
        """
        ...

    async def close(self) -> None:
        """Free connections and threads; a second call does nothing. A store is an async context manager, too."""
        ...
