"""What became of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agent_runtime_core.interfaces.runs import RunStatus
from agent_runtime_core.interfaces.runtime import ErrorInfo, RunResult

__all__ = ["RunOutcome", "RunStatus"]


@dataclass(kw_only=True)
class RunOutcome(RunResult):
    """The result of a run, and how it has ended.

    A run that did not succeed has an `error`. It may have a result nevertheless: what the agent returned when it was
    interrupted.
    """

    run_id: Any
    """The run."""
    status: RunStatus = RunStatus.SUCCEEDED
    """How it has ended."""
    error: ErrorInfo | None = None
    """Why it did not succeed; None when it did."""
    exception: BaseException | None = field(default=None, repr=False)
    """What the agent raised in the last attempt, with its traceback."""
    attempts: int = 1
    """How often the agent was run."""
