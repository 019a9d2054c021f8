"""Which run a log record belongs to."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from typing import Any
from uuid import UUID

from agent_runtime_core.events import RunEvent, RunStarted, StepChanged
from agent_runtime_core.interfaces.tracing import TraceSink

__all__ = ["RUN_FIELDS", "RunIdsFilter", "RunIdsSink", "follow_runs", "run_ids", "run_ids_sink"]

RUN_FIELDS = ("run_id", "conversation_id", "agent", "step")
"""The attributes that records get; each is a text, or None outside a run."""

_NONE: dict[str, str | None] = dict.fromkeys(RUN_FIELDS)
_current: ContextVar[dict[str, str | None]] = ContextVar("agent_runtime_core.logs.run", default=_NONE)


class RunIdsSink(TraceSink):
    """Knows the runs that are under way, and sets the one that works now as the present one."""

    def __init__(self) -> None:
        self._runs: dict[UUID, list[dict[str, str | None]]] = {}  # several when one run contains another of its id

    def start_run(self, run_id: UUID, metadata: dict[str, Any]) -> None:
        """Remember the run's ids."""
        known = {name: metadata.get(name) for name in RUN_FIELDS}
        self._runs.setdefault(run_id, []).append({**known, "run_id": str(run_id)})

    def on_event(self, run_id: UUID, event: RunEvent) -> None:
        """Remember the step."""
        runs = self._runs.get(run_id)
        if runs and isinstance(event, (RunStarted, StepChanged)):
            step = event.step if isinstance(event, RunStarted) else event.to_step
            runs[-1]["step"] = str(step.value if isinstance(step, Enum) else step)

    def log_event(self, run_id: UUID, event_type: str, payload: dict[str, Any]) -> None:
        """Nothing: events of hosts change no id."""

    def end_run(self, run_id: UUID, outcome: str, metadata: dict[str, Any] | None = None) -> None:
        """Forget the run."""
        runs = self._runs.get(run_id)
        if runs:
            runs.pop()
            if not runs:
                del self._runs[run_id]

    @contextmanager
    def current(self, run_id: UUID) -> Iterator[None]:
        """Records that are made inside belong to the run."""
        runs = self._runs.get(run_id)
        token = _current.set(runs[-1] if runs else _NONE)
        try:
            yield
        finally:
            _current.reset(token)


class RunIdsFilter(logging.Filter):
    """Puts the ids of the present run on each record; lets all pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Set `run_id`, `conversation_id`, `agent` and `step`, unless the caller has given them as extras."""
        for name, value in _current.get().items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


_sink: RunIdsSink | None = None


def follow_runs(wanted: bool) -> None:
    """Say whether somebody reads the ids; runs that begin from now on are followed, or not."""
    global _sink
    _sink = RunIdsSink() if wanted else None


def run_ids_sink() -> TraceSink | None:
    """The sink that follows runs for the log; None while logging is not configured, so that runs cost nothing more."""
    return _sink


@contextmanager
def run_ids(run_id: str, agent: str, conversation_id: object = None) -> Iterator[None]:
    """Records that are made inside belong to this run, where the caller's code is not that of a traced agent."""
    if _sink is None:
        yield
        return
    known = {"run_id": run_id, "agent": agent}
    if conversation_id is not None:
        known["conversation_id"] = str(conversation_id)
    token = _current.set({**_NONE, **known})
    try:
        yield
    finally:
        _current.reset(token)
