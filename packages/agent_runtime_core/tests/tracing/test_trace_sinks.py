"""Choosing where runs are traced to."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agent_runtime_core.config import configure, reset_config
from agent_runtime_core.errors import ConfigError, MissingDependency
from agent_runtime_core.tracing import NoopTraceSink, TraceSink, get_trace_sink
from agent_runtime_core.tracing.opentelemetry import OpenTelemetrySink


@pytest.fixture(autouse=True)
def _fresh_configuration() -> Iterator[None]:
    reset_config()
    yield
    reset_config()


def test_nothing_is_traced_when_nothing_is_configured() -> None:
    sink = get_trace_sink()

    assert isinstance(sink, NoopTraceSink)
    run_id = uuid4()
    sink.start_run(run_id, {})
    sink.log_event(run_id, "anything", {})
    sink.end_run(run_id, "succeeded")
    sink.flush()


@pytest.mark.parametrize(("name", "kind"), [("noop", NoopTraceSink), ("otel", OpenTelemetrySink), ("OTEL", TraceSink)])
def test_a_backend_is_chosen_by_name(name: str, kind: type[TraceSink]) -> None:
    assert isinstance(get_trace_sink(name), kind)


def test_a_backend_is_chosen_by_the_configuration() -> None:
    configure(tracing_backend="otel")

    assert isinstance(get_trace_sink(), OpenTelemetrySink)


def test_an_unknown_backend_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="Unknown tracing backend: zipkin") as caught:
        get_trace_sink("zipkin")
    assert isinstance(caught.value, ValueError)


def test_langfuse_comes_through_opentelemetry() -> None:
    with pytest.raises(ConfigError, match=r"OpenTelemetry.*docs/observability\.md"):
        get_trace_sink("langfuse")


def test_an_option_that_does_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="noop takes no options, not capture_content"):
        get_trace_sink("noop", capture_content=True)


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given
    real_import = builtins.__import__

    def without_opentelemetry(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] == "opentelemetry":
            raise ImportError(f"No module named {name!r}")
        return real_import(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "agent_runtime_core.tracing.opentelemetry")
    monkeypatch.setattr(builtins, "__import__", without_opentelemetry)

    # Then
    with pytest.raises(MissingDependency, match=r"agent_runtime_core\[otel\]"):
        get_trace_sink("otel")


def test_events_of_a_host_are_noted_on_the_span_of_their_run() -> None:
    # Given
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    sink = OpenTelemetrySink(tracer_provider=provider)
    run_id = uuid4()

    # When
    sink.start_run(run_id, {"agent": "signup", "conversation_id": None})
    sink.log_event(run_id, "custom", {"text": "My name is Ada"})
    sink.end_run(run_id, "succeeded")
    sink.flush()

    # Then
    (span,) = exporter.get_finished_spans()
    assert span.name == "invoke_agent signup"
    assert [(event.name, dict(event.attributes or {})) for event in span.events] == [("custom", {})]
    provider.shutdown()


def test_what_belongs_to_no_known_run_is_ignored() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    sink = OpenTelemetrySink(tracer_provider=provider)

    sink.log_event(uuid4(), "custom", {})
    sink.end_run(uuid4(), "failed")
    with sink.current(uuid4()):
        sink.flush()

    assert exporter.get_finished_spans() == ()
    provider.shutdown()
