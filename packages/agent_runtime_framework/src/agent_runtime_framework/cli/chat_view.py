"""What a chat tells whoever shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent_runtime_core.events import RunEvent
from agent_runtime_core.messages import AgentMessage
from agent_runtime_framework.cli.step_line import StepLine
from agent_runtime_framework.tools.approval import Approval

__all__ = ["ChatOpening", "ChatView"]


@dataclass(frozen=True, kw_only=True)
class ChatOpening:
    """What is known before the first message."""

    agent_key: str
    conversation_id: str
    saved_in: str | None
    """Where the conversation is kept, in words; None when it is gone with this process."""
    reopen: str | None
    """The command line that opens it again; None when nothing can."""
    history: Sequence[AgentMessage]
    """What was said in it before."""
    offline: bool
    """Whether the rules answer, and no model."""
    expected: bool
    """Whether the user named this conversation, and so expects to find it."""


class ChatView:
    """Shows a chat; a method that is not overridden shows nothing."""

    takes_commands = True
    """Whether a line such as `/help` is for the chat; if not, it goes to the agent like any other."""

    def opened(self, opening: ChatOpening, steps: StepLine) -> None:
        """The conversation is there, new or resumed; `steps` is one object that moves with the journey."""

    def heard(self, text: str) -> None:
        """The user has said something."""

    def happened(self, event: RunEvent) -> None:
        """An event of the run."""

    def settled(self, *, moved: bool, arrived: bool) -> None:
        """The run is over.

        Args:
            moved: Whether the journey stands elsewhere than the events told.
            arrived: Whether this run has completed the journey.
        """

    def waits(self, approval: Approval) -> None:
        """A tool call waits for a person, and nobody is here to answer."""

    def interrupted(self) -> None:
        """The run was cancelled."""

    def failed(self, error: Exception) -> None:
        """The run, or a look at the conversation, has failed."""

    def helped(self, commands: dict[str, str]) -> None:
        """The user asked what can be typed."""

    def looked(self, state: dict[str, Any]) -> None:
        """The user asked for the collected state."""

    def closed(self, *, kept: bool) -> None:
        """The chat is over. `kept`: there is a conversation to come back to."""
