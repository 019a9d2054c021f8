"""A model that fails when it is told to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_runtime_core.errors import ConfigError, LLMBadReply, LLMError, LLMRateLimited, LLMTimeout, LLMUnavailable
from agent_runtime_core.testing import Fault, FaultyLLM, ScriptedLLM

USER = [{"role": "user", "content": "Hello"}]


async def ask(client: FaultyLLM, streaming: bool) -> str:
    if streaming:
        return "".join([chunk.delta async for chunk in client.stream(USER)])
    return (await client.generate(USER)).content


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    ("fault", "kind", "status"),
    [
        (Fault("rate_limit"), LLMRateLimited, 429),
        (Fault("server_error"), LLMUnavailable, 500),
        (Fault("server_error", status=529), LLMUnavailable, 529),
        (Fault("timeout"), LLMTimeout, None),
        (Fault("cut_stream"), LLMBadReply, None),
    ],
)
async def test_each_fault_is_the_error_of_a_vendor(streaming: bool, fault: Fault, kind: Any, status: int | None):
    llm = FaultyLLM(ScriptedLLM(["Hello there!"]), [fault])

    with pytest.raises(kind) as caught:
        await ask(llm, streaming)

    assert caught.value.status == status
    assert llm.faults == [fault]


async def test_a_script_names_what_happens_to_each_call():
    llm = FaultyLLM(ScriptedLLM(["One", "Two"]), [None, Fault("rate_limit", retry_after_s=2.0)])

    assert await ask(llm, streaming=False) == "One"
    with pytest.raises(LLMRateLimited) as caught:
        await ask(llm, streaming=False)
    assert caught.value.retry_after_s == 2.0
    assert await ask(llm, streaming=True) == "Two"


@pytest.mark.parametrize("pieces", [0, 1, 2, 9])
async def test_a_cut_stream_never_comes_to_its_end(pieces: int):
    # Given an answer of three words
    llm = FaultyLLM(ScriptedLLM(["one two three"]), [Fault("cut_stream", after_chunks=pieces)])
    heard: list[str] = []

    async def hear() -> None:
        async for chunk in llm.stream(USER):
            heard.append(chunk.delta)

    # When
    with pytest.raises(LLMBadReply):
        await hear()

    # Then
    assert heard == ["one", " two", " three"][:pieces]


async def test_a_model_that_hangs_waits_until_it_is_cancelled():
    task = asyncio.create_task(ask(FaultyLLM(ScriptedLLM(["One"]), ["hang"]), streaming=True))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("streaming", [False, True])
async def test_garbage_is_a_call_of_no_tool_with_no_arguments(streaming: bool):
    llm = FaultyLLM(ScriptedLLM(), ["garbage"])

    if streaming:
        (chunk,) = [chunk async for chunk in llm.stream(USER)]
        calls = chunk.tool_calls or []
    else:
        calls = (await llm.generate(USER)).message["tool_calls"]

    assert calls[0]["function"]["name"] == "no_such_tool"
    assert "id" not in calls[0]


async def outcomes(seed: int) -> list[str]:
    llm = FaultyLLM(ScriptedLLM(["One"] * 200), probability=0.3, seed=seed)
    found = []
    for _ in range(200):
        try:
            found.append(await ask(llm, streaming=False))
        except LLMError as error:
            found.append(type(error).__name__)
    return found


async def test_chance_is_repeatable():
    first, again, other = await outcomes(1), await outcomes(1), await outcomes(2)

    assert first == again != other
    assert set(first) == {"One", "LLMRateLimited", "LLMUnavailable", "LLMTimeout"}


async def test_closing_closes_the_client():
    class Closing(ScriptedLLM):
        default_model = "m-1"
        closed = False

        async def close(self) -> None:
            self.closed = True

    inside = Closing()
    async with FaultyLLM(inside) as llm:
        assert llm.default_model == "m-1"
    assert inside.closed


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: Fault("explosion"), "no fault 'explosion'"),  # type: ignore[arg-type]
        (lambda: FaultyLLM(ScriptedLLM(), probability=2.0), "between 0 and 1, not 2.0"),
        (lambda: FaultyLLM(ScriptedLLM(), probability=0.5, kinds=()), "kinds is empty"),
    ],
)
def test_a_value_that_cannot_work_is_named(wrong: Any, words: str):
    with pytest.raises(ConfigError, match=words):
        wrong()


async def test_garbage_is_the_same_whole_and_streamed_and_each_time_anew():
    faulty = FaultyLLM(ScriptedLLM(), ["garbage"] * 3)
    messages = [{"role": "user", "content": "Hello"}]

    first = await faulty.generate(messages)
    expected = repr((first.message["tool_calls"], first.model, first.finish_reason))
    first.message["tool_calls"].clear()
    second = await faulty.generate(messages)
    (chunk,) = [chunk async for chunk in faulty.stream(messages)]

    assert repr((second.message["tool_calls"], second.model, second.finish_reason)) == expected
    assert repr((chunk.tool_calls, chunk.model, chunk.finish_reason)) == expected
