"""From a tracing back end's name to its sink; OpenTelemetry is only imported when it is asked for."""

from __future__ import annotations

from typing import Any

from agent_runtime_core.config import get_config
from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces.tracing import TraceSink
from agent_runtime_core.tracing.noop import NoopTraceSink

__all__ = ["get_trace_sink"]

_LANGFUSE = (
    "Langfuse has no tracing backend of its own here: it reads OpenTelemetry. Use the backend otel and send its "
    "spans to https://<your Langfuse>/api/public/otel; docs/observability.md shows how."
)


def get_trace_sink(backend: str | None = None, **kwargs: Any) -> TraceSink:
    """A new sink.

    Args:
        backend: `noop` or `otel`. When None, `get_config().tracing_backend` (`AGENT_RUNTIME_TRACING_BACKEND`), and
            `noop` when that is None, too.
        **kwargs: Handed to the sink; `otel` takes those of `OpenTelemetrySink`, `noop` takes none.

    Raises:
        ConfigError: There is no such back end, or the package `opentelemetry` is missing.
    """
    name = backend or get_config().tracing_backend or "noop"
    match name.strip().lower():
        case "noop":
            if kwargs:
                raise ConfigError(f"The tracing backend noop takes no options, not {', '.join(sorted(kwargs))}")
            return NoopTraceSink()
        case "otel":
            from agent_runtime_core.tracing.opentelemetry import OpenTelemetrySink

            return OpenTelemetrySink(**kwargs)
        case "langfuse":
            raise ConfigError(_LANGFUSE)
        case _:
            where = "" if backend else " It is the configured one: AGENT_RUNTIME_TRACING_BACKEND."
            raise ConfigError(f"Unknown tracing backend: {name}. Supported: noop, otel.{where}")
