"""The metrics of an engine: what waits, what is on, and how runs have ended."""

from __future__ import annotations

from collections.abc import Iterable

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation, get_meter

from agent_runtime_core.interfaces.runs import EngineHealth

__all__ = ["RunInstruments"]

_SCOPE = "agent_runtime_core"
_AGENT = "journey.agent"
_STATUS = "agent_runtime.run.status"
_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)


class RunInstruments:
    """Tells OpenTelemetry of runs; a meter without a provider tells nobody.

    Args:
        meter_provider: Where metrics go; the global provider when None.
    """

    def __init__(self, meter_provider: MeterProvider | None = None) -> None:
        meter = get_meter(_SCOPE, meter_provider=meter_provider)
        self._health: EngineHealth | None = None
        self._ended = meter.create_counter(
            "agent_runtime.run.ended", unit="{run}", description="Runs that have ended in this process."
        )
        self._duration = meter.create_histogram(
            "agent_runtime.run.duration",
            unit="s",
            description="From the begin of a run in this process to its end, with the pauses between attempts.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        meter.create_observable_gauge(
            "agent_runtime.runs", [self._runs], unit="{run}", description="Runs of the engine that are not over."
        )
        meter.create_observable_gauge(
            "agent_runtime.runs.oldest_queued",
            [self._oldest],
            unit="s",
            description="How long the run has waited that has waited longest.",
        )
        meter.create_observable_gauge(
            "agent_runtime.workers", [self._workers], unit="{process}", description="Workers that are alive."
        )

    def ended(self, agent: str, status: str, seconds: float) -> None:
        """A run has ended in this process."""
        attributes = {_AGENT: agent, _STATUS: status}
        self._ended.add(1, attributes)
        self._duration.record(seconds, attributes)

    def looked(self, health: EngineHealth | None) -> None:
        """The engine was asked how it does; None when it could not be reached: then nothing is told of it."""
        self._health = health

    def _runs(self, options: CallbackOptions) -> Iterable[Observation]:
        if self._health is None:
            return []
        names = ("scheduled", "queued", "running", "parked")
        return [Observation(getattr(self._health, name), {_STATUS: name}) for name in names]

    def _oldest(self, options: CallbackOptions) -> Iterable[Observation]:
        return [] if self._health is None else [Observation(self._health.oldest_queued_s)]

    def _workers(self, options: CallbackOptions) -> Iterable[Observation]:
        return [] if self._health is None else [Observation(self._health.workers)]
