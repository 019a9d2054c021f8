"""An engine's numbers for OpenTelemetry; nothing of it is imported or done while no such back end is configured."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from agent_runtime_core.config import get_config
from agent_runtime_core.errors import EngineError, MissingDependency
from agent_runtime_core.interfaces.run_engine import RunEngine
from agent_runtime_core.waiting import stop

if TYPE_CHECKING:
    from agent_runtime_core.tracing.run_instruments import RunInstruments

__all__ = ["EngineMetrics", "engine_metrics", "tell_end"]

_LOGGER = logging.getLogger("agent_runtime_core.engines.metrics")

_LOOK_S = 15.0
"""Seconds between two looks at the engine."""

_listening: list[RunInstruments] = []


def engine_metrics(engine: RunEngine) -> EngineMetrics | None:
    """The metrics of an engine, not started yet; None unless the tracing back end `otel` is configured.

    Raises:
        MissingDependency: OpenTelemetry is not installed.
    """
    name = get_config().tracing_backend
    return EngineMetrics(engine) if name is not None and name.strip().lower() == "otel" else None


class EngineMetrics:
    """Tells OpenTelemetry how an engine does, every 15 seconds, and of each run that ends in this process.

    Args:
        engine: The engine.
        meter_provider: Where metrics go; OpenTelemetry's global provider when None.

    Raises:
        MissingDependency: OpenTelemetry is not installed.
    """

    def __init__(self, engine: RunEngine, *, meter_provider: Any = None) -> None:
        try:
            from agent_runtime_core.tracing.run_instruments import RunInstruments
        except ImportError as error:
            raise MissingDependency(
                "opentelemetry-api is required for the metrics of an engine. Install it: "
                "pip install 'agent_runtime_core[otel]'."
            ) from error
        self._engine = engine
        self._instruments = RunInstruments(meter_provider)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to tell, in the event loop that runs."""
        _listening.append(self._instruments)
        self._task = asyncio.create_task(self._look_round())

    async def stop(self) -> None:
        """Tell nothing more."""
        task, self._task = self._task, None
        if task is not None:
            _listening.remove(self._instruments)
            await stop(task)
            self._instruments.looked(None)

    async def look(self) -> None:
        """Ask the engine now. One that cannot be reached is told nothing of."""
        try:
            self._instruments.looked(await self._engine.health())
        except EngineError as error:
            self._instruments.looked(None)
            _LOGGER.debug("The engine could not be asked how it does: %s", error)

    async def _look_round(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_S)


def tell_end(agent: str, status: str, seconds: float) -> None:
    """A run has ended in this process: whoever listens is told."""
    for instruments in _listening:
        instruments.ended(agent, status, seconds)
