"""What a history policy gets of a conversation that a run has taken."""

from __future__ import annotations

from typing import Any

from agent_runtime_core.messages import MessageDict
from agent_runtime_framework.agents.context import AgentContext
from agent_runtime_framework.agents.conversation import ConversationLog
from agent_runtime_framework.agents.routing_trace import without_routing

__all__ = ["RunHistory"]


class RunHistory:
    """The end of a stored conversation; the run holds its lease.

    Args:
        log: Reads and writes the conversation.
        ctx: The request; its checkpoint has been read.
        lease: The run's token.
    """

    def __init__(self, log: ConversationLog, ctx: AgentContext, lease: int) -> None:
        assert ctx.checkpoint is not None
        self._log = log
        self._ctx = ctx
        self._lease = lease
        self.conversation_id = str(ctx.conversation_id)
        """Names the conversation."""
        self.messages = ctx.checkpoint.messages
        """The last messages."""
        self.first = ctx.checkpoint.message_count - len(self.messages)
        """Which one of the conversation the first of them is."""

    @property
    def _note_key(self) -> str:
        return f"{self._log.agent_key}:history"

    async def read(self, start: int, stop: int) -> list[MessageDict]:
        """The stored messages from position `start` to before `stop`, those left out that are about routing."""
        stored = await self._log.store.history(
            self.conversation_id, start=start, limit=max(0, stop - start), owner=self._ctx.owner
        )
        return without_routing(stored)

    async def load_note(self) -> dict[str, Any] | None:
        """What a policy has noted of this conversation: the state of an agent named after this one."""
        noted = await self._log.store.load(self.conversation_id, self._note_key, max_messages=0, owner=self._ctx.owner)
        return noted.state

    async def save_note(self, note: dict[str, Any]) -> None:
        """Note something of this conversation."""
        await self._log.note(self._ctx, self._note_key, note, lease=self._lease)
