"""What OpenTelemetry gets to see of a run."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agent_runtime_core import LLMResponse, LLMStreamChunk
from agent_runtime_core.config import configure, reset_config
from agent_runtime_core.errors import ConfigError, LLMUnavailable
from agent_runtime_core.events import RunEvent
from agent_runtime_core.interfaces.tracing import TraceSink
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_core.testing.llm import ScriptedReply
from agent_runtime_core.tracing.opentelemetry import OpenTelemetrySink
from agent_runtime_framework import (
    AgentContext,
    AgentMessage,
    CallableToolExecutor,
    JourneyConfig,
    LLMExecutor,
    RunLimits,
)

SECRET = "Ada Lovelace of Marylebone"


class Backend:
    """OpenTelemetry's own memory exporters, and a look at what is in them."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader])

    def sink(self, **options: Any) -> OpenTelemetrySink:
        return OpenTelemetrySink(tracer_provider=self.tracers, meter_provider=self.meters, **options)

    @property
    def spans(self) -> list[ReadableSpan]:
        return sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def span(self, name: str) -> ReadableSpan:
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def tree(self) -> list[tuple[str, str | None]]:
        names = {span.context.span_id: span.name for span in self.spans if span.context}
        return [(span.name, names[span.parent.span_id] if span.parent else None) for span in self.spans]

    def metrics(self) -> dict[str, list[Any]]:
        data = self.reader.get_metrics_data()
        found = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics] if data else []
        return {metric.name: list(metric.data.data_points) for metric in found}


@pytest.fixture
def backend() -> Iterator[Backend]:
    backend = Backend()
    yield backend
    backend.tracers.shutdown()
    backend.meters.shutdown()


class Named(ScriptedLLM):
    """A scripted model that says whom it asks, as the vendors' clients do."""

    default_model = "gpt-4o"
    provider = "openai"


def answer(text: str) -> LLMResponse:
    usage = {"prompt_tokens": 100, "completion_tokens": 7, "cached_tokens": 64, "reasoning_tokens": 3}
    return LLMResponse({"role": "assistant", "content": text}, usage, model="gpt-4o-2024-08-06", finish_reason="stop")


async def test_a_run_is_a_tree_of_spans(signup: SimpleNamespace, backend: Backend) -> None:
    # Given
    llm = Named([tool_call_reply("explode"), tool_call_reply("save_name", name=SECRET), answer("And your age?")])
    agent = signup.Agent(llm, trace=backend.sink())

    # When
    await agent.send("c-1", f"I am {SECRET}")

    # Then
    run = "invoke_agent signup"
    assert backend.tree() == [
        (run, None),
        ("chat gpt-4o", run),
        ("execute_tool explode", run),
        ("chat gpt-4o", run),
        ("execute_tool save_name", run),
        ("chat gpt-4o", run),
    ]
    kinds = {span.name.split()[0]: span.kind.name for span in backend.spans}
    assert kinds == {"invoke_agent": "INTERNAL", "chat": "CLIENT", "execute_tool": "INTERNAL"}


async def test_spans_carry_the_names_of_the_conventions_and_of_the_journey(
    signup: SimpleNamespace, backend: Backend
) -> None:
    # Given
    llm = Named([tool_call_reply("save_name", name="Ada"), answer("And your age?")])

    # When
    await signup.Agent(llm, trace=backend.sink()).send("c-1", "I am Ada")

    # Then
    everywhere = {"gen_ai.conversation.id": "c-1", "journey.agent": "signup"}
    run, _, tool, chat = backend.spans
    assert run.attributes is not None
    UUID(str(run.attributes["journey.run_id"]))
    assert {name: value for name, value in run.attributes.items() if name != "journey.run_id"} == {
        **everywhere,
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "signup",
        "journey.step": "name",
        "journey.stopped_reason": "text_response",
        "journey.outcome": "succeeded",
        "gen_ai.usage.input_tokens": 110,
        "gen_ai.usage.output_tokens": 27,
        "gen_ai.usage.cache_read.input_tokens": 64,
        "gen_ai.usage.reasoning.output_tokens": 3,
    }
    assert dict(tool.attributes or {}) == {
        **everywhere,
        "journey.step": "name",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "save_name",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "call_1_save_name",
    }
    assert dict(chat.attributes or {}) == {
        **everywhere,
        "journey.step": "age",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 64,
        "gen_ai.usage.reasoning.output_tokens": 3,
    }
    (moved,) = run.events
    assert (moved.name, dict(moved.attributes or {})) == (
        "journey.step_changed",
        {"journey.step.from": "name", "journey.step.to": "age"},
    )


