"""Conversations that the agent keeps: `send`, `stream`, what is stored when, and what an early end leaves."""

from __future__ import annotations

import asyncio
import copy
import json
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from agent_runtime_core.errors import LLMUnavailable, StoreConflict
from agent_runtime_core.events import (
    LLMCallFinished,
    RunEvent,
    RunFailed,
    RunFinished,
    RunStarted,
    TextDelta,
    ToolCallFinished,
    TurnFinished,
)
from agent_runtime_core.history import is_sendable
from agent_runtime_core.interfaces.llm import LLMStreamChunk
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import AgentMessage, ExecutorHooks, JourneyConfig, RunLimits

NAME = tool_call_reply("save_name", name="Ada")
NOTE = tool_call_reply("note", text="x")


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


async def roles(agent: Any) -> list[str]:
    return [message.role for message in await agent.get_history("c")]


class Streams:
    """A client whose stream gives what the test wrote down: texts, calls, an error, None for a wait that never ends."""

    def __init__(self, *rounds: list[Any]) -> None:
        self.rounds = list(rounds)
        self.closed = 0

    async def generate(self, messages: Any, **kwargs: Any) -> Any:
        raise AssertionError("a client that streams is not asked to generate")

    async def stream(self, messages: Any, **kwargs: Any) -> Any:
        try:
            for each in self.rounds.pop(0):
                if isinstance(each, Exception):
                    raise each
                if each is None:
                    await asyncio.Event().wait()
                if isinstance(each, str):
                    yield LLMStreamChunk(delta=each)
                else:
                    yield LLMStreamChunk(tool_calls=each["tool_calls"], finish_reason="tool_calls")
        finally:
            self.closed += 1


# What comes back.


async def test_send_returns_what_came_of_the_message(signup, store):
    agent = signup.Agent(ScriptedLLM([NAME, "How old are you?"]), store=store)

    result = await agent.send("c", "I am Ada")

    assert result.response == "How old are you?"
    assert [message.role for message in result.messages] == ["assistant", "tool", "assistant"]
    assert result.state == {"step": "age", "name": "Ada", "age": 0, "notes": []}
    assert result.usage == {"prompt_tokens": 20, "completion_tokens": 40, "total_tokens": 60}
    assert result.metadata == {"stopped_reason": "text_response", "tool_calls_made": 1}


async def test_the_next_message_finds_the_conversation_as_it_was_left(signup, store):
    agent = signup.Agent(
        llm := ScriptedLLM([NAME, "How old?", tool_call_reply("save_age", age=36), "Done"]), store=store
    )

    await agent.send("c", "I am Ada")
    result = await agent.send("c", "36")

    assert result.state == {"step": "done", "name": "Ada", "age": 36, "notes": []}
    assert llm.calls[2]["messages"] == [
        {"role": "system", "content": "Ask for the age."},
        {"role": "user", "content": "I am Ada"},
        NAME,
        {"role": "tool", "content": "Saved Ada.", "tool_call_id": "call_1_save_name", "name": "save_name"},
        {"role": "assistant", "content": "How old?"},
        {"role": "user", "content": "36"},
    ]


async def test_another_agent_object_goes_on_with_the_same_store(signup, store):
    await signup.Agent(ScriptedLLM([NAME, "How old?"]), store=store).send("c", "I am Ada")

    agent = signup.Agent(ScriptedLLM([tool_call_reply("save_age", age=36), "Done"]), store=store)

    assert (await agent.get_state("c")).name == "Ada"
    assert (await agent.send("c", "36")).state["step"] == "done"


async def test_a_conversation_may_be_named_by_a_uuid_or_its_text(signup, store):
    agent = signup.Agent(ScriptedLLM(["One", "Two"]), store=store)
    conversation = uuid4()

    await agent.send(conversation, "hello")
    await agent.send(str(conversation), "again")

    assert [message.content for message in await agent.get_history(conversation)] == ["hello", "One", "again", "Two"]
    assert await agent.get_history(str(conversation)) == await agent.get_history(conversation)
    assert await agent.get_state(str(conversation)) == await agent.get_state(conversation)


async def test_conversations_do_not_mix(signup, store):
    agent = signup.Agent(ScriptedLLM([NAME, "One", "Two"]), store=store)

    await agent.send("a", "I am Ada")
    await agent.send("b", "hello")

    assert ((await agent.get_state("a")).name, (await agent.get_state("b")).name) == ("Ada", "")
    assert [message.content for message in await agent.get_history("b")] == ["hello", "Two"]


