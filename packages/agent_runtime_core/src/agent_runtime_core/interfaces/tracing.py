"""Where a run is traced to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any
from uuid import UUID

__all__ = ["TraceSink"]


class TraceSink(ABC):
    """Gets every run's beginning, events and end. Its methods must not raise: no run breaks on its trace."""

    @abstractmethod
    def start_run(self, run_id: UUID, metadata: dict[str, Any]) -> None:
        """A run begins."""

    @abstractmethod
    def log_event(self, run_id: UUID, event_type: str, payload: dict[str, Any]) -> None:
        """Something happened in it."""

    @abstractmethod
    def end_run(self, run_id: UUID, outcome: str, metadata: dict[str, Any] | None = None) -> None:
        """It has ended; the outcome is `succeeded`, `failed`, `cancelled` or `timed_out`."""

    def flush(self) -> None:
        """Send what is still waiting; a sink that waits with nothing needs nothing here."""
        return None
