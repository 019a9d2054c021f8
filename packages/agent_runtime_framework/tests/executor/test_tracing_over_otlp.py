"""What a back end receives over the wire: OpenTelemetry's own exporter sends it, a server on this machine reads it."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_core.tracing import get_trace_sink


class Receiver(ThreadingHTTPServer):
    """A back end that keeps what it is sent: path, headers and body of each request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Kept)
        self.received: list[tuple[str, dict[str, str], bytes]] = []


class _Kept(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.received.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        thread = Thread(target=receiver.serve_forever)
        thread.start()
        yield receiver
        receiver.shutdown()
        thread.join()


@pytest.mark.parametrize("compression", ["none", "gzip"])
async def test_a_back_end_gets_the_spans_and_metrics_of_a_run(
    signup: SimpleNamespace, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, compression: str
) -> None:
    # Given: an application that is set up by the variables of docs/observability.md, as for Langfuse
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{receiver.server_port}/api/public/otel")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Basic cGstbGY6c2stbGY=")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
    tracers = TracerProvider(resource=Resource({"service.name": "onboarding"}))
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())])
    sink = get_trace_sink("otel", tracer_provider=tracers, meter_provider=meters)
    llm = ScriptedLLM([tool_call_reply("save_name", name="Ada"), "And your age?"])

    # When
    await signup.Agent(llm, trace=sink).send("c-1", "I am Ada")
    await asyncio.to_thread(sink.flush)

    # Then: everything is there, in one trace, with the keys of the project in the header
    sent = {path: (headers, body) for path, headers, body in receiver.received}
    assert set(sent) == {"/api/public/otel/v1/traces", "/api/public/otel/v1/metrics"}
    headers, body = sent["/api/public/otel/v1/traces"]
    assert headers["authorization"] == "Basic cGstbGY6c2stbGY="
    assert headers["content-type"] == "application/x-protobuf"
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    assert values(resource.resource.attributes)["service.name"] == "onboarding"
    (scope,) = resource.scope_spans
    assert scope.scope.name == "agent_runtime_core"
    spans = sorted(scope.spans, key=lambda span: span.start_time_unix_nano)
    assert [(span.name, values(span.attributes)["journey.step"]) for span in spans] == [
        ("invoke_agent signup", "name"),
        ("chat", "name"),
        ("execute_tool save_name", "name"),
        ("chat", "age"),
    ]
    assert {span.trace_id for span in spans} == {spans[0].trace_id}
    assert [span.parent_span_id for span in spans] == [b"", *[spans[0].span_id] * 3]
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in spans)
    assert values(spans[1].attributes)["gen_ai.usage.input_tokens"] == 10

    (resource_metrics,) = ExportMetricsServiceRequest.FromString(
        sent["/api/public/otel/v1/metrics"][1]
    ).resource_metrics
    found = {metric.name: metric for metric in resource_metrics.scope_metrics[0].metrics}
    assert {name: metric.unit for name, metric in found.items()} == {
        "gen_ai.client.token.usage": "{token}",
        "gen_ai.client.operation.duration": "s",
    }
    points = found["gen_ai.client.token.usage"].histogram.data_points
    assert {values(point.attributes)["gen_ai.token.type"]: point.sum for point in points} == {"input": 20, "output": 40}

    await asyncio.to_thread(tracers.shutdown)
    await asyncio.to_thread(meters.shutdown)


def values(attributes: Any) -> dict[str, Any]:
    """Attributes as they are on the wire, as a dict."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
