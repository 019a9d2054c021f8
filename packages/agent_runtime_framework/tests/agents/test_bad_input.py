"""What people and models send that nobody would: nothing is lost, and the conversation goes on."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from agent_runtime_core.errors import ConfigError, LLMBadReply, StateDecodeError, StoreUnavailable
from agent_runtime_core.history import is_sendable
from agent_runtime_core.stores import open_store
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import ConversationStore, JourneyConfig, RunLimits, ToolParameter, ToolSchema


@pytest.fixture(params=["memory", "sqlite"])
async def store(request, tmp_path):
    opened = open_store("memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/c.db")
    yield opened
    await opened.close()


# Messages of the user.


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "x" * 1_000_000,
        "ä" * 500_000,
        "nul \0 in the middle",
        "\0",
        "\x1b[2J\r\n\t",
        "🚀\U0010ffff",
        '{"a": "\\"}',
        "'; drop",
    ],
    ids=["empty", "blank", "a megabyte", "two bytes", "null byte", "only null", "control", "emoji", "json", "sql"],
)
async def test_any_text_reaches_the_model_and_the_store_as_it_is(signup, store, text):
    agent = signup.Agent(llm := ScriptedLLM(["Hi", "Again"]), store=store)

    await agent.send("c", text)
    await agent.send("c", text)

    assert [message["content"] for message in llm.calls[1]["messages"][1:]] == [text, "Hi", text]
    assert (await agent.get_history("c"))[0].content == text


HALF = "half \ud83d an emoji"


def wire(messages: Any) -> bytes:
    """The messages as a client sends them."""
    return json.dumps(messages, ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize(
    ("text", "stored"),
    [(HALF, "half \ufffd an emoji"), ("\udfff", "\ufffd"), ("two halves: \ud83d\ude80", "two halves: 🚀")],
)
async def test_half_a_character_is_replaced_so_that_the_message_can_be_sent(signup, store, text, stored):
    agent = signup.Agent(llm := ScriptedLLM(["Hi"]), store=store)

    await agent.send("c", text)

    assert wire(llm.calls[0]["messages"])
    assert (await agent.get_history("c"))[0].content == stored


@pytest.mark.parametrize("start", ["send", "stream"])
async def test_half_a_character_in_what_a_model_or_a_tool_says_does_not_end_the_conversation(signup, store, start):
    async def execute_tool(tools, name, arguments):
        if name == "explode":
            raise ValueError(HALF)
        return HALF if name == "note" else {"said": HALF}

    calls = tool_call_reply("note", ("explode", {}), ("odd", {"kind": "dict"}), text="x")
    agent = signup.Agent(llm := ScriptedLLM([calls, HALF, "Yes?"]), store=store)
    agent.execute_tool = execute_tool

    for text in ("hello", "again"):
        if start == "send":
            await agent.send("c", text)
        else:
            _ = [event async for event in agent.stream("c", text)]

    assert wire(llm.calls[2]["messages"])
    assert (await agent.get_history("c"))[5].content == "half \ufffd an emoji"


@pytest.mark.parametrize("text", [None, 3, b"hello", ["hello"], {"role": "user", "content": "hello"}])
async def test_what_is_no_text_is_refused_and_says_so(signup, text):
    agent = signup.Agent(llm := ScriptedLLM(["Hi"]))

    with pytest.raises(TypeError, match=f"a message is a text, not {type(text).__name__}"):
        await agent.send("c", text)
    with pytest.raises(TypeError, match="a message is a text"):
        agent.stream("c", text)

    assert llm.call_count == 0


@pytest.mark.parametrize("conversation", [None, ""])
async def test_a_conversation_without_a_name_is_refused(signup, store, conversation):
    agent = signup.Agent(llm := ScriptedLLM(["Hi"]), store=store)

    with pytest.raises(ValueError, match=r"conversation id is empty; give the conversation a name"):
        await agent.send(conversation, "hello")
    with pytest.raises(ValueError, match="conversation id is empty"):
        agent.stream(conversation, "hello")

    assert llm.call_count == 0
    assert await store.history("None") == []


@pytest.mark.parametrize("conversation", ["x" * 10_000, "a/b", "../../etc", "'; drop table", "nul \0", "ä 🚀", " "])
async def test_any_other_name_will_do(signup, store, conversation):
    agent = signup.Agent(ScriptedLLM(["Hi"]), store=store)

    await agent.send(conversation, "hello")

    assert [message.content for message in await agent.get_history(conversation)] == ["hello", "Hi"]
    assert await agent.get_history(f"{conversation}x") == []


# Replies of the model.


@pytest.mark.parametrize("content", ["", None, [], "   "])
async def test_an_empty_reply_ends_the_run_and_the_conversation_goes_on(signup, store, content):
    agent = signup.Agent(llm := ScriptedLLM([{"role": "assistant", "content": content}, "Here I am"]), store=store)

    first = await agent.send("c", "hello")
    second = await agent.send("c", "hello?")

    assert first.response == (content or "")
    assert second.response == "Here I am"
    assert is_sendable(llm.calls[1]["messages"])


@pytest.mark.parametrize("usage", [None, {}, "many", {"total_tokens": None}, {"total_tokens": {"a": 1}}, [1], object()])
async def test_odd_token_counts_do_not_matter(signup, usage):
    class Odd:
        async def generate(self, messages: Any, **kwargs: Any) -> Any:
            return SimpleNamespace(message={"role": "assistant", "content": "Hi"}, usage=usage)

    config = JourneyConfig(limits=RunLimits(max_total_tokens=100))

    assert (await signup.Agent(Odd(), config).send("c", "hello")).usage == {}


@pytest.mark.parametrize("response", [None, "Hi", {"message": {"content": "Hi"}}, object()])
async def test_a_response_without_a_message_is_an_error_and_only_the_users_message_is_stored(signup, store, response):
    class Odd:
        async def generate(self, messages: Any, **kwargs: Any) -> Any:
            return response

    agent = signup.Agent(Odd(), store=store)

    with pytest.raises(LLMBadReply, match=f"answered with {type(response).__name__} whose message is"):
        await agent.send("c", "hello")

    assert [message.to_dict() for message in await agent.get_history("c")] == [{"role": "user", "content": "hello"}]
    assert await agent.get_state("c") is None


@pytest.mark.parametrize(
    "wire",
    [
        {"id": "a", "name": "note", "arguments": "{'text': 'x'}"},
        {"id": "a", "name": "note", "arguments": {"text": float("nan")}},
        {"id": "a", "name": "note", "arguments": {"text": float("inf")}},
        {"id": "a", "name": "note", "arguments": {"text": object()}},
        {"id": "a", "name": "note", "arguments": {"text": {"set"}}},
        {"id": "a", "name": "note", "arguments": {("a", "b"): "x"}},
        {"id": "a", "function": {"name": "note", "arguments": '{"text": ' + "[" * 5000}},
        {"id": "a", "function": {"name": "note", "arguments": "x" * 1_000_000}},
        {"id": "a", "function": {"name": "note", "arguments": '{"text": ' + "9" * 5000 + "}"}},
        {"id": "a", "function": {"name": "x" * 100_000}},
        {"id": "a", "function": {"name": "note\0"}},
        {"id": {"odd": 1}, "function": {"name": ["note"]}},
        "note",
        None,
    ],
)
async def test_a_malformed_call_gets_an_error_and_the_conversation_can_go_on(signup, store, wire):
    bad = {"role": "assistant", "content": None, "tool_calls": [wire]}
    agent = signup.Agent(llm := ScriptedLLM([bad, "Sorry", "Yes?"]), store=store)

    result = await agent.send("c", "hello")
    await agent.send("c", "again")

    said = llm.calls[1]["messages"][-1]["content"]
    assert said.startswith("Error: ")
    assert len(said) < 1000
    assert signup.ran == []
    assert result.response == "Sorry"
    assert is_sendable(llm.calls[2]["messages"])
    json.dumps(llm.calls[2]["messages"], allow_nan=False)


async def test_two_calls_with_one_id_both_run_and_both_have_their_result(signup, store):
    wire = [{"id": "same", "name": "note", "arguments": {"text": text}} for text in ("a", "b")]
    agent = signup.Agent(llm := ScriptedLLM([{"content": None, "tool_calls": wire}, "Done", "Yes?"]), store=store)

    await agent.send("c", "hello")
    result = await agent.send("c", "again")

    sent = llm.calls[2]["messages"]
    ids = [call["id"] for call in sent[2]["tool_calls"]]
    assert len(set(ids)) == 2
    assert [message["tool_call_id"] for message in sent if message["role"] == "tool"] == ids
    assert result.state["notes"] == ["a", "b"]


@pytest.mark.parametrize("deltas", [[None, "Hi"], [3, "Hi"], ["H", "", "i"], [b"x", "Hi"]])
async def test_odd_pieces_of_a_stream_are_left_out(signup, deltas):
    class Odd:
        async def generate(self, messages: Any, **kwargs: Any) -> Any:
            raise AssertionError("not asked")

        async def stream(self, messages: Any, **kwargs: Any) -> Any:
            for delta in deltas:
                yield SimpleNamespace(delta=delta, tool_calls=None, usage=None)

    events = [event async for event in signup.Agent(Odd()).stream("c", "hello")]

    assert events[-1].response == "Hi"


# Tools.


@pytest.mark.parametrize(
    ("kind", "text"),
    [("none", ""), ("dict", '{"a": [1, "ä"]}'), ("number", "3"), ("bytes", "\ufffd"), ("object", "<class 'object'>")],
)
async def test_a_tool_may_return_what_it_likes(signup, store, kind, text):
    agent = signup.Agent(llm := ScriptedLLM([tool_call_reply("odd", kind=kind), "Done"]), store=store)

    await agent.send("c", "hello")

    assert llm.calls[1]["messages"][-1]["content"] == text
    assert (await agent.get_history("c"))[2].content == text


async def test_a_tool_that_raises_is_told_and_the_conversation_goes_on(signup, store):
    agent = signup.Agent(ScriptedLLM([tool_call_reply("explode"), "Sorry", "Yes?"]), store=store)

    first = await agent.send("c", "hello")
    await agent.send("c", "again")

    assert first.messages[1].content == "Error executing explode: the backend is down"
    assert (await agent.get_state("c")).notes == []
    assert len(await agent.get_history("c")) == 6


async def test_a_tool_that_hangs_is_stopped_and_the_conversation_goes_on(signup, store):
    config = JourneyConfig(limits=RunLimits(tool_timeout_s=0.01))
    agent = signup.Agent(ScriptedLLM([tool_call_reply("hang"), "Sorry", "Yes?"]), config, store=store)

    first = await agent.send("c", "hello")
    await agent.send("c", "again")

    assert first.messages[1].content == "Error executing hang: it took longer than 0.01 seconds"
    assert (await agent.get_state("c")).notes == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_run_out_of_time_inside_a_tool_ends_in_words(signup, store):
    config = JourneyConfig(limits=RunLimits(max_seconds=0.02))
    agent = signup.Agent(ScriptedLLM([tool_call_reply("hang"), "never asked"]), config, store=store)

    result = await agent.send("c", "hello")

    assert result.metadata["stopped_reason"] == "limit:seconds"
    assert result.response == config.closing_text
    assert (await agent.get_history("c"))[-1].content == config.closing_text


async def test_a_schema_that_is_no_schema_is_the_programmers_error_and_only_the_users_message_is_stored(signup, store):
    agent = signup.Agent(ScriptedLLM([tool_call_reply("note", text="x")]), store=store)
    agent.get_tool_schemas = lambda state: [ToolSchema("note", "", [ToolParameter("text", "str")])]

    with pytest.raises(ConfigError, match="schema of tool 'note' is not a valid JSON schema"):
        await agent.send("c", "hello")

    assert [message.to_dict() for message in await agent.get_history("c")] == [{"role": "user", "content": "hello"}]
    assert await agent.get_state("c") is None


# Stores.


async def test_a_stored_state_that_no_longer_decodes_is_an_error_and_it_is_not_changed(signup, store):
    await store.commit("c", "signup", expected_version=0, state={"step": "gone"}, messages=[{"role": "user"}])
    agent = signup.Agent(llm := ScriptedLLM(["Hi"]), store=store)

    for _ in range(2):
        with pytest.raises(StateDecodeError, match=r"conversation 'c'.*'gone' is not a valid Step.*accept older forms"):
            await agent.send("c", "hello")

    kept = await store.load("c", "signup")
    assert kept.state == {"step": "gone"}
    assert kept.messages == [{"role": "user"}, *[{"role": "user", "content": "hello"}] * 2]  # what was said is kept
    assert llm.call_count == 0


async def test_the_history_can_still_be_read_then(signup, store):
    stored = [{"role": "user", "content": "hello"}]
    await store.commit("c", "signup", expected_version=0, state={"step": "gone"}, messages=stored)

    history = await signup.Agent(ScriptedLLM(), store=store).get_history("c")

    assert [message.to_dict() for message in history] == stored


async def test_what_is_no_message_is_left_out_of_the_history_and_logged(signup, store, caplog):
    agent = signup.Agent(ScriptedLLM(["Hi", "Again"]), store=store)
    await agent.send("c", "Hello")
    await store.commit("c", "signup", expected_version=None, messages=[{"nonsense": "secret"}, {"role": None}])
    await agent.send("c", "Still there?")

    told = [message.content for message in await agent.get_history("c")]
    kept = [message.content for message in await ConversationStore(store).get_messages("c")]

    assert told == kept == ["Hello", "Hi", "Still there?", "Again"]
    assert "number 2 of those read of conversation 'c' is no message" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("owner", [None, 5, b"ada"])
async def test_an_owner_that_is_neither_a_text_nor_a_uuid_is_refused_and_nothing_is_stored(signup, store, owner):
    agent = signup.Agent(ScriptedLLM([]), store=store)

    with pytest.raises(TypeError, match=r"owner is .*; give a text or a UUID"):
        await agent.send("c", "Hello", owner=owner)

    assert await store.conversations() == []


@pytest.mark.parametrize("content", [b"this is no database, but a diary" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
async def test_a_file_that_is_no_database_is_refused_before_the_model_is_asked_and_stays_as_it_is(
    signup, tmp_path, content
):
    file = tmp_path / "journeys.db"
    file.write_bytes(content)

    async with signup.Agent(llm := ScriptedLLM(["Hi"]), store=f"sqlite:///{file}") as agent:
        with pytest.raises(StoreUnavailable, match=r"journeys\.db"):
            await agent.send("c", "hello")

    assert llm.call_count == 0
    assert file.read_bytes() == content


async def test_a_folder_that_is_not_there_is_named(signup, tmp_path):
    async with signup.Agent(ScriptedLLM(["Hi"]), store=f"sqlite:///{tmp_path}/nowhere/journeys.db") as agent:
        with pytest.raises(StoreUnavailable, match="nowhere"):
            await agent.send("c", "hello")


@pytest.mark.parametrize("store", ["journeys.db", "mongodb://x", 3, object()], ids=["path", "url", "number", "object"])
def test_what_is_no_store_is_refused_when_the_agent_is_made(signup, store):
    with pytest.raises(ConfigError, match="store"):
        signup.Agent(ScriptedLLM(), store=store)
