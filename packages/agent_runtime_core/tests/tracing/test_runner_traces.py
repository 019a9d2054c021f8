"""What a trace and the log say of the runs of an `AgentRunner`, whatever its agent is made of."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agent_runtime_core import AgentRunner, AgentRuntime, RunContext, RunnerConfig, RunResult, TraceSink
from agent_runtime_core.logs import configure_logging, reset_logging
from agent_runtime_core.tracing.opentelemetry import OpenTelemetrySink


class Shop(AgentRuntime):
    """An agent of nobody's framework."""

    key = "shop"

    def __init__(self, work: Any) -> None:
        self.work = work

    async def run(self, ctx: RunContext) -> RunResult:
        await ctx.emit("stock.counted", {"apples": 3})
        await self.work()
        return RunResult()


async def nothing() -> None:
    """An easy day."""


async def failure() -> None:
    raise ValueError("no apples")


async def forever() -> None:
    await asyncio.Event().wait()


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    yield exporter
    exporter.shutdown()


def sink(exporter: InMemorySpanExporter) -> OpenTelemetrySink:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return OpenTelemetrySink(tracer_provider=provider)


def run_span(exporter: InMemorySpanExporter) -> ReadableSpan:
    (found,) = exporter.get_finished_spans()
    return found


@pytest.mark.parametrize(
    ("work", "outcome"),
    [(nothing, "succeeded"), (failure, "failed"), (forever, "timed_out")],
    ids=["succeeded", "failed", "timed_out"],
)
async def test_a_run_is_a_span_that_says_how_it_has_ended(
    exporter: InMemorySpanExporter, work: Any, outcome: str
) -> None:
    runner = AgentRunner(RunnerConfig(max_retries=0, run_timeout_seconds=0.05), trace=sink(exporter))

    await runner.execute(Shop(work), input_data={"conversation_id": "c-1"})

    span = run_span(exporter)
    attributes = dict(span.attributes or {})
    assert span.name == "invoke_agent shop"
    assert (attributes["gen_ai.conversation.id"], attributes["journey.outcome"]) == ("c-1", outcome)
    assert attributes.get("error.type") == (None if outcome == "succeeded" else outcome)
    assert span.status.status_code.name == ("UNSET" if outcome == "succeeded" else "ERROR")
    assert "stock.counted" in [event.name for event in span.events]


async def test_a_caller_that_is_cancelled_leaves_no_span_open(exporter: InMemorySpanExporter) -> None:
    # Given
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        await forever()

    run = asyncio.create_task(AgentRunner(trace=sink(exporter)).execute(Shop(work)))
    await begun.wait()

    # When
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run

    # Then
    assert (run_span(exporter).attributes or {})["journey.outcome"] == "cancelled"


async def test_the_span_is_the_current_one_while_the_agent_works(exporter: InMemorySpanExporter) -> None:
    seen: list[Any] = []

    async def look() -> None:
        seen.append(trace.get_current_span().get_span_context())

    await AgentRunner(trace=sink(exporter)).execute(Shop(look))

    assert seen == [run_span(exporter).context]
    assert trace.get_current_span() is trace.INVALID_SPAN


async def test_log_records_of_an_agent_say_which_run_they_belong_to() -> None:
    # Given
    stream, run_id = io.StringIO(), uuid4()

    async def work() -> None:
        logging.getLogger("shop").warning("out of apples")

    # When
    level = logging.getLogger("agent_runtime_core").level
    configure_logging(json=True, stream=stream)
    try:
        await AgentRunner().execute(Shop(work), run_id, {"conversation_id": "c-1"})
    finally:
        reset_logging()
        logging.getLogger("agent_runtime_core").setLevel(level)
        logging.getLogger("agent_runtime_framework").setLevel(level)

    # Then
    (record,) = [data for data in map(json.loads, stream.getvalue().splitlines()) if data["logger"] == "shop"]
    assert (record["run_id"], record["conversation_id"], record["agent"]) == (str(run_id), "c-1", "shop")


class Broken(TraceSink):
    """A sink all of whose methods raise."""

    def start_run(self, run_id: UUID, metadata: dict[str, Any]) -> None:
        raise RuntimeError("full")

    def log_event(self, run_id: UUID, event_type: str, payload: dict[str, Any]) -> None:
        raise RuntimeError("full")

    def end_run(self, run_id: UUID, outcome: str, metadata: dict[str, Any] | None = None) -> None:
        raise RuntimeError("full")

    def current(self, run_id: UUID) -> Any:
        raise RuntimeError("full")


async def test_a_sink_that_raises_breaks_no_run() -> None:
    outcome = await AgentRunner(trace=Broken()).execute(Shop(nothing))

    assert outcome.status == "succeeded"