async def test_a_tool_that_fails_is_an_error_without_the_words_of_its_exception(
    signup: SimpleNamespace, backend: Backend
) -> None:
    await signup.Agent(Named([tool_call_reply("explode"), "Sorry."]), trace=backend.sink()).send("c-1", "Hi")

    tool = backend.span("execute_tool explode")
    assert tool.status.status_code.name == "ERROR"
    assert (tool.attributes or {})["error.type"] == "failed"
    assert "backend is down" not in tool.to_json()
    assert backend.span("invoke_agent signup").status.status_code.name == "UNSET"


async def test_no_word_of_the_conversation_is_recorded_unless_it_is_asked_for(
    signup: SimpleNamespace, backend: Backend
) -> None:
    script: list[ScriptedReply] = [tool_call_reply("save_name", name=SECRET), f"Welcome, {SECRET}."]

    await signup.Agent(Named(script), trace=backend.sink()).send("c-1", f"I am {SECRET}")

    assert len(backend.spans) == 4
    assert not [span.name for span in backend.spans if SECRET in span.to_json()]
    assert not [span.name for span in backend.spans if "Ask for the name" in span.to_json()]


async def test_content_is_recorded_when_it_is_asked_for(
    signup: SimpleNamespace, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
    script: list[ScriptedReply] = [tool_call_reply("save_name", name="Ada"), "And your age?"]

    # When
    await signup.Agent(Named(script), trace=backend.sink()).send("c-1", "I am Ada")

    # Then
    _, first, tool, last = (dict(span.attributes or {}) for span in backend.spans)
    assert json.loads(str(first["gen_ai.input.messages"])) == [
        {"role": "system", "parts": [{"type": "text", "content": "Ask for the name."}]},
        {"role": "user", "parts": [{"type": "text", "content": "I am Ada"}]},
    ]
    (output,) = json.loads(str(first["gen_ai.output.messages"]))
    assert output["parts"] == [
        {"type": "tool_call", "id": "call_1_save_name", "name": "save_name", "arguments": {"name": "Ada"}}
    ]
    assert output["finish_reason"] == "tool_calls"
    assert (tool["gen_ai.tool.call.arguments"], tool["gen_ai.tool.call.result"]) == ('{"name": "Ada"}', "Saved Ada.")
    assert json.loads(str(last["gen_ai.input.messages"]))[-1]["parts"] == [
        {"type": "tool_call_response", "id": "call_1_save_name", "response": "Saved Ada."}
    ]


async def test_a_model_that_fails_is_an_error_of_its_call_and_of_the_run(
    signup: SimpleNamespace, backend: Backend
) -> None:
    agent = signup.Agent(Named([LLMUnavailable("no connection", provider="openai")]), trace=backend.sink())

    with pytest.raises(LLMUnavailable):
        await agent.send("c-1", "Hi")

    for span in backend.spans:
        assert span.status.status_code.name == "ERROR"
        assert (span.attributes or {})["error.type"] == "LLMUnavailable"
        assert [dict(event.attributes or {}) for event in span.events] == [
            {"exception.type": "agent_runtime_core.errors.LLMUnavailable"}
        ]
    assert (backend.span("invoke_agent signup").attributes or {})["journey.outcome"] == "failed"
    (duration,) = backend.metrics()["gen_ai.client.operation.duration"]
    assert duration.attributes["error.type"] == "LLMUnavailable"


async def test_tokens_and_durations_are_measured(signup: SimpleNamespace, backend: Backend) -> None:
    await signup.Agent(Named([answer("Hello"), answer("Hello")]), trace=backend.sink()).send("c-1", "Hi")

    metrics = backend.metrics()
    shared = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
    }
    tokens = {point.attributes["gen_ai.token.type"]: point for point in metrics["gen_ai.client.token.usage"]}
    assert {kind: point.sum for kind, point in tokens.items()} == {"input": 100, "output": 7}
    assert dict(tokens["input"].attributes) == {**shared, "gen_ai.token.type": "input"}
    assert list(tokens["input"].explicit_bounds)[:4] == [1, 4, 16, 64]
    (duration,) = metrics["gen_ai.client.operation.duration"]
    assert (duration.count, dict(duration.attributes)) == (1, shared)
    assert list(duration.explicit_bounds)[:3] == [0.01, 0.02, 0.04]


