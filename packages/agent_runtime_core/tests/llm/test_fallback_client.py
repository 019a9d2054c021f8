"""Several clients as one."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
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
from agent_runtime_core.interfaces import LLMStreamChunk
from agent_runtime_core.llm.fallback import FallbackClient
from agent_runtime_core.testing import FaultyLLM, ScriptedLLM

USER = [{"role": "user", "content": "Hello"}]
DOWN = LLMUnavailable("down", provider="openai", model="gpt-4o", status=503)


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def ask(client: FallbackClient, streaming: bool, **options: Any) -> str:
    if streaming:
        return "".join([chunk.delta async for chunk in client.stream(USER, **options)])
    return (await client.generate(USER, **options)).content


both_ways = pytest.mark.parametrize("streaming", [False, True], ids=["generate", "stream"])


@both_ways
async def test_the_first_client_answers_as_long_as_it_can(streaming: bool):
    first, second = ScriptedLLM(["First"]), ScriptedLLM(["Second"])

    assert await ask(FallbackClient([first, second]), streaming) == "First"
    assert second.call_count == 0


@both_ways
@pytest.mark.parametrize(
    "error",
    [
        LLMUnavailable("down", status=500),
        LLMTimeout("too slow"),
        LLMRateLimited("slow down", status=429),
        LLMBadReply("garbage"),
        LLMRejected("wrong key", status=401),
        LLMRejected("no credit", status=402),
        LLMRejected("not allowed", status=403),
        LLMRejected("no such model", status=404),
    ],
    ids=str,
)
async def test_what_is_about_the_vendor_goes_to_the_next_one(streaming: bool, error: LLMError):
    first, second = ScriptedLLM([error]), ScriptedLLM(["Second"])

    assert await ask(FallbackClient([first, second]), streaming) == "Second"


@both_ways
@pytest.mark.parametrize(
    "error",
    [LLMRejected("bad messages", status=400), LLMRejected("too long", status=413), ValueError("a bug")],
    ids=str,
)
async def test_what_is_about_the_request_is_raised_at_once(streaming: bool, error: Exception):
    first, second = ScriptedLLM([error] * 9), ScriptedLLM(["Second"])
    client = FallbackClient([first, second], failures=1)

    for _ in range(2):
        with pytest.raises(type(error), match=str(error)):
            await ask(client, streaming)

    assert second.call_count == 0
    assert not client.breakers[0].is_open


@both_ways
async def test_when_all_fail_the_error_names_each(streaming: bool):
    # Given
    busy = LLMRateLimited("slow down", provider="anthropic", model="claude", status=429)
    client = FallbackClient([ScriptedLLM([DOWN]), ScriptedLLM([busy])])

    # When
    with pytest.raises(LLMUnavailable) as caught:
        await ask(client, streaming)

    # Then
    assert str(caught.value) == (
        "None of the 2 clients could answer. 1. openai gpt-4o: LLMUnavailable: down "
        "2. anthropic claude: LLMRateLimited: slow down"
    )
    assert isinstance(caught.value.__cause__, ExceptionGroup)
    assert caught.value.__cause__.exceptions == (DOWN, busy)


async def test_after_the_first_piece_nobody_else_is_asked():
    # Given
    first = FaultyLLM(ScriptedLLM(["Hello there!"]), ["cut_stream"])
    second = ScriptedLLM(["Second"])
    heard: list[str] = []

    async def hear() -> None:
        async for chunk in FallbackClient([first, second]).stream(USER):
            heard.append(chunk.delta)

    # When
    with pytest.raises(LLMBadReply):
        await hear()

    # Then
    assert heard == ["Hello"]
    assert second.call_count == 0


async def test_a_stream_that_ends_before_it_begins_is_a_failure():
    class Mute(ScriptedLLM):
        async def stream(self, messages, **options):
            yield LLMStreamChunk()

    assert await ask(FallbackClient([Mute(), ScriptedLLM(["Second"])]), streaming=True) == "Second"


@both_ways
async def test_a_client_that_keeps_failing_is_left_alone_for_a_while(streaming: bool):
    # Given a first client that fails twice, which is enough
    clock = Clock()
    first, second = ScriptedLLM([DOWN, DOWN, DOWN, "First is back", "First"]), ScriptedLLM(["Second"] * 9)
    client = FallbackClient([first, second], failures=2, reset_s=30.0, clock=clock)
    for _ in range(2):
        await ask(client, streaming)

    # Then it is not asked any more
    assert await ask(client, streaming) == "Second"
    assert first.call_count == 2

    # And once the time is over it is asked once, in vain
    clock.now += 30.0
    assert await ask(client, streaming) == "Second"
    assert await ask(client, streaming) == "Second"
    assert first.call_count == 3

    # And when it answers again, it is the first again
    clock.now += 30.0
    assert await ask(client, streaming) == "First is back"
    assert await ask(client, streaming) == "First"


async def test_a_client_that_keeps_breaking_off_is_left_alone_too():
    # Given
    first = FaultyLLM(ScriptedLLM(["Hello there!"] * 9), ["cut_stream", "cut_stream"])
    client = FallbackClient([first, ScriptedLLM(["Second"])], failures=2)
    for _ in range(2):
        with pytest.raises(LLMBadReply):
            await ask(client, streaming=True)

    # Then
    assert await ask(client, streaming=True) == "Second"


async def test_a_reader_who_leaves_is_no_failure():
    # Given a client that is due for a probe
    clock = Clock()
    client = FallbackClient([ScriptedLLM([DOWN, "Hello there!"])], failures=1, reset_s=30.0, clock=clock)
    with pytest.raises(LLMUnavailable):
        await ask(client, streaming=True)
    clock.now += 30.0

    # When
    async with aclosing(client.stream(USER)) as chunks:
        await anext(chunks)

    # Then
    assert not client.breakers[0].is_open


@both_ways
async def test_when_all_are_left_alone_that_is_what_is_said(streaming: bool):
    clock = Clock()
    client = FallbackClient([ScriptedLLM([DOWN])], failures=1, reset_s=30.0, clock=clock)
    with pytest.raises(LLMUnavailable):
        await ask(client, streaming)
    clock.now += 10.0

    with pytest.raises(LLMUnavailable, match="left alone after repeated failures, for another 20 s"):
        await ask(client, streaming)


@both_ways
async def test_a_cancelled_probe_leaves_the_way_open_for_the_next(streaming: bool):
    # Given a client that is due for a probe, and hangs
    clock = Clock()
    first = FaultyLLM(ScriptedLLM(["First"]), ["server_error", "hang"])
    client = FallbackClient([first], failures=1, reset_s=30.0, clock=clock)
    with pytest.raises(LLMUnavailable):
        await ask(client, streaming)
    clock.now += 30.0
    probe = asyncio.create_task(ask(client, streaming))
    await asyncio.sleep(0)

    # When
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe

    # Then
    assert await ask(client, streaming) == "First"


@both_ways
async def test_only_one_of_many_calls_tries_a_client_again(streaming: bool):
    # Given a client that is due for a probe, and hangs
    clock = Clock()
    first = FaultyLLM(ScriptedLLM(["First"]), ["server_error", "hang"])
    second = ScriptedLLM(["Second"] * 9)
    client = FallbackClient([first, second], failures=1, reset_s=30.0, clock=clock)
    await ask(client, streaming)
    clock.now += 30.0

    # When several ask at once
    probe = asyncio.create_task(ask(client, streaming))
    await asyncio.sleep(0)
    answers = await asyncio.gather(*(ask(client, streaming) for _ in range(4)))

    # Then only the first of them waits for it
    assert answers == ["Second"] * 4
    assert not probe.done()
    probe.cancel()
    await asyncio.wait([probe])


async def test_what_is_tried_again_just_now_is_said():
    clock = Clock()
    client = FallbackClient(
        [FaultyLLM(ScriptedLLM(["First"]), ["server_error", "hang"])], failures=1, reset_s=30.0, clock=clock
    )
    with pytest.raises(LLMUnavailable):
        await ask(client, streaming=False)
    clock.now += 30.0
    probe = asyncio.create_task(ask(client, streaming=False))
    await asyncio.sleep(0)

    with pytest.raises(LLMUnavailable, match=r"left alone .*, until the call that tries it again has ended"):
        await ask(client, streaming=False)
    probe.cancel()
    await asyncio.wait([probe])


async def test_who_really_answered_is_in_the_answer():
    # Given a second client that answers with a model and token counts of its own
    second = ScriptedLLM(["Second"])
    client = FallbackClient([ScriptedLLM([DOWN, DOWN]), second])

    # When
    whole = await client.generate(USER)
    chunks = [chunk async for chunk in FallbackClient([ScriptedLLM([DOWN]), ScriptedLLM(["Second"])]).stream(USER)]

    # Then
    alone = await ScriptedLLM(["Second"]).generate(USER)
    assert (whole.model, whole.usage) == (alone.model, alone.usage)
    assert chunks[-1].usage == (alone.usage or None)


@both_ways
async def test_a_model_is_the_first_clients_business(streaming: bool):
    first, second = ScriptedLLM([DOWN]), ScriptedLLM(["Second"])

    await ask(FallbackClient([first, second]), streaming, model="gpt-4o", temperature=0.5)

    assert first.calls[0]["kwargs"] == {"model": "gpt-4o", "temperature": 0.5}
    assert second.calls[0]["kwargs"] == {"temperature": 0.5}


class Strict(ScriptedLLM):
    """Takes what Anthropic's SDK takes: no option that it does not know."""

    provider = "strict"

    async def generate(self, messages: Any, *, tools: Any = None, max_tokens: Any = None, **options: Any) -> Any:
        if unknown := set(options) - {"temperature", "tool_choice", "stop", "thinking"}:
            raise TypeError(f"create() got an unexpected keyword argument {unknown.pop()!r}")
        return await super().generate(messages, tools=tools, max_tokens=max_tokens, **options)

    def stream(self, messages: Any, *, tools: Any = None, max_tokens: Any = None, **options: Any) -> Any:
        if unknown := set(options) - {"temperature", "tool_choice", "stop", "thinking"}:
            raise TypeError(f"create() got an unexpected keyword argument {unknown.pop()!r}")
        return super().stream(messages, tools=tools, max_tokens=max_tokens, **options)


