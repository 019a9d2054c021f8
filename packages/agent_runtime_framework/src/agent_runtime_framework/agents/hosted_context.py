"""A host's run as the context that an agent works on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agent_runtime_core.interfaces import RunContext
from agent_runtime_framework.agents.context import KeepsStates
from agent_runtime_framework.agents.kept_context import KeptContext

__all__ = ["HostedContext"]


class HostedContext(KeptContext):
    """The request of a run that a host has made.

    A run without a conversation is one of its own: it goes by the run's id.

    Args:
        host: The host's context.
        messages: The conversation, where it is the host that keeps it.
        states: Where the state is, when that is not the agent's store.
    """

    def __init__(self, host: RunContext, messages: Iterable[Any] = (), states: KeepsStates | None = None) -> None:
        conversation_id = host.run_id if host.conversation_id is None else host.conversation_id
        super().__init__(host.run_id, conversation_id, list(messages), metadata=dict(host.metadata or {}))
        self.host = host
        """The host's context: its `params`, its events."""
        self._states = states

    def cancelled(self) -> bool:
        """Whether the request was taken back, here or at the host."""
        return super().cancelled() or bool(self.host.cancelled())

    def _kept_in(self, store: KeepsStates) -> KeepsStates:
        return store if self._states is None else self._states
