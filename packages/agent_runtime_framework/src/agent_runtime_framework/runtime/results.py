"""What a run on an engine came to, as its caller and its readers get it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from agent_runtime_core.errors import EngineError
from agent_runtime_core.events import RunFinished
from agent_runtime_core.interfaces.runs import RunInfo, RunStatus

__all__ = ["RunNotSucceeded", "finished_run", "last_event"]


class RunNotSucceeded(EngineError):
    """A run has ended without an answer: it failed, timed out, was cancelled before it began, or is parked.

    Args:
        info: How it stands.
    """

    def __init__(self, info: RunInfo) -> None:
        error = info.error or {}
        why = f": {error.get('type')}: {error.get('message')}".rstrip(".") if error else ""
        super().__init__(
            f"run {info.run_id!r} of agent {info.request.agent_key!r} is {info.status.value}{why}. What it had "
            f"committed stays; retry it to do the rest."
        )
        self.info = info
        """How it stands."""


def finished_run(result: dict[str, Any]) -> RunFinished:
    """A run's last event, as its result tells it."""
    fields = {name: value for name, value in result.items() if name != "kind"}
    if fields.get("cost") is not None:
        fields["cost"] = Decimal(fields["cost"])
    return RunFinished(**fields)


def last_event(info: RunInfo) -> dict[str, Any]:
    """How a run has ended, as its last event."""
    if info.result is not None:
        return info.result if "kind" in info.result else {"kind": "run_finished", "result": info.result}
    if info.status is RunStatus.CANCELLED:
        return {"kind": "run_cancelled"}
    error = info.error or {}
    return {
        "kind": "run_failed",
        "error": error.get("type", info.status.value),
        "message": error.get("message", ""),
        "status": info.status.value,
    }
