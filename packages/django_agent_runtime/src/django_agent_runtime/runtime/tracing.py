"""Where runs are traced to: the sink that the settings name."""

from __future__ import annotations

from agent_runtime_core.tracing import NoopTraceSink, TraceSink
from agent_runtime_core.tracing import get_trace_sink as get_core_sink
from django_agent_runtime.conf import runtime_settings

__all__ = ["NoopTraceSink", "TraceSink", "get_trace_sink"]


def get_trace_sink() -> TraceSink:
    """A new sink: `TRACING_BACKEND`, else the environment's `AGENT_RUNTIME_TRACING_BACKEND`, else one without effect.

    Raises:
        ConfigError: There is no such back end, or its package is not installed.
    """
    return get_core_sink(runtime_settings().TRACING_BACKEND)
