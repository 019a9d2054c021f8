"""Timeouts, retries and the bound on calls, around any client."""

from __future__ import annotations

import asyncio
import copy
import logging
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

import pytest

from agent_runtime_core.errors import (
    ConfigError,
    LLMBadReply,
    LLMError,
    LLMRateLimited,
    LLMRejected,
    LLMTimeout,
    LLMUnavailable,
)
from agent_runtime_core.interfaces import LLMClient, LLMResponse, LLMStreamChunk
from agent_runtime_core.llm.resilient import ResilientClient
from agent_runtime_core.llm.retries import Retries
from agent_runtime_core.llm.timeouts import Timeouts
from agent_runtime_core.testing import Fault, FaultyLLM, ScriptedLLM

USER = [{"role": "user", "content": "Hello"}]
PASSING = [
    LLMRateLimited("slow down", status=429),
    LLMTimeout("too slow"),
    LLMUnavailable("down", status=500),
]
FINAL = [LLMRejected("no such model", status=404), LLMBadReply("garbage"), ConfigError("no key")]


class Pauses(list[float]):
    """Takes the place of sleeping."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


async def text_of_stream(client: Any) -> str:
    return "".join([chunk.delta async for chunk in client.stream(USER)])


def resilient(client: Any, pauses: Pauses, **options: Any) -> ResilientClient:
    return ResilientClient(client, sleep=pauses, chance=lambda: 0.0, **options)


# ------------------------------------------------------------------------------------------------------- trying again


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
async def test_what_passes_is_tried_again(error: LLMError, pauses: Pauses):
    # Given a model that fails twice, once for each way of asking
    llm = ScriptedLLM([error, error, "Hello!", error, "Hello again!"])
    client = resilient(llm, pauses)

    # When
    answer = await client.generate(USER)
    streamed = await text_of_stream(client)

    # Then
    assert answer.content == "Hello!"
    assert streamed == "Hello again!"
    assert pauses == [0.5, 1.0, 0.5]


@pytest.mark.parametrize("error", FINAL, ids=lambda error: type(error).__name__)
async def test_what_does_not_pass_is_raised_at_once(error: Exception, pauses: Pauses):
    llm = ScriptedLLM([error, error])
    client = resilient(llm, pauses)

    with pytest.raises(type(error)):
        await client.generate(USER)
    with pytest.raises(type(error)):
        await text_of_stream(client)

    assert llm.call_count == 2
    assert pauses == []


async def test_the_last_attempts_error_is_raised_and_says_how_many_there_were(pauses: Pauses):
    # Given
    llm = ScriptedLLM([LLMUnavailable("first"), LLMUnavailable("second"), LLMUnavailable("third"), "Hello!"])
    client = resilient(llm, pauses, retries=Retries(max_attempts=3))

    # When
    with pytest.raises(LLMUnavailable, match="third") as caught:
        await client.generate(USER)

    # Then
    assert caught.value.__notes__ == ["This was attempt 3 of 3."]
    assert llm.call_count == 3


async def test_one_attempt_means_no_retries(pauses: Pauses):
    llm = ScriptedLLM([LLMUnavailable("down"), "Hello!"])

    with pytest.raises(LLMUnavailable):
        await resilient(llm, pauses, retries=Retries(max_attempts=1)).generate(USER)


async def test_nothing_is_tried_again_once_text_has_been_passed_on(pauses: Pauses):
    # Given a model whose line drops after the first word
    class Dropped(LLMClient):
        calls = 0

        async def generate(self, messages, **options):
            raise AssertionError("not asked")

        async def stream(self, messages, **options):
            self.calls += 1
            yield LLMStreamChunk(delta="Hel")
            raise LLMUnavailable("gone")

    llm = Dropped()
    heard: list[str] = []

    async def hear() -> None:
        async for chunk in resilient(llm, pauses).stream(USER):
            heard.append(chunk.delta)

    # When
    with pytest.raises(LLMUnavailable, match="gone"):
        await hear()

    # Then
    assert heard == ["Hel"]
    assert llm.calls == 1
    assert pauses == []


async def test_an_empty_piece_is_not_yet_an_answer(pauses: Pauses):
    # Given vendors that open with an empty piece
    class Opening(ScriptedLLM):
        async def stream(self, messages, **options):
            yield LLMStreamChunk()
            async for chunk in super().stream(messages, **options):
                yield chunk

    llm = Opening([LLMUnavailable("down"), "Hello!"])

    # Then
    assert await text_of_stream(resilient(llm, pauses)) == "Hello!"


async def test_the_vendors_hint_is_kept_and_one_beyond_the_longest_pause_is_raised_at_once(pauses: Pauses):
    llm = ScriptedLLM([LLMRateLimited("x", retry_after_s=7.0), LLMRateLimited("x", retry_after_s=3600.0), "Hello!"])

    with pytest.raises(LLMRateLimited) as caught:
        await resilient(llm, pauses, retries=Retries(max_s=20.0)).generate(USER)

    assert caught.value.retry_after_s == 3600.0
    assert (pauses, llm.call_count) == ([7.0], 2)


async def test_a_vendor_that_forbids_another_attempt_is_not_asked_again(pauses: Pauses):
    # Given
    class Refusal(Exception):
        response = SimpleNamespace(headers={"x-should-retry": "false"})

    error = LLMUnavailable("down for today")
    error.__cause__ = Refusal()

    # Then
    with pytest.raises(LLMUnavailable):
        await resilient(ScriptedLLM([error, "Hello!"]), pauses).generate(USER)


async def test_a_retry_is_logged_without_the_vendors_words(pauses: Pauses, caplog: pytest.LogCaptureFixture):
    error = LLMRateLimited("you asked: my secret", provider="openai", model="gpt-4o", status=429)

    with caplog.at_level(logging.INFO):
        await resilient(ScriptedLLM([error, "Hello!"]), pauses).generate(USER)

    assert caplog.messages == ["openai gpt-4o: LLMRateLimited (429), attempt 1 of 5; next one in 0.50 s"]


# ----------------------------------------------------------------------------------------------------------- timeouts


async def test_a_model_that_says_nothing_is_given_up_and_asked_again(pauses: Pauses):
    llm = FaultyLLM(ScriptedLLM(["Hello!"]), ["hang"])
    client = resilient(llm, pauses, timeouts=Timeouts(first_token_s=0.01))

    assert await text_of_stream(client) == "Hello!"


async def test_a_stream_that_stops_in_the_middle_is_a_timeout(pauses: Pauses):
    # Given a model that falls silent, and tells whether its connection was closed
    class Silent(LLMClient):
        default_model = "silent-1"
        closed = False

        async def generate(self, messages, **options):
            raise AssertionError("not asked")

        async def stream(self, messages, **options):
            try:
                yield LLMStreamChunk(delta="Hel")
                await asyncio.Event().wait()
            finally:
                self.closed = True

    llm = Silent()

    # When
    with pytest.raises(LLMTimeout, match=r"No further piece of the answer within 0.01 s, model 'silent-1'") as caught:
        await text_of_stream(resilient(llm, pauses, timeouts=Timeouts(between_tokens_s=0.01), provider="own"))

    # Then
    assert (caught.value.provider, caught.value.model) == ("own", "silent-1")
    assert llm.closed
    assert pauses == []


async def test_the_time_to_the_first_piece_ends_with_the_first_piece(pauses: Pauses):
    # Given a model that is quick to begin, and then takes longer than it might have taken to begin
    class Slow(ScriptedLLM):
        async def stream(self, messages, **options):
            yield LLMStreamChunk(delta="Hel")
            written = asyncio.Event()
            asyncio.get_running_loop().call_later(0.03, written.set)
            await written.wait()
            yield LLMStreamChunk(delta="lo!")

    client = resilient(Slow(), pauses, timeouts=Timeouts(first_token_s=0.01))

    assert await text_of_stream(client) == "Hello!"


async def test_a_task_can_go_on_after_a_timeout(pauses: Pauses):
    # Given a call that has run out of time inside of a wider timeout
    client = resilient(FaultyLLM(ScriptedLLM(["Hello!"]), ["hang"]), pauses, timeouts=Timeouts(total_s=0.01))

    async with asyncio.timeout(60):
        with pytest.raises(LLMTimeout):
            await client.generate(USER)

        # Then the task is not a cancelled one
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        assert (await client.generate(USER)).content == "Hello!"


async def test_a_client_that_makes_something_else_of_a_cancellation_leaves_no_trace_of_it(pauses: Pauses):
    # Given
    class Stubborn(ScriptedLLM):
        async def generate(self, messages, **options):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise LLMBadReply("interrupted") from None

    # When
    with pytest.raises(LLMBadReply, match="interrupted"):
        await resilient(Stubborn(), pauses, timeouts=Timeouts(total_s=0.01)).generate(USER)

    # Then
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.parametrize("streaming", [False, True])
async def test_the_whole_call_has_an_end(pauses: Pauses, streaming: bool):
    llm = FaultyLLM(ScriptedLLM(["Hello!"]), ["hang", "hang"])
    client = resilient(llm, pauses, timeouts=Timeouts(total_s=0.01, first_token_s=None))

    with pytest.raises(LLMTimeout, match=r"The 0.01 s of the whole call are over \(Timeouts.total_s\)"):
        await (text_of_stream(client) if streaming else client.generate(USER))

    assert pauses == []


async def test_a_pause_that_does_not_fit_into_the_call_is_not_begun(pauses: Pauses):
    # Given two pauses of which only one fits
    llm = ScriptedLLM([LLMUnavailable("one"), LLMUnavailable("two"), "Hello!"])
    client = resilient(llm, pauses, timeouts=Timeouts(total_s=90.0), retries=Retries(base_s=60.0, max_s=60.0))

    # Then
    with pytest.raises(LLMUnavailable, match="two"):
        await client.generate(USER)
    assert pauses == [60.0]


async def test_a_clients_own_timeout_error_stays_what_it_is(pauses: Pauses):
    with pytest.raises(TimeoutError, match="the client's own"):
        await resilient(ScriptedLLM([TimeoutError("the client's own")]), pauses).generate(USER)


async def test_everything_may_be_without_a_bound(pauses: Pauses):
    # Given
    boundless = Timeouts(connect_s=None, first_token_s=None, between_tokens_s=None, total_s=None)
    llm = ScriptedLLM([LLMUnavailable("down"), "Hello!", "Hello again!"])
    client = resilient(llm, pauses, timeouts=boundless, max_concurrency=None)

    # Then
    assert client.max_concurrency is None
    assert await text_of_stream(client) == "Hello!"
    assert (await client.generate(USER)).content == "Hello again!"


@pytest.mark.parametrize("name", ["connect_s", "first_token_s", "between_tokens_s", "total_s"])
def test_a_time_that_cannot_work_is_named(name: str):
    with pytest.raises(ConfigError, match=f"Timeouts.{name} must be above 0 seconds or None, not 0"):
        Timeouts(**{name: 0})


# ------------------------------------------------------------------------------------- cancellation and concurrency


class Gate(LLMClient):
    """Answers when it is opened, and counts who is inside."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.inside = 0
        self.most = 0
        self.cancelled = 0

    async def generate(self, messages, **options):
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.inside -= 1
        return LLMResponse({"role": "assistant", "content": "in"})

    async def stream(self, messages, **options):
        yield LLMStreamChunk(delta=(await self.generate(messages)).content)
        yield LLMStreamChunk(finish_reason="stop")


