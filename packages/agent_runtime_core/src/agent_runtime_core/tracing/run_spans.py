"""The spans and metrics of one run, from its events."""

from __future__ import annotations

import time
from enum import Enum
from typing import Any
from uuid import UUID

from opentelemetry.metrics import Meter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context

from agent_runtime_core.events import (
    LLMCallFinished,
    LLMCallStarted,
    RunEvent,
    RunFailed,
    RunFinished,
    RunStarted,
    StepChanged,
    ToolCallFinished,
    ToolCallStarted,
)
from agent_runtime_core.redaction import without_secrets
from agent_runtime_core.tokens import read_tokens
from agent_runtime_core.tracing import gen_ai

__all__ = ["Instruments", "RunSpans"]


_FAILURES = ("failed", "timed_out")


class Instruments:
    """The two metrics of the conventions for a client.

    Args:
        meter: Makes them.
    """

    def __init__(self, meter: Meter) -> None:
        self.tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=gen_ai.TOKEN_BUCKETS,
        )
        """Tokens of each LLM call."""
        self.duration = meter.create_histogram(
            "gen_ai.client.operation.duration",
            unit="s",
            description="GenAI operation duration.",
            explicit_bucket_boundaries_advisory=gen_ai.DURATION_BUCKETS,
        )
        """Seconds of each LLM call."""


