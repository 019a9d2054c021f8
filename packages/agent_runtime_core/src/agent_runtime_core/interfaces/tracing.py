"""Where a run is traced to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from uuid import UUID

from agent_runtime_core.events import RunEvent

__all__ = ["TraceSink"]


class TraceSink(ABC):
    """Gets every run's beginning, events and end.

    Its methods should return at once and not raise. What one raises is logged: no run breaks on its trace.
    """

    @abstractmethod
    def start_run(self, run_id: UUID, metadata: dict[str, Any]) -> None:
        """A run begins; the metadata of a framework's run are `agent` and `conversation_id`, texts or None."""

    @abstractmethod
    def log_event(self, run_id: UUID, event_type: str, payload: dict[str, Any]) -> None:
        """Something happened in it. The payload may hold the conversation's text."""

    @abstractmethod
    def end_run(self, run_id: UUID, outcome: str, metadata: dict[str, Any] | None = None) -> None:
        """It has ended; the outcome is `succeeded`, `failed`, `cancelled` or `timed_out`."""

    def on_event(self, run_id: UUID, event: RunEvent) -> None:
        """A typed event of the run; by default its `kind` and its `to_dict()` go to `log_event`."""
        self.log_event(run_id, event.kind, event.to_dict())

    def current(self, run_id: UUID) -> AbstractContextManager[object]:
        """Entered whenever the run works (waits for its model, runs a tool), left whenever it tells an event.

        A sink sets here what belongs to the run's own task, such as the current span. Nothing by default.
        """
        return nullcontext()

    def flush(self) -> None:
        """Send what is still waiting; a sink that waits with nothing needs nothing here."""
        return None
