"""A conversation as it was at one moment, and what a store tells of conversations without reading them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent_runtime_core.messages import MessageDict

__all__ = ["Checkpoint", "ConversationInfo", "Removal", "StoreInfo", "VersionInfo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A conversation as it was at one moment. The reader owns it: changing it changes nothing stored."""

    version: int = 0
    """Counts the commits of this conversation; 0 when nothing is stored."""
    state: dict[str, Any] | None = None
    """The state of the agent that was asked for, or None."""
    state_version: int = 0
    """The journey's version that the state was written with; 0 where none was given."""
    messages: list[MessageDict] = field(default_factory=list)
    """The last messages, oldest first; as many as were asked for."""
    message_count: int = 0
    """All stored messages, also those that were not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationInfo:
    """What a store tells of a conversation without reading it."""

    conversation_id: str
    """Names it, among those of its owner."""
    owner: str
    """Whose it is; `""` where no owner was given."""
    version: int
    """Counts its commits."""
    message_count: int
    """How many messages are stored."""
    agent_keys: tuple[str, ...]
    """The agents that have a state in it, sorted."""
    created_at: datetime
    """When it began, UTC."""
    updated_at: datetime
    """When it was last written to, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionInfo:
    """One commit of a conversation."""

    version: int
    """The version that the commit made."""
    message_count: int
    """How many messages the conversation had then."""
    committed_at: datetime
    """When, UTC."""
    agent_keys: tuple[str, ...]
    """The agents whose state was written or removed with it, sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What was removed. False in a condition when there was nothing."""

    conversations: int = 0
    """Conversations."""
    messages: int = 0
    """Messages of their histories."""
    states: int = 0
    """Agents' states; the older versions of one state count as one with it."""
    waiting: int = 0
    """Messages that waited for a run."""

    def __bool__(self) -> bool:
        return bool(self.conversations or self.messages or self.states or self.waiting)

    def __add__(self, other: Removal) -> Removal:
        return Removal(
            conversations=self.conversations + other.conversations,
            messages=self.messages + other.messages,
            states=self.states + other.states,
            waiting=self.waiting + other.waiting,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreInfo:
    """How much a store holds."""

    backend: str
    """`memory`, `sqlite`, `postgresql` or `redis`; another store gives its own name."""
    conversations: int
    """How many conversations."""
    messages: int
    """How many messages in all of them."""
    size_bytes: int | None
    """What they take up, with everything around them; None where the store cannot tell."""
    schema: str = ""
    """The version of the tables; empty where there are none."""