async def test_an_unknown_conversation_has_no_state_and_no_history(signup, store):
    agent = signup.Agent(ScriptedLLM(), store=store)

    assert await agent.get_state("nobody") is None
    assert await agent.get_history("nobody") == []


async def test_what_is_read_can_be_changed_without_changing_what_is_kept(signup, store):
    agent = signup.Agent(ScriptedLLM([copy.deepcopy(NAME), "How old?"]), store=store)
    result = await agent.send("c", "I am Ada")

    result.state["notes"].append("spoilt")
    result.messages[0].tool_calls[0]["id"] = "spoilt"
    (await agent.get_state("c")).notes.append("spoilt")
    (await agent.get_history("c"))[1].tool_calls.clear()

    assert (await agent.get_state("c")).notes == []
    assert (await agent.get_history("c"))[1] == AgentMessage.from_dict(NAME)


async def test_an_answer_is_stored_once(signup, store):
    agent = signup.Agent(ScriptedLLM(["Hi"]), store=store)

    await agent.send("c", "hello")

    assert [(message.role, message.content) for message in await agent.get_history("c")] == [
        ("user", "hello"),
        ("assistant", "Hi"),
    ]
    assert (await store.load("c", "signup")).version == 2  # the message, and the turn


async def test_the_model_sees_the_latest_messages_only_and_the_store_keeps_all(signup, store):
    agent = signup.Agent(llm := ScriptedLLM(list("abcdef")), JourneyConfig(max_history_messages=4), store=store)

    for number in range(6):
        await agent.send("c", f"message {number}")

    assert [message["content"] for message in llm.calls[-1]["messages"][1:]] == [
        "message 3",
        "d",
        "message 4",
        "e",
        "message 5",
    ]
    assert len(await agent.get_history("c")) == 12


@pytest.mark.parametrize("window", [0, 1])
async def test_a_window_may_be_as_small_as_it_gets(signup, store, window):
    agent = signup.Agent(llm := ScriptedLLM([NOTE, "a", "b"]), JourneyConfig(max_history_messages=window), store=store)

    await agent.send("c", "one")
    await agent.send("c", "two")

    assert llm.calls[-1]["messages"][-1] == {"role": "user", "content": "two"}
    assert is_sendable(llm.calls[-1]["messages"])
    assert await roles(agent) == ["user", "assistant", "tool", "assistant", "user", "assistant"]


async def test_without_a_window_the_model_sees_all(signup, store):
    agent = signup.Agent(llm := ScriptedLLM(["x"] * 150), JourneyConfig(max_history_messages=None), store=store)

    for number in range(150):
        await agent.send("c", str(number))

    assert len(llm.calls[-1]["messages"]) == 300


# Streams.


async def test_a_stream_tells_the_run_as_it_happens(signup, store):
    agent = signup.Agent(Streams([NAME], ["How ", "old?"]), store=store)

    events = await told(agent.stream("c", "I am Ada"))

    assert [event.kind for event in events] == [
        "run_started",
        "llm_call_started",
        "llm_call_finished",
        "tool_call_started",
        "tool_call_finished",
        "step_changed",
        "turn_finished",
        "llm_call_started",
        "text_delta",
        "text_delta",
        "llm_call_finished",
        "turn_finished",
        "run_finished",
    ]
    assert (events[5].from_step, events[5].to_step) == (signup.Step.NAME, signup.Step.AGE)
    assert events[-1].response == "How old?"


async def test_a_stream_begins_with_whose_run_it_is(signup):
    conversation = uuid4()

    events = await told(signup.Agent(ScriptedLLM(["Hi"])).stream(conversation, "hello"))

    start = events[0]
    assert isinstance(start, RunStarted)
    assert (start.conversation_id, start.agent_key, start.step) == (conversation, "signup", signup.Step.NAME)
    assert isinstance(start.run_id, UUID)


async def test_send_and_stream_are_the_same_run(signup):
    script: list[Any] = [NAME, tool_call_reply("explode"), "How old?"]
    sender, streamer = signup.Agent(ScriptedLLM(script)), signup.Agent(ScriptedLLM(script))

    result = await sender.send("c", "I am Ada")
    end = (await told(streamer.stream("c", "I am Ada")))[-1]

    assert (end.response, end.state, end.usage, end.reason) == (
        result.response,
        result.state,
        result.usage,
        result.metadata["stopped_reason"],
    )
    assert await sender.get_history("c") == await streamer.get_history("c")
    assert await sender.get_state("c") == await streamer.get_state("c")


