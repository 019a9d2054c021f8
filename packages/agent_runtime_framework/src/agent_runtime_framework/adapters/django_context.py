"""What an adapter needs of a host's run, and what it gives back; `django_agent_runtime` has both."""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID

from agent_runtime_core.interfaces import RunResult
from agent_runtime_core.messages import MessageDict

__all__ = ["DjangoRunContext", "DjangoRunResult", "DjangoStateStore", "RunResultImpl"]

RunResultImpl = RunResult


class DjangoRunContext(Protocol):
    """A run as its host hands it to an adapter. Every `RunContext` of the core is one."""

    @property
    def run_id(self) -> UUID:
        """The run."""
        ...

    @property
    def conversation_id(self) -> UUID | None:
        """The conversation that it belongs to, if any."""
        ...

    @property
    def input_messages(self) -> list[MessageDict]:
        """The conversation up to the user's last message."""
        ...

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of this run; `"stream": true` asks for the text while it is written."""
        ...

    @property
    def metadata(self) -> dict[str, Any]:
        """Notes of the host."""
        ...

    async def emit(self, event_type: str, payload: dict[str, Any]) -> None:
        """Pass an event on to whoever follows the run."""
        ...

    async def emit_user_message(self, content: str) -> None:
        """Show a text to the user. A context without it gets an `assistant.message` by `emit`."""
        ...

    async def checkpoint(self, state: dict[str, Any]) -> None:
        """Keep this state; the last one counts."""
        ...

    async def get_state(self) -> dict[str, Any] | None:
        """The state that the run begins with: kept by an earlier try of it, or by the conversation's run before.

        `{}` says that there is none. None says that the host does not know beyond this run: then the adapter goes on
        with what it remembers of the conversation.
        """
        ...

    def cancelled(self) -> bool:
        """Whether somebody has asked the run to stop."""
        ...


class DjangoRunResult(Protocol):
    """What a run gives back to its host."""

    final_output: dict[str, Any]
    """The answer; `response` holds the text for the user."""
    final_messages: list[MessageDict]
    """The messages that the run has added to the conversation."""
    usage: dict[str, Any]
    """Token counts, summed over the run."""
    artifacts: dict[str, Any]
    """Whatever else the run has made, by name."""


class DjangoStateStore:
    """The state of one run, in its host's checkpoints.

    Args:
        ctx: The run.
        agent_key: Whose state it is.
    """

    def __init__(self, ctx: DjangoRunContext, agent_key: str) -> None:
        self.ctx = ctx
        self.agent_key = agent_key
        self._known: dict[str, Any] | None = None

    async def load(self) -> dict[str, Any] | None:
        """The last state, or None; the host is not asked again once it has given one."""
        if not self._known:
            self._known = await self.ctx.get_state()
        return self._known

    async def save(self, state: dict[str, Any]) -> None:
        """Keep a state."""
        self._known = state
        await self.ctx.checkpoint(state)
