"""Tracing a run: its events go to sinks, and what it does happens inside their scopes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack
from uuid import UUID

from agent_runtime_core.config import get_config
from agent_runtime_core.events import RunEvent, RunFailed, RunFinished
from agent_runtime_core.interfaces.tracing import TraceSink
from agent_runtime_core.logs import run_ids_sink
from agent_runtime_core.tracing import NoopTraceSink, get_trace_sink
from agent_runtime_core.tracing.watch import Watch

__all__ = ["Tracing", "traced"]

_OUTCOMES = {"cancelled": "cancelled", "limit:seconds": "timed_out"}


class Tracing:
    """Who listens to the runs of one agent or executor.

    Args:
        trace: The sink that was handed in; None for the configured one, looked up at the first run.
    """

    __slots__ = ("_found", "_sink")

    def __init__(self, trace: TraceSink | None) -> None:
        self._sink = trace
        self._found = False  # nothing is looked up before it is needed

    def sinks(self) -> Sequence[TraceSink]:
        """The sinks of a run that begins now; empty when nobody listens, and then a run costs what it did without.

        Raises:
            ConfigError: The configured back end does not exist or is not installed.
        """
        if not self._found:
            if self._sink is None and get_config().tracing_backend is not None:
                self._sink = get_trace_sink()
            if isinstance(self._sink, NoopTraceSink):
                self._sink = None
            self._found = True
        ids = run_ids_sink()
        if self._sink is None:
            return () if ids is None else (ids,)
        return (self._sink,) if ids is None else (ids, self._sink)


async def traced(
    events: AsyncGenerator[RunEvent, None],
    sinks: Sequence[TraceSink],
    run_id: UUID,
    agent: str | None = None,
    conversation_id: UUID | str | None = None,
) -> AsyncGenerator[RunEvent, None]:
    """The same events, told to the sinks on their way.

    The run only works while its next event is waited for. So the scopes of the sinks are entered for each wait and left
    before the event is passed on: tools and clients work inside them, the reader of the events never does.
    """
    watches = [Watch(sink, run_id) for sink in sinks]
    metadata = {"agent": agent, "conversation_id": None if conversation_id is None else str(conversation_id)}
    for watch in watches:
        watch.tell("start_run", metadata)
    outcome = "cancelled"
    try:
        while True:
            with ExitStack() as scopes:
                for watch in watches:
                    scopes.enter_context(watch.scope())
                try:
                    event = await anext(events)
                except StopAsyncIteration:
                    break
            for watch in watches:
                watch.tell("on_event", event)
            if isinstance(event, RunFinished):
                outcome = _OUTCOMES.get(event.reason, "succeeded")
            elif isinstance(event, RunFailed):
                outcome = "failed"
            yield event
    finally:
        try:
            with ExitStack() as scopes:
                for watch in watches:
                    scopes.enter_context(watch.scope())
                await events.aclose()
        finally:
            for watch in watches:
                watch.tell("end_run", outcome)