class RunSpans:
    """One run: its span, and at most one open span below it, because a run does one thing at a time.

    Args:
        tracer: Makes the spans.
        instruments: The metrics.
        run_id: Names the run.
        metadata: `agent` and `conversation_id`.
        capture_content: Whether the conversation's text is recorded.
    """

    def __init__(
        self,
        tracer: Tracer,
        instruments: Instruments,
        run_id: UUID,
        metadata: dict[str, Any],
        *,
        capture_content: bool,
    ) -> None:
        self._tracer = tracer
        self._instruments = instruments
        self._capture_content = capture_content
        agent, conversation_id = metadata.get("agent"), metadata.get("conversation_id")
        self._shared: dict[str, Any] = {}  # on every span
        if conversation_id is not None:
            self._shared[gen_ai.CONVERSATION_ID] = str(conversation_id)
        if agent:
            self._shared[gen_ai.JOURNEY_AGENT] = agent
        attributes = {gen_ai.OPERATION: "invoke_agent", "journey.run_id": str(run_id), **self._shared}
        if agent:
            attributes[gen_ai.AGENT_NAME] = agent
        self._run = tracer.start_span(f"invoke_agent {agent}" if agent else "invoke_agent", attributes=attributes)
        self._below = set_span_in_context(self._run)
        self._open: Span | None = None
        self._call: dict[str, Any] | None = None  # the metrics' attributes while the model is asked
        self._since = 0.0
        self._has_told_its_end = False

    @property
    def innermost(self) -> Span:
        """The span of what the run is doing now."""
        return self._open or self._run

    def tell(self, event: RunEvent) -> None:
        """Take up one event."""
        match event:
            case RunStarted():
                self._run.set_attributes(self._at_step(event.step))
            case StepChanged():
                before = self._shared.get(gen_ai.JOURNEY_STEP, "")
                now = self._at_step(event.to_step)[gen_ai.JOURNEY_STEP]
                self._run.add_event("journey.step_changed", {"journey.step.from": before, "journey.step.to": now})
            case LLMCallStarted():
                self._ask(event)
            case LLMCallFinished():
                self._answered(event)
            case ToolCallStarted():
                self._use_tool(event)
            case ToolCallFinished():
                self._tool_used(event)
            case RunFinished():
                self._has_told_its_end = True
                self._run.set_attribute("journey.stopped_reason", event.reason)
                self._run.set_attributes(_usage(event.usage))
                if event.cost is not None:
                    self._run.set_attribute("journey.cost", float(event.cost))
                self._close(error_type="timeout")  # a call that a limit of time has cut off has no end of its own
            case RunFailed():
                self._has_told_its_end = True
                self._fail(event.error)

    def note(self, name: str, payload: dict[str, Any]) -> None:
        """Note an event of a host on the run's span."""
        attributes = {"payload": gen_ai.content_text(payload)} if self._capture_content else {}
        self._run.add_event(name, attributes)

    def end(self, outcome: str) -> None:
        """The run is over."""
        self._close(error_type=outcome)
        self._run.set_attribute("journey.outcome", outcome)
        if outcome in _FAILURES and not self._has_told_its_end:
            self._run.set_attribute(gen_ai.ERROR_TYPE, outcome)
            self._run.set_status(Status(StatusCode.ERROR, outcome))
        self._run.end()

    def _at_step(self, step: Any) -> dict[str, Any]:
        """Remember the step for the spans to come."""
        attributes = {gen_ai.JOURNEY_STEP: str(step.value if isinstance(step, Enum) else step)}
        self._shared.update(attributes)
        return attributes

    def _begin(self, name: str, kind: SpanKind, attributes: dict[str, Any]) -> Span:
        self._open = self._tracer.start_span(
            name, context=self._below, kind=kind, attributes={**attributes, **self._shared}
        )
        return self._open

    def _ask(self, event: LLMCallStarted) -> None:
        self._call = {gen_ai.OPERATION: "chat", gen_ai.PROVIDER: gen_ai.provider_name(event.provider)}
        if event.model:
            self._call[gen_ai.REQUEST_MODEL] = event.model
        span = self._begin(f"chat {event.model}" if event.model else "chat", SpanKind.CLIENT, self._call)
        if self._capture_content:
            span.set_attribute(gen_ai.INPUT_MESSAGES, gen_ai.messages_text(event.messages))
        self._since = time.perf_counter()

    def _answered(self, event: LLMCallFinished) -> None:
        span, call = self._open, self._call
        if span is None or call is None:
            return
        if event.model:
            call[gen_ai.RESPONSE_MODEL] = event.model
            span.set_attribute(gen_ai.RESPONSE_MODEL, event.model)
        if event.finish_reason:
            span.set_attribute(gen_ai.FINISH_REASONS, [event.finish_reason])
        if event.cost is not None:
            span.set_attribute("journey.cost", float(event.cost))
        span.set_attributes(_usage(event.usage))
        counts = read_tokens(event.usage)
        for kind, count in (("input", counts.input), ("output", counts.output)):
            if count is not None:
                self._instruments.tokens.record(count, {**call, gen_ai.TOKEN_TYPE: kind}, set_span_in_context(span))
        if self._capture_content:
            span.set_attribute(gen_ai.OUTPUT_MESSAGES, gen_ai.messages_text([event.message], event.finish_reason or ""))
        self._close()

    def _use_tool(self, event: ToolCallStarted) -> None:
        call = event.call
        attributes = {
            gen_ai.OPERATION: "execute_tool",
            gen_ai.TOOL_NAME: call.wire_name,
            gen_ai.TOOL_TYPE: "function",
            gen_ai.TOOL_CALL_ID: call.id,
        }
        span = self._begin(f"execute_tool {call.wire_name}", SpanKind.INTERNAL, attributes)
        if self._capture_content:
            span.set_attribute(gen_ai.TOOL_ARGUMENTS, gen_ai.content_text(call.arguments))

    def _tool_used(self, event: ToolCallFinished) -> None:
        outcome, span = event.outcome, self._open
        if span is None:
            return
        if self._capture_content:
            span.set_attribute(gen_ai.TOOL_RESULT, without_secrets(outcome.content))
        self._close(error_type=None if outcome.status == "ok" else outcome.status)

    def _fail(self, error: Exception) -> None:
        """Record what broke the run: on the run's span, and on that of what it was doing."""
        name = type(error).__name__
        for span in {self._run, self.innermost}:
            # Only the type: a message, and the errors behind it, may quote the prompt, and even a key.
            attributes = {"exception.type": f"{type(error).__module__}.{type(error).__qualname__}"}
            if self._capture_content:
                attributes["exception.message"] = without_secrets(str(error))
            span.add_event("exception", attributes)
        self._run.set_attribute(gen_ai.ERROR_TYPE, name)
        self._run.set_status(Status(StatusCode.ERROR, name))
        self._close(error_type=name)

    def _close(self, *, error_type: str | None = None) -> None:
        """End the open span, if there is one; a call to the model is measured."""
        span, call = self._open, self._call
        self._open = self._call = None
        if span is None:
            return
        if error_type is not None:
            span.set_attribute(gen_ai.ERROR_TYPE, error_type)
            span.set_status(Status(StatusCode.ERROR, error_type))
        if call is not None:
            if error_type is not None:
                call[gen_ai.ERROR_TYPE] = error_type
            self._instruments.duration.record(time.perf_counter() - self._since, call, set_span_in_context(span))
        span.end()


def _usage(usage: Any) -> dict[str, int]:
    """Token counts as attributes."""
    counts = read_tokens(usage)
    attributes: dict[str, int] = {}
    if counts.input is not None:
        attributes["gen_ai.usage.input_tokens"] = counts.input
    if counts.output is not None:
        attributes["gen_ai.usage.output_tokens"] = counts.output
    if counts.cache_read:
        attributes["gen_ai.usage.cache_read.input_tokens"] = counts.cache_read
    if counts.cache_write:
        attributes["gen_ai.usage.cache_creation.input_tokens"] = counts.cache_write
    if counts.reasoning:
        attributes["gen_ai.usage.reasoning.output_tokens"] = counts.reasoning
    return attributes
