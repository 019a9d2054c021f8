"""The sink that traces nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from agent_runtime_core.events import RunEvent
from agent_runtime_core.interfaces.tracing import TraceSink

__all__ = ["NoopTraceSink"]


class NoopTraceSink(TraceSink):
    """Traces nothing. A framework's run that gets it is not even listened to."""

    def start_run(self, run_id: UUID, metadata: dict[str, Any]) -> None:
        """Nothing."""

    def log_event(self, run_id: UUID, event_type: str, payload: dict[str, Any]) -> None:
        """Nothing."""

    def end_run(self, run_id: UUID, outcome: str, metadata: dict[str, Any] | None = None) -> None:
        """Nothing."""

    def on_event(self, run_id: UUID, event: RunEvent) -> None:
        """Nothing, without a look at the event."""
