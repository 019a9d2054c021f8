"""What OpenTelemetry is told of an engine; and that nothing of it happens unless somebody wants it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from io import StringIO
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from agent_runtime_core.config import configure, reset_config
from agent_runtime_core.engines import (
    DurableContext,
    EngineMetrics,
    InProcessRunEngine,
    RunEnd,
    RunRequest,
    engine_metrics,
)
from agent_runtime_core.errors import EngineUnavailable
from agent_runtime_core.logs import configure_logging, reset_logging


class Unreachable(InProcessRunEngine):
    async def health(self) -> Any:
        raise EngineUnavailable("the engine cannot be reached")


def request(name: str, key: str = "c1") -> RunRequest:
    return RunRequest(run_id=name, agent_key="clerk", order_key=key, input={"conversation_id": key})


async def work(ctx: DurableContext) -> RunEnd:
    if ctx.request.run_id.startswith("bad"):
        raise ValueError("it cannot be done")
    return RunEnd()


def points(reader: InMemoryMetricReader) -> dict[str, list[Any]]:
    """The data points that are there, by metric."""
    found: dict[str, list[Any]] = {}
    data = reader.get_metrics_data()
    for resource in [] if data is None else data.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                found[metric.name] = list(metric.data.data_points)
    return found


async def test_runs_that_end_are_counted_by_agent_and_status() -> None:
    reader = InMemoryMetricReader()
    engine = InProcessRunEngine(retry_pause_s=0.001)
    metrics = EngineMetrics(engine, meter_provider=MeterProvider([reader]))
    metrics.start()
    await engine.start(work)
    for name in ("good-1", "bad-1", "good-2"):
        await engine.submit(request(name))
        await engine.wait(name)

    found = points(reader)
    await metrics.stop()
    await engine.submit(request("good-3"))
    await engine.wait("good-3")
    after = points(reader)
    await engine.close()

    counted = {point.attributes["agent_runtime.run.status"]: point.value for point in found["agent_runtime.run.ended"]}
    assert counted == {"succeeded": 2, "failed": 1}
    assert {point.attributes["journey.agent"] for point in found["agent_runtime.run.duration"]} == {"clerk"}
    assert sum(point.count for point in found["agent_runtime.run.duration"]) == 3
    assert sum(point.value for point in after["agent_runtime.run.ended"]) == 3  # it was told to stop


async def test_what_waits_is_told_over_all_processes() -> None:
    reader = InMemoryMetricReader()
    engine = InProcessRunEngine()
    metrics = EngineMetrics(engine, meter_provider=MeterProvider([reader]))
    for name in ("a", "b"):
        await engine.submit(request(name, key=name))
    assert "agent_runtime.runs" not in points(reader)

    await metrics.look()
    found = points(reader)
    await engine.close()

    waiting = {point.attributes["agent_runtime.run.status"]: point.value for point in found["agent_runtime.runs"]}
    assert waiting == {"scheduled": 0, "queued": 2, "running": 0, "parked": 0}
    assert found["agent_runtime.workers"][0].value == 0
    assert found["agent_runtime.runs.oldest_queued"][0].value > 0


async def test_of_an_engine_out_of_reach_nothing_is_told() -> None:
    reader = InMemoryMetricReader()
    metrics = EngineMetrics(Unreachable(), meter_provider=MeterProvider([reader]))

    await metrics.look()

    assert "agent_runtime.runs" not in points(reader)


def test_nothing_is_metered_unless_opentelemetry_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGENT_RUNTIME_TRACING_BACKEND", raising=False)
    reset_config()
    try:
        assert engine_metrics(InProcessRunEngine()) is None
        configure(tracing_backend="otel")
        assert isinstance(engine_metrics(InProcessRunEngine()), EngineMetrics)
    finally:
        reset_config()


def test_the_engine_does_not_import_opentelemetry() -> None:
    program = "import sys, agent_runtime_core.engines; sys.exit('opentelemetry' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


async def test_the_log_of_a_worker_says_which_run_it_is_about() -> None:
    stream = StringIO()
    engine = InProcessRunEngine()
    configure_logging(json=True, stream=stream)
    try:
        await engine.start(work)
        await engine.submit(request("bad-1"))
        await engine.wait("bad-1")
        logging.getLogger("agent_runtime_core").warning("outside")
    finally:
        reset_logging()
        await engine.close()

    inside, outside = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (inside["run_id"], inside["conversation_id"], inside["agent"]) == ("bad-1", "c1", "clerk")
    assert "cannot be done" not in stream.getvalue()
    assert "run_id" not in outside
