"""Agents that can say whether they still read what they have stored."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Protocol, runtime_checkable

from agent_runtime_core.interfaces import CheckpointStore

__all__ = ["ChecksStates", "StateCheck"]


class StateCheck(Protocol):
    """What would become of one stored state under the present code. Nothing in it was said in the conversation."""

    conversation_id: str
    owner: str
    outcome: str
    """`fits`, `migrates`, `pinned`, `restarts` or `fails`."""
    state_version: int
    step: str | None
    reason: str


@runtime_checkable
class ChecksStates(Protocol):
    """An agent that `manage.py agent_check_journeys` can ask."""

    def check_states(self, store: CheckpointStore) -> AsyncGenerator[Any, None]:
        """A `StateCheck` of each of its stored states. Nothing is written."""
        ...
