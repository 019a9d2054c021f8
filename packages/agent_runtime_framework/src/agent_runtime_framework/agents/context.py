"""What a run gets and what it gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from agent_runtime_core.interfaces.checkpoint import Checkpoint
from agent_runtime_core.messages import AgentMessage, MessageDict
from agent_runtime_framework.tools.notes import JourneyNotes

__all__ = ["AgentContext", "AgentResult", "KeepsStates", "checked_owner"]


class KeepsStates(Protocol):
    """The part of a `CheckpointStore` that a run needs for its state."""

    async def load(
        self, conversation_id: str, agent_key: str, *, max_messages: int | None = None, owner: str = ""
    ) -> Checkpoint:
        """Read the conversation; see `CheckpointStore.load`."""
        ...

    async def commit(
        self,
        conversation_id: str,
        agent_key: str,
        *,
        expected_version: int | None,
        state: dict[str, Any] | None = None,
        state_version: int = 0,
        messages: Sequence[MessageDict] = (),
        lease: int | None = None,
        finish: dict[str, Any] | None = None,
        owner: str = "",
    ) -> int:
        """Write the state, and return the new version; see `CheckpointStore.commit`."""
        ...


@dataclass
class AgentContext:
    """One request to an agent: whose conversation it is, and its messages up to now."""

    run_id: UUID
    """Names this run."""
    conversation_id: UUID | str | None
    """Names the conversation; a journey's state is kept under it. None keeps nothing."""
    input_messages: list[AgentMessage]
    """The conversation, the user's new message last. Plain dicts are accepted, too."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Notes of the application; never sent to a model."""
    owner: str = ""
    """Whose conversation it is, such as a user's or a tenant's id: under another owner the same conversation id is
    another conversation. Not for the model."""
    checkpoint: Checkpoint | None = field(default=None, init=False, repr=False, compare=False)
    """What the default `load_state` has read: the version that the run's commits build on."""

    notes: JourneyNotes = field(default_factory=JourneyNotes, init=False, repr=False, compare=False)
    """What the framework remembers of the journey beside its state."""

    _cancelled: bool = field(default=False, init=False, repr=False, compare=False)

    def cancel(self) -> None:
        """Take the request back: a run that is on ends before its next LLM call, with the reason `cancelled`.

        Its state is saved as it is then. (To stop at once, cancel the task that runs it: then nothing more is saved.)
        """
        self._cancelled = True

    def cancelled(self) -> bool:
        """Whether the request was taken back."""
        return self._cancelled

    def _kept_in(self, store: KeepsStates) -> KeepsStates:
        """Where the state of this request is read and written: in the agent's store, unless a host keeps it."""
        return store

    def wire_messages(self) -> list[MessageDict]:
        """The messages as they go over the wire."""
        try:
            return [message.to_dict() for message in self.input_messages]
        except AttributeError:  # plain dicts among them
            return [_as_message(message).to_dict() for message in self.input_messages]

    def get_user_message(self) -> str | None:
        """The content of the last user message that is a text, or None."""
        for message in map(_as_message, reversed(self.input_messages)):
            if message.role == "user" and isinstance(message.content, str):
                return message.content
        return None


def _as_message(message: Any) -> AgentMessage:
    return message if isinstance(message, AgentMessage) else AgentMessage.from_dict(message)


@dataclass
class AgentResult:
    """What a run came to."""

    response: str
    """What to show to the user."""
    messages: list[AgentMessage] = field(default_factory=list)
    """The assistant and tool messages of this run, in order."""
    state: dict[str, Any] | Any = None
    """The journey's state after the run, as a dict."""
    usage: dict[str, int] | None = None
    """Token counts, summed over the run; None when no model was asked because the user said goodbye."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """`stopped_reason`: why the run ended; `tool_calls_made`: how many tool calls it took up; `cost`: US dollars as
    text, where costs are counted and the price of every call is known."""


def checked_owner(owner: UUID | str) -> str:
    """The owner as a text.

    Raises:
        TypeError: It is neither a text nor a UUID.
    """
    if isinstance(owner, str):
        return owner
    if isinstance(owner, UUID):
        return str(owner)
    raise TypeError(f"owner is {owner!r:.100}; give a text or a UUID, or leave it out where there are no owners")