async def until(condition: Any) -> None:
    while not condition():  # noqa: ASYNC110  # what is waited for is inside of the client
        await asyncio.sleep(0)


async def test_a_cancelled_request_ends_at_once():
    gate = Gate()
    task = asyncio.create_task(ResilientClient(gate).generate(USER))
    await until(lambda: gate.inside)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert (gate.cancelled, gate.inside) == (1, 0)


async def test_a_cancelled_pause_ends_at_once():
    # Given a client that waits for its second attempt
    paused = asyncio.Event()

    async def sleep(seconds: float) -> None:
        paused.set()
        await asyncio.Event().wait()

    llm = ScriptedLLM([LLMUnavailable("down"), "Hello!"])
    task = asyncio.create_task(ResilientClient(llm, sleep=sleep).generate(USER))
    await paused.wait()

    # When
    task.cancel()

    # Then
    with pytest.raises(asyncio.CancelledError):
        await task
    assert llm.call_count == 1


async def test_a_stream_that_is_left_closes_the_models_stream():
    # Given
    class Endless(ScriptedLLM):
        closed = False

        async def stream(self, messages, **options):
            try:
                while True:
                    yield LLMStreamChunk(delta="on ")
            finally:
                self.closed = True

    llm = Endless()

    # When
    async with aclosing(ResilientClient(llm, max_concurrency=1).stream(USER)) as chunks:
        async for _ in chunks:
            break

    # Then
    assert llm.closed