async def test_spans_of_a_tool_and_of_a_client_hang_below_theirs(signup: SimpleNamespace, backend: Backend) -> None:
    # Given: a tool and a client that trace themselves, the tool in a thread
    tracer = backend.tracers.get_tracer("theirs")

    class Traced(Named):
        async def generate(self, *args: Any, **kwargs: Any) -> LLMResponse:
            with tracer.start_as_current_span("POST"):
                return await super().generate(*args, **kwargs)

    class Agent(signup.Agent):  # type: ignore[name-defined]
        async def execute_tool(self, tools: Any, name: str, arguments: dict[str, Any], /) -> Any:
            await asyncio.to_thread(lambda: tracer.start_span("SELECT").end())
            return await super().execute_tool(tools, name, arguments)

    llm = Traced([tool_call_reply("save_name", name="Ada"), "Done."])

    # When
    with tracer.start_as_current_span("GET /chat"):
        await Agent(llm, trace=backend.sink()).send("c-1", "I am Ada")

    # Then
    assert backend.tree() == [
        ("GET /chat", None),
        ("invoke_agent signup", "GET /chat"),
        ("chat gpt-4o", "invoke_agent signup"),
        ("POST", "chat gpt-4o"),
        ("execute_tool save_name", "invoke_agent signup"),
        ("SELECT", "execute_tool save_name"),
        ("chat gpt-4o", "invoke_agent signup"),
        ("POST", "chat gpt-4o"),
    ]


async def test_the_reader_of_a_stream_is_never_inside_the_run(signup: SimpleNamespace, backend: Backend) -> None:
    agent = signup.Agent(Named([tool_call_reply("save_name", name="Ada"), "Two words"]), trace=backend.sink())

    seen = [trace.get_current_span() async for _ in agent.stream("c-1", "I am Ada")]

    assert set(seen) == {trace.INVALID_SPAN}
    assert len(backend.spans) == 4


async def test_a_streamed_call_says_as_much_as_one_in_one_piece(signup: SimpleNamespace, backend: Backend) -> None:
    # Given: a client whose last chunk names the model, as the vendors' clients do
    class Streaming(Named):
        async def stream(self, *args: Any, **kwargs: Any) -> AsyncIterator[LLMStreamChunk]:
            async for chunk in super().stream(*args, **kwargs):
                if chunk.finish_reason:
                    chunk.model = "gpt-4o-2024-08-06"
                yield chunk

    # When
    _ = [event async for event in signup.Agent(Streaming([answer("Hi")]), trace=backend.sink()).stream("c-1", "Hi")]

    # Then
    attributes = dict(backend.span("chat gpt-4o").attributes or {})
    assert attributes["gen_ai.response.model"] == "gpt-4o-2024-08-06"
    assert attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert attributes["gen_ai.usage.input_tokens"] == 100