ODD_CALLS = [
    {"content": "One moment", "tool_calls": [{"name": "note", "arguments": {"text": "ä"}}, {"function": None}, "x"]},
    tool_call_reply("odd", kind="bytes"),
    tool_call_reply("odd", kind="object"),
    tool_call_reply("hang"),
    tool_call_reply("unstorable"),
    tool_call_reply("save_name", name=3),
]


@pytest.mark.parametrize("script", [["Hi"], [NAME, "How old?"], [*ODD_CALLS, "Sorry"], [NOTE] * 3])
async def test_every_event_of_every_run_is_json(signup, script):
    config = JourneyConfig(10 if len(script) > 3 else 2, limits=RunLimits(tool_timeout_s=0.01))
    agent = signup.Agent(ScriptedLLM(script), config)

    events = [*await told(agent.stream("c", "I am Ada")), *await told(agent.stream(uuid4(), "I am Bob"))]

    for event in events:
        data = event.to_dict()
        assert json.loads(json.dumps(data, allow_nan=False)) == data
        assert data["kind"] == event.kind


async def test_a_client_that_can_only_generate_streams_its_text_in_one_piece(signup):
    class Plain:
        async def generate(self, messages: Any, *, tools: Any = None, **kwargs: Any) -> Any:
            return SimpleNamespace(message={"role": "assistant", "content": "Your name?"})

    events = await told(signup.Agent(Plain()).stream("c", "hello"))

    assert [event.text for event in events if isinstance(event, TextDelta)] == ["Your name?"]


async def test_send_asks_a_client_that_can_stream_to_generate(signup):
    llm = ScriptedLLM(["Hi"])
    llm.stream = None  # type: ignore[method-assign, assignment]  # it would fail

    assert (await signup.Agent(llm).send("c", "hello")).response == "Hi"


async def test_closing_words_are_streamed_too(signup):
    agent = signup.Agent(ScriptedLLM([NOTE, "I have to stop."]), JourneyConfig(1))

    events = await told(agent.stream("c", "hello"))

    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "I have to stop."


@pytest.mark.parametrize("script", [[NOTE, ""], [NOTE, NOTE]])
async def test_a_reader_of_a_stream_gets_the_words_that_stand_in_for_missing_ones(signup, script):
    agent = signup.Agent(ScriptedLLM(script), JourneyConfig(1))

    events = await told(agent.stream("c", "hello"))

    assert [event.text for event in events if isinstance(event, TextDelta)] == [events[-1].response] == ["Noted."]


# Streams that end early.


async def leave(agent: Any, at: type[RunEvent], text: str = "I am Ada") -> None:
    """Read a stream up to an event, and close it."""
    stream = agent.stream("c", text)
    async for event in stream:
        if isinstance(event, at):
            break
    await stream.aclose()


async def test_a_reader_that_leaves_in_the_middle_of_a_text_leaves_the_last_commit(signup, store):
    agent = signup.Agent(llm := Streams([NAME], ["How ", None], ["How old are you?"]), store=store)

    await leave(agent, TextDelta)

    assert llm.closed == 2
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert await roles(agent) == ["user", "assistant", "tool"]
    assert (await agent.get_state("c")).step is signup.Step.AGE
    assert (await told(agent.stream("c", "36")))[-1].response == "How old are you?"


@pytest.mark.parametrize("at", [RunStarted, LLMCallFinished, ToolCallFinished])
async def test_a_reader_that_leaves_before_the_turn_is_done_leaves_nothing_of_it(signup, store, at):
    agent = signup.Agent(Streams([NAME], ["Your name?"]), store=store)

    await leave(agent, at)

    assert await roles(agent) == ["user"]
    assert await agent.get_state("c") is None


async def test_a_reader_that_leaves_after_a_turn_finds_it_committed(signup, store):
    agent = signup.Agent(Streams([NAME], ["How old?"]), store=store)

    await leave(agent, TurnFinished)

    assert await roles(agent) == ["user", "assistant", "tool"]
    assert (await agent.get_state("c")).name == "Ada"


async def test_a_reader_that_raises_ends_the_run(signup):
    agent = signup.Agent(llm := Streams(["How ", None]))

    async def read() -> None:
        stream = agent.stream("c", "hello")
        try:
            async for event in stream:
                if isinstance(event, TextDelta):
                    raise KeyError("the reader's own")
        finally:
            await stream.aclose()

    with pytest.raises(KeyError, match="the reader's own"):
        await read()
    assert llm.closed == 1


