"""The sink for OpenTelemetry: spans and metrics by the GenAI semantic conventions (extra `otel`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from agent_runtime_core.errors import MissingDependency
from agent_runtime_core.events import RunEvent
from agent_runtime_core.interfaces.tracing import TraceSink

try:
    from opentelemetry import context, metrics, trace
except ImportError as error:
    raise MissingDependency(
        "opentelemetry-api is required for the tracing backend otel. Install it: "
        "pip install 'agent_runtime_core[otel]'."
    ) from error

from agent_runtime_core.tracing.run_spans import Instruments, RunSpans

__all__ = ["OpenTelemetrySink"]

_SCOPE = "agent_runtime_core"
_CAPTURE_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


class OpenTelemetrySink(TraceSink):
    """A span for each run, each LLM call and each tool call, and metrics of tokens and durations.

    The application sets OpenTelemetry up (providers, processors, exporters); without that, this costs little and tells
    nobody. While a tool runs its span is the current one, so that spans that the tool makes become its children.

    Args:
        tracer_provider: Where spans go; the global provider when None.
        meter_provider: Where metrics go; the global provider when None.
        capture_content: Whether prompts, messages, arguments and results are recorded, and the messages of errors;
            keys and passwords are taken out even then, where their form is known. When None, the variable
            `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` decides (`true`); without it nothing of that is
            recorded.
    """

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        capture_content: bool | None = None,
    ) -> None:
        if capture_content is None:
            capture_content = os.environ.get(_CAPTURE_VARIABLE, "").strip().lower() == "true"
        self.capture_content = capture_content
        """Whether the conversation's text is recorded."""
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=tracer_provider)
        self._instruments = Instruments(metrics.get_meter(_SCOPE, meter_provider=meter_provider))
        self._providers = (tracer_provider, meter_provider)
        self._runs: dict[UUID, list[RunSpans]] = {}  # several when one run contains another of its id

    def start_run(self, run_id: UUID, metadata: dict[str, Any]) -> None:
        """Open the run's span, under the span that is current now."""
        run = RunSpans(self._tracer, self._instruments, run_id, metadata, capture_content=self.capture_content)
        self._runs.setdefault(run_id, []).append(run)

    def on_event(self, run_id: UUID, event: RunEvent) -> None:
        """Open or close the span that the event is about."""
        run = self._innermost(run_id)
        if run is not None:
            run.tell(event)

    def log_event(self, run_id: UUID, event_type: str, payload: dict[str, Any]) -> None:
        """Note an event of a host on the run's span: its type, and its payload only where content is captured."""
        run = self._innermost(run_id)
        if run is not None:
            run.note(event_type, payload)

    def end_run(self, run_id: UUID, outcome: str, metadata: dict[str, Any] | None = None) -> None:
        """Close the run's span, and what is still open under it."""
        runs = self._runs.get(run_id)
        if runs:
            run = runs.pop()
            if not runs:
                del self._runs[run_id]
            run.end(outcome)

    @contextmanager
    def current(self, run_id: UUID) -> Iterator[None]:
        """Make the innermost open span of the run the current one."""
        run = self._innermost(run_id)
        if run is None:
            yield
            return
        token = context.attach(trace.set_span_in_context(run.innermost))
        try:
            yield
        finally:
            context.detach(token)

    def _innermost(self, run_id: UUID) -> RunSpans | None:
        runs = self._runs.get(run_id)
        return runs[-1] if runs else None

    def flush(self) -> None:
        """Have the providers send what is still waiting."""
        tracer_provider, meter_provider = self._providers
        for provider in (
            tracer_provider or trace.get_tracer_provider(),
            meter_provider or metrics.get_meter_provider(),
        ):
            force_flush = getattr(provider, "force_flush", None)  # the API's own providers have nothing to send
            if force_flush is not None:
                force_flush()