async def test_each_step_of_a_stream_may_be_taken_in_another_task(
    signup: SimpleNamespace, backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    events = signup.Agent(Named([tool_call_reply("note", text="x"), "Done."]), trace=backend.sink()).stream("c", "Hi")

    # When
    with caplog.at_level(logging.WARNING):
        while True:
            try:
                await asyncio.create_task(anext(events))
            except StopAsyncIteration:
                break

    # Then
    assert [name for name, _ in backend.tree()][0::2] == ["invoke_agent signup", "execute_tool note"]
    assert caplog.records == []


async def test_a_stream_that_is_left_early_ends_its_spans(signup: SimpleNamespace, backend: Backend) -> None:
    async with aclosing(signup.Agent(Named(["One two three"]), trace=backend.sink()).stream("c-1", "Hi")) as events:
        async for event in events:
            if event.kind == "text_delta":
                break

    assert [span.name for span in backend.spans] == ["invoke_agent signup", "chat gpt-4o"]
    assert (backend.span("invoke_agent signup").attributes or {})["journey.outcome"] == "cancelled"


async def test_a_run_out_of_time_is_told_as_such(signup: SimpleNamespace, backend: Backend) -> None:
    class Slow(Named):
        async def generate(self, *args: Any, **kwargs: Any) -> LLMResponse:
            await asyncio.Event().wait()
            raise AssertionError

    agent = signup.Agent(Slow(), JourneyConfig(limits=RunLimits(max_seconds=0.01)), trace=backend.sink())

    await agent.send("c-1", "Hi")

    assert (backend.span("invoke_agent signup").attributes or {})["journey.outcome"] == "timed_out"
    assert (backend.span("chat gpt-4o").attributes or {})["error.type"] == "timeout"


async def test_a_run_that_is_cancelled_leaves_no_span_open(signup: SimpleNamespace, backend: Backend) -> None:
    # Given: a tool that never ends
    working = asyncio.Event()

    class Agent(signup.Agent):  # type: ignore[name-defined]
        async def execute_tool(self, tools: Any, name: str, arguments: dict[str, Any], /) -> Any:
            working.set()
            await asyncio.Event().wait()

    run = asyncio.create_task(Agent(Named([tool_call_reply("note", text="x")]), trace=backend.sink()).send("c", "Hi"))
    await working.wait()

    # When
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run

    # Then
    assert [name for name, _ in backend.tree()] == ["invoke_agent signup", "chat gpt-4o", "execute_tool note"]
    assert (backend.span("execute_tool note").attributes or {})["error.type"] == "cancelled"
    assert (backend.span("invoke_agent signup").attributes or {})["journey.outcome"] == "cancelled"


async def test_an_agent_that_asks_another_within_its_own_run_is_traced_around_it(
    signup: SimpleNamespace, backend: Backend
) -> None:
    # Given: a tool that asks another agent in the name of its own run, with the same sink
    sink, run_id = backend.sink(), uuid4()

    def context() -> AgentContext:
        return AgentContext(run_id, uuid4(), [AgentMessage("user", "Hi")])

    class Inner(signup.Agent):  # type: ignore[name-defined]
        key = "inner"

    class Outer(signup.Agent):  # type: ignore[name-defined]
        async def execute_tool(self, tools: Any, name: str, arguments: dict[str, Any], /) -> Any:
            await Inner(Named(["Hello."]), trace=sink).run(context())
            return await super().execute_tool(tools, name, arguments)

    # When
    await Outer(Named([tool_call_reply("note", text="x"), "Done."]), trace=sink).run(context())

    # Then
    outer, inner = "invoke_agent signup", "invoke_agent inner"
    assert backend.tree() == [
        (outer, None),
        ("chat gpt-4o", outer),
        ("execute_tool note", outer),
        (inner, "execute_tool note"),
        ("chat gpt-4o", inner),
        ("chat gpt-4o", outer),
    ]


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("openai", "openai"),
        ("anthropic", "anthropic"),
        ("api.deepseek.com", "deepseek"),
        ("mine.openai.azure.com", "azure.ai.openai"),
        ("bedrock-runtime.eu-west-1.amazonaws.com:443", "aws.bedrock"),
        ("localhost:11434", "localhost:11434"),
    ],
)
async def test_a_provider_has_the_name_that_the_conventions_give_it(
    signup: SimpleNamespace, backend: Backend, provider: str, name: str
) -> None:
    llm = Named(["Hello."])
    llm.provider = provider

    await signup.Agent(llm, trace=backend.sink()).send("c-1", "Hi")

    assert (backend.span("chat gpt-4o").attributes or {})["gen_ai.provider.name"] == name


async def test_no_key_is_recorded_even_with_the_conversation(signup: SimpleNamespace, backend: Backend) -> None:
    # Given: keys in all that is recorded
    key, password = "sk-proj-1234567890abcdef", "correct horse"

    class Agent(signup.Agent):  # type: ignore[name-defined]
        async def execute_tool(self, tools: Any, name: str, arguments: dict[str, Any], /) -> Any:
            return f"Saved with {key}."

    llm = Named([tool_call_reply("note", text=f"password='{password}'"), LLMUnavailable(f"401: key {key} is wrong")])

    # When
    with pytest.raises(LLMUnavailable):
        await Agent(llm, trace=backend.sink(capture_content=True)).send("c-1", f"My key is {key}")

    # Then
    assert [span.name for span in backend.spans if "***" in span.to_json()] == [span.name for span in backend.spans]
    assert not [span.name for span in backend.spans if key in span.to_json() or password in span.to_json()]
    (noted,) = backend.spans[-1].events
    assert (noted.attributes or {})["exception.message"] == "401: key *** is wrong"