async def test_a_stream_that_nobody_reads_does_nothing(signup, store):
    agent = signup.Agent(llm := ScriptedLLM(["Hi"]), store=store)

    await agent.stream("c", "hello").aclose()

    assert llm.call_count == 0
    assert await agent.get_history("c") == []


async def test_a_model_that_breaks_in_the_middle_of_its_text_leaves_no_half_message(signup, store):
    down = LLMUnavailable("the connection broke")
    agent = signup.Agent(llm := Streams([NAME], ["How ", down], ["How old?"]), store=store)

    events, error = await broken(agent.stream("c", "I am Ada"))

    assert error is down
    assert isinstance(events[-1], RunFailed)
    assert events[-1].error is down
    assert not any(isinstance(event, RunFinished) for event in events)
    assert llm.closed == 2
    assert await roles(agent) == ["user", "assistant", "tool"]
    await told(agent.stream("c", "I am Ada"))
    assert await roles(agent) == ["user", "assistant", "tool", "user", "assistant"]


async def test_a_model_that_breaks_at_once_leaves_the_users_message(signup, store):
    agent = signup.Agent(ScriptedLLM([LLMUnavailable("down"), "Hi"]), store=store)

    with pytest.raises(LLMUnavailable):
        await agent.send("c", "hello")
    assert await roles(agent) == ["user"]
    await agent.send("c", "are you there?")

    assert await roles(agent) == ["user", "user", "assistant"]


async def test_a_stream_cancelled_from_outside_tells_no_end(signup, store):
    agent = signup.Agent(llm := Streams([NAME], ["How ", None]), store=store)
    events: list[Any] = []
    begun = asyncio.Event()

    async def read() -> None:
        async for event in agent.stream("c", "I am Ada"):
            events.append(event)
            if isinstance(event, TextDelta):
                begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert llm.closed == 2
    assert events[-1].kind == "text_delta"
    assert await roles(agent) == ["user", "assistant", "tool"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_conflict_ends_a_stream_like_any_error(signup, store):
    class Slow(ScriptedLLM):
        async def stream(self, messages: Any, **kwargs: Any) -> Any:
            await store.commit("c", "other", expected_version=None, state={"x": 1})
            async for chunk in super().stream(messages, **kwargs):
                yield chunk

    events, error = await broken(signup.Agent(Slow([NAME]), store=store).stream("c", "I am Ada"))

    assert isinstance(error, StoreConflict)
    assert isinstance(events[-1], RunFailed)
    assert not any(isinstance(event, TurnFinished) for event in events)


async def test_hooks_hear_of_a_stream_while_it_is_read(signup):
    heard: list[str] = []

    class Listens(ExecutorHooks):
        async def on_tool_end(self, name: str, result: str) -> None:
            heard.append(result)

    stream = signup.Agent(ScriptedLLM([NAME, "How old?"]), hooks=Listens()).stream("c", "I am Ada")
    seen = []
    async for event in stream:
        if isinstance(event, ToolCallFinished):
            seen.append(list(heard))

    assert seen == [["Saved Ada."]]


# Memory.


async def test_without_a_store_conversations_are_kept_in_memory_by_each_agent_for_itself(signup):
    first, second = signup.Agent(ScriptedLLM([NAME, "How old?"])), signup.Agent(ScriptedLLM(["Hi"]))

    await first.send("c", "I am Ada")

    assert (await first.get_state("c")).name == "Ada"
    assert await second.get_state("c") is None


def test_a_conversation_in_memory_goes_on_in_another_event_loop(signup):
    agent = signup.Agent(ScriptedLLM([NAME, "How old?", "36, really?"]))

    asyncio.run(agent.send("c", "I am Ada"))

    assert asyncio.run(agent.send("c", "36")).state["name"] == "Ada"
    assert len(asyncio.run(agent.get_history("c"))) == 6


def test_a_conversation_in_sqlite_goes_on_in_another_event_loop(signup, tmp_path):
    agent = signup.Agent(ScriptedLLM([NAME, "How old?", "36, really?"]), store=f"sqlite:///{tmp_path}/c.db")

    asyncio.run(agent.send("c", "I am Ada"))
    result = asyncio.run(agent.send("c", "36"))
    asyncio.run(agent.aclose())

    assert result.state["name"] == "Ada"