@pytest.mark.parametrize("streaming", [False, True])
async def test_no_more_calls_than_allowed_are_under_way(streaming: bool):
    # Given
    gate = Gate()
    client = ResilientClient(gate, max_concurrency=3)

    async def ask() -> str:
        return await text_of_stream(client) if streaming else (await client.generate(USER)).content

    # When ten ask at once
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask()) for _ in range(10)]
        await until(lambda: gate.inside == 3)
        gate.open.set()

    # Then
    assert [task.result() for task in tasks] == ["in"] * 10
    assert gate.most == 3


async def test_a_call_in_its_pause_leaves_its_place_to_others():
    # Given one place, and a call that waits for its second attempt
    go_on, paused = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        paused.set()
        await go_on.wait()

    client = ResilientClient(ScriptedLLM([LLMUnavailable("down"), "Second", "First"]), max_concurrency=1, sleep=sleep)
    waiting = asyncio.create_task(client.generate(USER))
    await paused.wait()

    # Then another one is served meanwhile
    assert (await client.generate(USER)).content == "Second"
    go_on.set()
    assert (await waiting).content == "First"


async def test_waiting_for_a_place_counts_to_the_time_of_the_call():
    # Given one place and a model that does not answer
    gate = Gate()
    client = ResilientClient(gate, max_concurrency=1, timeouts=Timeouts(total_s=0.01))

    # When
    errors = await asyncio.gather(client.generate(USER), client.generate(USER), return_exceptions=True)

    # Then
    assert [type(error) for error in errors] == [LLMTimeout, LLMTimeout]
    assert gate.inside == 0