async def test_an_executor_without_a_journey_is_traced_too(backend: Backend) -> None:
    llm = ScriptedLLM([tool_call_reply("add", a=1), "One."])
    executor = LLMExecutor(llm, CallableToolExecutor({"add": lambda a: a}), trace=backend.sink())

    await executor.run([{"role": "user", "content": "1?"}])

    assert [name for name, _ in backend.tree()] == ["invoke_agent", "chat", "execute_tool add", "chat"]
    assert (backend.spans[1].attributes or {})["gen_ai.provider.name"] == "_OTHER"


class Diary(TraceSink):
    """A sink that takes events as JSON-ready payloads."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, Any]] = []

    def start_run(self, run_id: UUID, metadata: dict[str, Any]) -> None:
        self.lines.append(("start", metadata))

    def log_event(self, run_id: UUID, event_type: str, payload: dict[str, Any]) -> None:
        self.lines.append((event_type, payload))

    def end_run(self, run_id: UUID, outcome: str, metadata: dict[str, Any] | None = None) -> None:
        self.lines.append(("end", outcome))


async def test_a_sink_of_ones_own_gets_the_beginning_each_event_and_the_end(signup: SimpleNamespace) -> None:
    diary = Diary()

    await signup.Agent(ScriptedLLM(["Hello."]), trace=diary).send("c-1", "Hi")

    assert diary.lines[0] == ("start", {"agent": "signup", "conversation_id": "c-1"})
    assert [name for name, _ in diary.lines[1:]] == [
        "run_started",
        "llm_call_started",
        "llm_call_finished",
        "turn_finished",
        "run_finished",
        "end",
    ]
    assert diary.lines[-1] == ("end", "succeeded")
    json.dumps(diary.lines)


class Broken(Diary):
    """A sink all of whose methods raise."""

    def start_run(self, run_id: UUID, metadata: dict[str, Any]) -> None:
        raise RuntimeError("full")

    def on_event(self, run_id: UUID, event: RunEvent) -> None:
        raise RuntimeError("full")

    def current(self, run_id: UUID) -> Any:
        raise RuntimeError("full")

    def end_run(self, run_id: UUID, outcome: str, metadata: dict[str, Any] | None = None) -> None:
        raise RuntimeError("full")


async def test_a_sink_that_raises_breaks_no_run(signup: SimpleNamespace, caplog: pytest.LogCaptureFixture) -> None:
    result = await signup.Agent(ScriptedLLM(["Hello."]), trace=Broken()).send("c-1", "Hi")

    assert result.response == "Hello."
    assert {record.levelname for record in caplog.records} == {"WARNING"}
    assert "Trace sink Broken.on_event raised RuntimeError; the run goes on" in caplog.text


@pytest.fixture
def no_configuration(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    reset_config()
    yield
    reset_config()


@pytest.mark.usefixtures("no_configuration")
async def test_the_environment_switches_tracing_on(
    signup: SimpleNamespace, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setenv("AGENT_RUNTIME_TRACING_BACKEND", "otel")
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: backend.tracers)

    # When
    await signup.Agent(Named(["Hello."])).send("c-1", "Hi")

    # Then
    assert [name for name, _ in backend.tree()] == ["invoke_agent signup", "chat gpt-4o"]


@pytest.mark.usefixtures("no_configuration")
async def test_a_backend_that_does_not_exist_is_an_error_of_the_first_run(signup: SimpleNamespace) -> None:
    configure(tracing_backend="langfuse")

    with pytest.raises(ConfigError, match="OpenTelemetry"):
        await signup.Agent(ScriptedLLM(["Hello."])).send("c-1", "Hi")


def test_a_run_that_nobody_traces_loads_nothing_of_it() -> None:
    # Given: a fresh interpreter
    program = """
import asyncio, json, sys
from agent_runtime_framework import LLMExecutor
class Model:
    async def generate(self, messages, **kwargs):
        return type("Answer", (), {"message": {"role": "assistant", "content": "Hi"}, "usage": {"prompt_tokens": 1}})()
asyncio.run(LLMExecutor(Model()).run([{"role": "user", "content": "Hi"}]))
print(json.dumps([name for name in sys.modules if name.partition(".")[0] in ("opentelemetry", "genai_prices")]))
"""
    unwanted = ("COV", "AGENT_RUNTIME_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}

    # When
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )

    # Then
    assert json.loads(finished.stdout) == []
