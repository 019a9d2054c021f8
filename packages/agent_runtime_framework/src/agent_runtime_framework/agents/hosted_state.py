"""The state of a journey whose conversation a host keeps."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent_runtime_core.interfaces import Checkpoint, RunContext
from agent_runtime_core.messages import MessageDict
from agent_runtime_framework.tools.notes import NOTES_KEY

if TYPE_CHECKING:
    from agent_runtime_framework.agents.kept_conversations import KeptConversations

__all__ = ["HostedState"]

_LOGGER = logging.getLogger("agent_runtime_framework.agents.hosted_state")

_VERSION = "version"
"""Where a kept state tells its journey's version, among the journey's notes; one of version 1 does not."""


class HostedState:
    """A state in its host's checkpoints, and in the agent's memory for hosts whose checkpoints end with the run.

    What the host knows goes first: only when its `get_state()` gives None is the memory asked. A host that keeps
    states from run to run, and knows that there is none, gives `{}`.

    Args:
        agent: The agent; it was given no store.
        host: The host's context.
    """

    def __init__(self, agent: KeptConversations[Any], host: RunContext) -> None:
        self._agent = agent
        self._host = host

    async def load(
        self, conversation_id: str, agent_key: str, *, max_messages: int | None = None, owner: str = ""
    ) -> Checkpoint:
        """The state; there are no messages here."""
        data = await self._host.get_state()
        if data is None and self._host.conversation_id is not None:
            known = await self._agent.store.load(conversation_id, agent_key, max_messages=0, owner=owner)
            return Checkpoint(state=known.state, state_version=known.state_version)
        if not data:
            return Checkpoint()
        notes = data.get(NOTES_KEY)
        version = notes.get(_VERSION) if isinstance(notes, Mapping) else None
        return Checkpoint(state=dict(data), state_version=version if isinstance(version, int) else 0)

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
        """Nothing yet: the state is kept with the end of the run, see `keep`."""
        return 0

    async def keep(self, data: dict[str, Any], version: int) -> None:
        """Keep the state at the end of a run.

        Args:
            data: The state, with the journey's notes.
            version: The journey's version that gave it.
        """
        kept = data if version == 1 else {**data, NOTES_KEY: {**data.get(NOTES_KEY, {}), _VERSION: version}}
        await self._host.checkpoint(kept)
        if self._host.conversation_id is None:
            return
        try:
            await self._agent.store.commit(
                str(self._host.conversation_id),
                self._agent.key,
                expected_version=None,  # the host says what runs together; the last one counts, as in its checkpoints
                state=data,
                state_version=version,
            )
        except TypeError as error:
            _LOGGER.warning("The state of %s is no JSON data: its host keeps it, the memory does not", self._agent.key)
            _LOGGER.debug("State not kept", exc_info=error)