def test_a_client_works_in_one_event_loop_after_another():
    # Given a bound that somebody has to wait for in each loop
    client = ResilientClient(ScriptedLLM(["a", "b", "c", "d"]), max_concurrency=1)

    async def ask_twice() -> list[str]:
        answers = await asyncio.gather(client.generate(USER), client.generate(USER))
        return [answer.content for answer in answers]

    assert [asyncio.run(ask_twice()), asyncio.run(ask_twice())] == [["a", "b"], ["c", "d"]]


def test_a_bound_that_cannot_work_is_named():
    with pytest.raises(ConfigError, match="max_concurrency must be a whole number, at least 1, or None, not 0"):
        ResilientClient(ScriptedLLM(), max_concurrency=0)


# ------------------------------------------------------------------------------------------ standing in for a client


class Vendor(ScriptedLLM):
    """A client with things of its own."""

    def __init__(self) -> None:
        super().__init__(["Hello!"])
        self.default_model = "vendor-1"
        self._client = object()
        self.closed = False

    async def close(self) -> None:
        self.closed = True


async def test_it_can_be_used_as_the_client_inside():
    vendor = Vendor()
    client: Any = ResilientClient(vendor)

    assert isinstance(client, Vendor)
    assert isinstance(client, ResilientClient)
    assert repr(client) == f"ResilientClient({vendor!r})"
    assert client.default_model == "vendor-1"
    assert client._client is vendor._client

    client.default_model = "vendor-2"
    assert vendor.default_model == "vendor-2"

    client.note = "x"
    del client.note
    assert not hasattr(vendor, "note")
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = client.no_such_thing

    with pytest.raises(TypeError, match="cannot be changed"):
        client.__class__ = ScriptedLLM

    async with client as same:
        assert same is client
    assert vendor.closed


def test_a_copy_is_a_client_too():
    assert copy.copy(ResilientClient(Vendor())).default_model == "vendor-1"


async def test_a_method_may_be_replaced_in_a_test(monkeypatch: pytest.MonkeyPatch):
    client = ResilientClient(Vendor())

    async def replaced(messages: Any, **options: Any) -> LLMResponse:
        return LLMResponse({"role": "assistant", "content": "replaced"})

    with monkeypatch.context() as patch:
        patch.setattr(client, "generate", replaced)
        assert (await client.generate(USER)).content == "replaced"

    assert (await client.generate(USER)).content == "Hello!"


async def test_a_client_with_generate_alone_streams_in_one_piece():
    # Given
    class Plain:
        async def generate(self, messages, tools=None, **options):
            calls = [{"id": "1", "type": "function", "function": {"name": "save", "arguments": "{}"}}]
            return LLMResponse({"role": "assistant", "content": "Hello!", "tool_calls": calls if tools else None})

    client = ResilientClient(Plain())

    # When
    plain = [chunk async for chunk in client.stream(USER)]
    calling = [chunk async for chunk in client.stream(USER, tools=[{}])]

    # Then
    assert [(chunk.delta, chunk.finish_reason) for chunk in plain] == [("Hello!", None), ("", "stop")]
    assert calling[-1].tool_calls is not None
    assert calling[-1].finish_reason == "tool_calls"
    await client.close()


async def test_a_stream_that_has_to_be_awaited_is():
    class Awaited(ScriptedLLM):
        async def stream(self, messages, **options):  # type: ignore[override]
            return super().stream(messages, **options)

    assert await text_of_stream(ResilientClient(Awaited(["Hello there!"]))) == "Hello there!"


async def test_options_reach_the_client_as_they_are():
    llm = ScriptedLLM(["Hello!"])

    await ResilientClient(llm).generate(USER, tools=[{"x": 1}], temperature=0.5)

    assert llm.calls == [{"messages": USER, "tools": [{"x": 1}], "kwargs": {"temperature": 0.5}}]


async def test_faults_come_and_go(pauses: Pauses):
    llm = FaultyLLM(ScriptedLLM(["Hello!"]), [Fault("rate_limit", retry_after_s=2.0), "server_error", "timeout"])

    assert (await resilient(llm, pauses).generate(USER)).content == "Hello!"
    assert pauses == [2.0, 1.0, 2.0]
