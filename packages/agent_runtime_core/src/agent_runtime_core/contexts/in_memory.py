"""A run whose events and state live as long as its context."""

from __future__ import annotations

from typing import Any, Unpack
from uuid import UUID

from agent_runtime_core.contexts.local import LocalRunContext, RunOptions
from agent_runtime_core.stores.json_data import check_json_object, checked_copy, fresh_copy

__all__ = ["InMemoryRunContext"]


class InMemoryRunContext(LocalRunContext):
    """A run in memory, for one process and for tests.

    Args:
        run_id: Names the run; a new UUID when None. Texts are accepted, too.
        **options: What else the run gets, as in `RunOptions`.
    """

    def __init__(self, run_id: UUID | str | None = None, **options: Unpack[RunOptions]) -> None:
        super().__init__(run_id, **options)
        self._events: list[dict[str, Any]] = []
        self._state: dict[str, Any] | None = None

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events so far, in a new list: `{"event_type": str, "payload": dict, "timestamp": str}`."""
        return list(self._events)

    def clear_events(self) -> None:
        """Forget the events so far."""
        self._events.clear()

    async def checkpoint(self, state: dict[str, Any]) -> None:
        """Keep a copy of this state for the run; the last one counts.

        Raises:
            TypeError: It is no dict of JSON data; the text says where and why. The state before is kept.
        """
        check_json_object(state, "the state")
        self._state = checked_copy(state, "the state")

    async def get_state(self) -> dict[str, Any] | None:
        """A copy of the last state that was kept, or None."""
        return None if self._state is None else fresh_copy(self._state)

    async def _keep_event(self, event: dict[str, Any]) -> None:
        self._events.append(event)
