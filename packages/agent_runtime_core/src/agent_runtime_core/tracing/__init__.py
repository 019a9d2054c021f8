"""Tracing: where runs are traced to. OpenTelemetry's sink is in `agent_runtime_core.tracing.opentelemetry`."""

from agent_runtime_core.interfaces.tracing import TraceSink
from agent_runtime_core.tracing.noop import NoopTraceSink
from agent_runtime_core.tracing.registry import get_trace_sink

__all__ = ["NoopTraceSink", "TraceSink", "get_trace_sink"]
