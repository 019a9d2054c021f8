"""A workflow step, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from agent_runtime_core.errors import ConfigError

__all__ = ["Step", "StepResult", "StepStatus"]


class StepStatus(StrEnum):
    """Where a workflow step stands."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


@dataclass
class Step:
    """One piece of work in a workflow.

    Raises:
        ConfigError: A value that cannot work; the text names it.
    """

    name: str
    """Names it among the steps of its workflow; a checkpoint knows it by this name."""
    fn: Callable[..., Any]
    """`async fn(ctx, state)`: does the work and returns JSON data. `state` is the workflow's dict, shared by all steps.
    After a crash it may be called again, so it should notice work that it has done already. A function that is not
    async holds the event loop up, and cannot be interrupted."""
    retries: int = 0
    """How often it is tried again when it raises or takes too long."""
    retry_delay: float = 1.0
    """Seconds between two attempts."""
    timeout: float | None = None
    """Seconds that one attempt may take; None for any time."""
    description: str | None = None
    """What it does, for those who watch the progress."""
    checkpoint: bool = True
    """Whether the execution is saved when it is done. Without, it is saved with the next step that is."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ConfigError(f"a step's name must be a text that is not empty, not {self.name!r}")
        if not callable(self.fn):
            raise ConfigError(f"step {self.name!r}: fn must be an async function of (ctx, state), not {self.fn!r}")
        if self.retries < 0:
            raise ConfigError(f"step {self.name!r}: retries must be 0 or more, not {self.retries}")
        if not self.retry_delay >= 0:
            raise ConfigError(f"step {self.name!r}: retry_delay must be 0 seconds or more, not {self.retry_delay}")
        if self.timeout is not None and not self.timeout > 0:
            raise ConfigError(f"step {self.name!r}: timeout must be more than 0 seconds, not {self.timeout}")


@dataclass
class StepResult:
    """What became of a workflow step."""

    name: str
    """The step."""
    status: StepStatus
    """How it ended."""
    result: Any = None
    """What it returned, as JSON data."""
    error: str | None = None
    """Why it failed."""
    attempts: int = 1
    """How often it was tried in this execution; 0 when it was skipped or never begun."""
    started_at: datetime | None = None
    """When its first attempt began, in UTC."""
    completed_at: datetime | None = None
    """When it ended, in UTC."""
    duration_ms: float | None = None
    """How long it took, all attempts and the waits between them included."""