@both_ways
async def test_another_kind_of_client_gets_the_options_that_all_know(streaming: bool, caplog):
    first, second = ScriptedLLM([DOWN]), Strict(["Second"])

    said = await ask(
        FallbackClient([first, second]),
        streaming,
        **{"seed": 3, "user": "ada@example.org", "frequency_penalty": 0.1, "temperature": 0.5},
        **{"max_completion_tokens": 9, "stop_sequences": ["END"], "thinking": {"type": "enabled", "budget_tokens": 5}},
        tool_choice={"type": "tool", "name": "save"},
    )

    assert said == "Second"
    options = {name: value for name, value in second.calls[0]["kwargs"].items() if value is not None}
    assert options == {
        "temperature": 0.5,
        "max_tokens": 9,
        "stop": ["END"],
        "thinking": True,
        "tool_choice": {"type": "function", "function": {"name": "save"}},
    }
    assert "without the options seed, user, frequency_penalty" in caplog.text
    assert "ada@example.org" not in caplog.text


@both_ways
async def test_the_same_kind_of_client_gets_all_options(streaming: bool):
    first, second = ScriptedLLM([DOWN]), ScriptedLLM(["Second"])

    await ask(FallbackClient([first, second]), streaming, seed=3)

    assert second.calls[0]["kwargs"] == {"seed": 3}


