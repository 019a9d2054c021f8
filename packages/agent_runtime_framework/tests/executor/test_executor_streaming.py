"""`LLMExecutor.stream`: the events of a run, whatever the client can do."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest

from agent_runtime_core.errors import LLMUnavailable
from agent_runtime_core.events import LLMCallFinished, RunFailed, RunFinished, TextDelta
from agent_runtime_core.interfaces.llm import LLMClient, LLMStreamChunk
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import LLMExecutor, LLMExecutorConfig, RunLimits

HELLO = [{"role": "user", "content": "Hello"}]
CALL = tool_call_reply("add_item", item="tea")["tool_calls"]


def chunk(delta: Any = "", **others: Any) -> LLMStreamChunk:
    return LLMStreamChunk(delta=delta, **others)


LAST = chunk(finish_reason="stop", usage={"total_tokens": 7})


class Streams:
    """A client whose stream gives the chunks of the test and remembers whether it was closed."""

    def __init__(self, *rounds: list[Any]) -> None:
        self.rounds = list(rounds)
        self.closed = 0
        self.asked: list[dict[str, Any]] = []

    async def generate(self, messages: Any, **kwargs: Any) -> Any:
        raise AssertionError("a client that streams is not asked to generate")

    async def stream(self, messages: Any, **kwargs: Any) -> Any:
        self.asked.append({"messages": messages, **kwargs})
        try:
            for each in self.rounds.pop(0):
                if isinstance(each, Exception):
                    raise each
                if each is None:
                    await asyncio.Event().wait()
                yield each
        finally:
            self.closed += 1


async def told(stream: Any) -> list[Any]:
    return [event async for event in stream]


async def broken(stream: Any) -> tuple[list[Any], Exception]:
    """What a stream that breaks has told, and what it raised."""
    events = []
    try:
        async for event in stream:
            events.append(event)
    except Exception as error:
        return events, error
    raise AssertionError("the stream did not break")


def texts(events: list[Any]) -> list[str]:
    return [event.text for event in events if isinstance(event, TextDelta)]


async def test_a_run_is_told_as_events(till):
    llm = Streams([chunk(tool_calls=CALL), LAST], [chunk("Here "), chunk("you are."), LAST])

    events = await told(LLMExecutor(llm, till.executor).stream(HELLO, till.schemas, "Sell."))

    assert [event.kind for event in events] == [
        "llm_call_started",
        "llm_call_finished",
        "tool_call_started",
        "tool_call_finished",
        "turn_finished",
        "llm_call_started",
        "text_delta",
        "text_delta",
        "llm_call_finished",
        "turn_finished",
        "run_finished",
    ]
    end = events[-1]
    assert (end.response, end.reason, end.tool_calls_made) == ("Here you are.", "text_response", 1)
    assert (end.usage, end.state) == ({"total_tokens": 14}, None)
    assert llm.asked[0]["messages"][0] == {"role": "system", "content": "Sell."}
    assert llm.asked[0]["tools"] == [schema.to_openai_format() for schema in till.schemas]
    assert llm.closed == 2


async def test_text_comes_out_as_it_arrives():
    gate = asyncio.Event()

    class Slow(Streams):
        async def stream(self, messages: Any, **kwargs: Any) -> Any:
            yield chunk("Hel")
            await gate.wait()
            yield chunk("lo")
            yield LAST

    stream = LLMExecutor(Slow()).stream(HELLO)
    async for event in stream:
        if isinstance(event, TextDelta):
            first = event.text
            break
    gate.set()

    assert first == "Hel"
    assert texts(await told(stream)) == ["lo"]


@pytest.mark.parametrize("text", ["Hi there, Ada!", "", "  two  spaces \n"])
async def test_the_pieces_of_a_text_joined_are_the_response(text):
    events = await told(LLMExecutor(ScriptedLLM([text])).stream(HELLO))

    assert "".join(texts(events)) == events[-1].response == text


async def test_a_client_that_can_only_generate_gives_its_text_in_one_piece(till):
    class Plain:
        def __init__(self) -> None:
            self.replies: list[Any] = [tool_call_reply("add_item", item="tea"), {"content": "Here you are."}]

        async def generate(self, messages: Any, *, tools: Any = None, **kwargs: Any) -> Any:
            return SimpleNamespace(message=self.replies.pop(0))

    events = await told(LLMExecutor(Plain(), till.executor).stream(HELLO, till.schemas))

    assert texts(events) == ["Here you are."]
    assert isinstance(events[-1], RunFinished)


async def test_a_stream_may_be_something_to_await_first():
    class Awaited(Streams):
        async def stream(self, messages: Any, **kwargs: Any) -> Any:
            return super().stream(messages, **kwargs)

    llm = Awaited([chunk("Hi"), LAST])

    assert texts(await told(LLMExecutor(llm).stream(HELLO))) == ["Hi"]
    assert llm.closed == 1


async def test_a_stream_may_be_any_async_iterator():
    class Chunks:
        def __init__(self) -> None:
            self.left = [chunk("Hi"), LAST]

        def __aiter__(self):
            return self

        async def __anext__(self):
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop(0)

    class Client(Streams):
        def stream(self, messages: Any, **kwargs: Any) -> Any:
            return Chunks()

    assert texts(await told(LLMExecutor(Client()).stream(HELLO))) == ["Hi"]


@pytest.mark.parametrize("double", [MagicMock, AsyncMock])
@pytest.mark.parametrize("spec", [None, LLMClient])
async def test_a_mock_is_asked_to_generate_whatever_it_answers_to(double, spec):
    llm = double(spec=spec)
    llm.generate = AsyncMock(return_value=MagicMock(message={"role": "assistant", "content": "Hi"}))

    events = await told(LLMExecutor(llm).stream(HELLO))

    assert texts(events) == ["Hi"]
    llm.generate.assert_awaited_once_with(messages=HELLO, tools=None)


async def test_a_run_that_nobody_watches_is_not_streamed():
    llm = ScriptedLLM(["Hi"])
    llm.stream = None  # type: ignore[method-assign, assignment]  # it would fail

    assert (await LLMExecutor(llm).run(HELLO)).response == "Hi"


async def test_calls_and_usage_may_come_in_any_chunk_and_odd_deltas_are_left_out(till):
    more = [{"id": "b", "name": "complete_order"}]
    llm = Streams(
        [chunk("One", usage={"total_tokens": 1}), chunk(None, tool_calls=CALL), chunk(" moment", tool_calls=more)],
        [chunk("Done")],
    )

    events = await told(LLMExecutor(llm, till.executor).stream(HELLO))

    first = next(event for event in events if isinstance(event, LLMCallFinished))
    assert (first.message["content"], [call.id for call in first.calls]) == ("One moment", [CALL[0]["id"], "b"])
    assert events[-1].usage == {"total_tokens": 1}


async def test_a_stream_without_any_chunk_is_an_empty_text():
    events = await told(LLMExecutor(Streams([])).stream(HELLO))

    assert texts(events) == []
    assert (events[-1].response, events[-1].reason) == ("", "text_response")


# Streams that end early.


async def test_a_reader_that_leaves_closes_the_clients_stream_at_once():
    llm = Streams([chunk("Hel"), None, chunk("lo")])
    stream = LLMExecutor(llm).stream(HELLO)

    async for event in stream:
        if isinstance(event, TextDelta):
            break
    await stream.aclose()

    assert llm.closed == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_reader_that_is_cancelled_closes_the_clients_stream():
    llm = Streams([chunk("Hel"), None])
    read: list[Any] = []
    begun = asyncio.Event()

    async def read_all() -> None:
        async for event in LLMExecutor(llm).stream(HELLO):
            read.append(event)
            if isinstance(event, TextDelta):
                begun.set()

    task = asyncio.create_task(read_all())
    await begun.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert llm.closed == 1
    assert not any(isinstance(event, RunFailed) for event in read)


async def test_a_stream_that_breaks_in_the_middle_ends_the_run_with_its_error(till):
    down = LLMUnavailable("the connection broke")
    llm = Streams([chunk("Hel"), down])

    read, error = await broken(LLMExecutor(llm, till.executor).stream(HELLO))

    assert error is down
    assert texts(read) == ["Hel"]
    assert isinstance(read[-1], RunFailed)
    assert read[-1].error is down
    assert [event.kind for event in read].count("run_failed") == 1
    assert llm.closed == 1


async def test_a_stream_that_cannot_even_be_opened_ends_the_run_with_its_error():
    class Refuses(Streams):
        async def stream(self, messages: Any, **kwargs: Any) -> Any:
            raise LLMUnavailable("no connection")

    read, error = await broken(LLMExecutor(Refuses()).stream(HELLO))

    assert isinstance(error, LLMUnavailable)
    assert isinstance(read[-1], RunFailed)


@pytest.mark.parametrize("opens", [True, False])
async def test_a_run_out_of_time_closes_the_clients_stream(opens):
    llm = Streams([chunk("Hel"), None] if opens else [None])
    config = LLMExecutorConfig(limits=RunLimits(max_seconds=0.02))

    events = await told(LLMExecutor(llm, config=config).stream(HELLO))

    assert events[-1].reason == "limit:seconds"
    assert events[-1].messages == []
    assert llm.closed == 1


async def test_a_clients_own_timeout_is_not_the_runs():
    config = LLMExecutorConfig(limits=RunLimits(max_seconds=60))

    with pytest.raises(TimeoutError, match="own"):
        await told(LLMExecutor(Streams([TimeoutError("own")]), config=config).stream(HELLO))
    with pytest.raises(TimeoutError, match="own"):
        await LLMExecutor(ScriptedLLM([TimeoutError("own")]), config=config).run(HELLO)


async def test_a_stream_that_nobody_reads_asks_nothing():
    llm = Streams([chunk("Hi")])

    await LLMExecutor(llm).stream(HELLO).aclose()

    assert llm.asked == []
