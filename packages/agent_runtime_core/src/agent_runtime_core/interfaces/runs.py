"""A run as an engine knows it: what was asked for, how it stands, what it came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

__all__ = ["EngineHealth", "RunEnd", "RunInfo", "RunRequest", "RunStatus"]


class RunStatus(StrEnum):
    """Where a run stands."""

    SCHEDULED = "scheduled"
    """Its time has not come."""
    QUEUED = "queued"
    """It waits for the runs before it, or for a worker."""
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    PARKED = "parked"
    """It has ended its workers again and again, and is left alone until somebody says `retry`."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it by itself."""
        return self not in _UNDER_WAY


_UNDER_WAY = frozenset({RunStatus.SCHEDULED, RunStatus.QUEUED, RunStatus.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What an engine is asked to run. All of it is JSON data."""

    run_id: str
    """Names the run. Whoever submits the same id again gets the first run."""
    agent_key: str
    """Who does it."""
    order_key: str
    """Runs of one key go one at a time, in the order in which they were submitted; a conversation, as a rule."""
    input: dict[str, Any] = field(default_factory=dict)
    """What the work is given."""
    max_attempts: int = 1
    """How often it is tried when it fails in a way that may pass. A process that dies is no failed attempt."""
    timeout_s: float | None = None
    """Seconds that one attempt may take; None for no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """What a run came to, as the work says it."""

    result: dict[str, Any] = field(default_factory=dict)
    """JSON data."""
    status: RunStatus = RunStatus.SUCCEEDED
    """`SUCCEEDED`, or `CANCELLED` when the work was asked to stop and did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """How a run stands."""

    request: RunRequest
    status: RunStatus
    submitted_at: datetime
    due_at: datetime | None = None
    """For a scheduled run: when it is to begin."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempts: int = 0
    """How often it was begun, by whatever process."""
    result: dict[str, Any] | None = None
    """What the work gave; None while the run is under way, and when it failed."""
    error: dict[str, Any] | None = None
    """Why it did not succeed: `{"type": str, "message": str, "retriable": bool}`."""
    is_cancel_requested: bool = False
    """Whether somebody has asked it to stop."""
    worker: str = ""
    """The process that has it, or had it last; empty when the engine does not tell them apart."""

    @property
    def run_id(self) -> str:
        """Names the run."""
        return self.request.run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineHealth:
    """How an engine is doing, over all processes."""

    scheduled: int
    queued: int
    running: int
    parked: int
    workers: int
    """Processes that take part in the work and are alive."""
    oldest_queued_s: float
    """How long the run has waited that has waited longest, in seconds; 0.0 when none waits."""