@both_ways
async def test_what_another_client_cannot_take_does_not_hide_the_outage(streaming: bool):
    client = FallbackClient([ScriptedLLM([DOWN]), Strict([]), ScriptedLLM(["Third"])])
    hopeless = FallbackClient([ScriptedLLM([DOWN]), Strict([])])

    assert await ask(client, streaming, response_format={"type": "json_object"}) == "Third"
    with pytest.raises(
        LLMUnavailable, match=r"1\. openai gpt-4o: .*down.* 2\. .*cannot take this call: TypeError"
    ) as caught:
        await ask(hopeless, streaming, response_format={"type": "json_object"})

    assert isinstance(caught.value.__cause__, ExceptionGroup)
    assert isinstance(caught.value.__cause__.exceptions[1].__cause__, TypeError)


@both_ways
async def test_a_refusal_by_the_second_says_that_the_first_was_down(streaming: bool):
    client = FallbackClient([ScriptedLLM([DOWN]), ScriptedLLM([LLMRejected("bad messages", status=400)])])

    with pytest.raises(LLMRejected, match="bad messages") as caught:
        await ask(client, streaming)

    assert "1. openai gpt-4o: LLMUnavailable: down" in caught.value.__notes__[0]


@both_ways
async def test_a_client_with_few_parameters_does_not_hide_the_outage(streaming: bool):
    class Plain:
        async def generate(self, messages: Any) -> Any:
            raise AssertionError("not to be reached")

    plain: Any = Plain()
    with pytest.raises(LLMUnavailable, match="TypeError"):
        await ask(FallbackClient([ScriptedLLM([DOWN]), plain]), streaming, temperature=0.5)


def test_it_is_known_who_is_asked_first():
    assert FallbackClient([Strict([]), ScriptedLLM([])]).provider == "strict"


async def test_closing_closes_all_whatever_happens():
    # Given
    class Closing(ScriptedLLM):
        def __init__(self, error: Exception | None = None) -> None:
            super().__init__()
            self.default_model = "m-1"
            self.closed = False
            self.error = error

        async def close(self) -> None:
            self.closed = True
            if self.error:
                raise self.error

    clients = [Closing(OSError("broken")), Closing()]
    fallback = FallbackClient(clients)

    # When
    with pytest.raises(ExceptionGroup) as caught:
        await fallback.close()

    # Then
    assert [client.closed for client in clients] == [True, True]
    assert len(caught.value.exceptions) == 1
    assert fallback.default_model == "m-1"


def test_no_client_is_no_fallback():
    with pytest.raises(ConfigError, match="at least one client"):
        FallbackClient([])


@pytest.mark.parametrize("client", [None, "openai", object()], ids=["none", "text", "object"])
def test_what_is_no_client_is_refused(client: Any):
    with pytest.raises(ConfigError, match=r"has no generate\(\)"):
        FallbackClient([ScriptedLLM([]), client])
