"""The guarantees that users may rely on, one test or more for each, named after it: see the list in README.md."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pytest

from agent_runtime_core.errors import JourneyError, LLMError, StoreConflict
from agent_runtime_core.events import RunFinished, StepChanged, ToolCallFinished, TurnFinished
from agent_runtime_core.history import is_sendable
from agent_runtime_core.stores import InMemoryCheckpointStore
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import (
    BaseJourneyState,
    BaseJourneyTools,
    ExecutorHooks,
    JourneyAgent,
    JourneyConfig,
    LoggingHooks,
    RunLimits,
    ToolResult,
    configure,
    tool,
)


def results(events):
    return [event.outcome for event in events if isinstance(event, ToolCallFinished)]


async def told(stream):
    return [event async for event in stream]


async def test_1_prompt_and_tools_are_those_of_the_step_as_it_is_now_after_every_round_of_tools(signup, context):
    llm = ScriptedLLM([tool_call_reply("save_name", name="Ada"), tool_call_reply("save_age", age=36), "Bye"])

    await signup.Agent(llm).run(context("I am Ada, 36"))

    seen = [
        (call["messages"][0]["content"], [t["function"]["name"] for t in call["tools"] or []]) for call in llm.calls
    ]
    assert [prompt for prompt, _ in seen] == ["Ask for the name.", "Ask for the age.", "Thank the user."]
    assert [tools[:1] for _, tools in seen] == [["save_name"], ["save_age"], []]
    assert llm.calls[2]["tools"] is None


@pytest.mark.parametrize(
    "name", ["save_age", "_secret", "__init__", "state", "on_state_change", "nothing", "", "save name"]
)
async def test_2_only_a_tool_offered_at_the_present_step_can_run(signup, context, name):
    llm = ScriptedLLM([tool_call_reply(name, age=36), tool_call_reply("note", text="x"), "Sorry"])

    result = await signup.Agent(llm).run(context("hello"))

    refusal = llm.calls[1]["messages"][-1]["content"]
    assert refusal.startswith("Error: Unknown tool")
    assert "save_name, note, explode" in refusal
    assert signup.ran == ["note"]
    assert result.response == "Sorry"


async def test_2_a_tool_that_an_earlier_call_of_the_same_reply_has_left_behind_does_not_run(signup, context):
    twice = tool_call_reply("save_name", ("save_name", {"name": "Bob"}), ("save_age", {"age": 3}), name="Ada")

    result = await signup.Agent(ScriptedLLM([twice, "Done"])).run(context("hello"))

    assert signup.ran == ["save_name", "save_age"]
    assert result.state["name"] == "Ada"
    assert result.state["age"] == 3


async def test_2_an_offer_that_depends_on_the_data_follows_it_within_one_reply(signup, context):
    agent_class: Any = signup.Agent

    class OneNoteOnly(agent_class):
        def get_tool_schemas(self, state):
            return [each for each in super().get_tool_schemas(state) if not (state.notes and each.name == "note")]

    twice = tool_call_reply("note", ("note", {"text": "second"}), text="first")

    result = await OneNoteOnly(ScriptedLLM([twice, "Done"])).run(context("hello"))

    assert result.state["notes"] == ["first"]
    assert result.messages[2].content.startswith("Error: Unknown tool 'note'")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ('{"age": "old"}', '"old" is not of type "integer"'),
        ("{}", '"age" is a required property'),
        ('{"age": 3, "wise": true}', "'wise' was unexpected"),
        ('{"age": true}', 'true is not of type "integer"'),
        ('{"age": 3', "not valid JSON"),
        ("{'age': 3}", "not valid JSON"),
        ("[3]", "a list, not a JSON object"),
        ("null", "null, not a JSON object"),
        ('{"age": NaN}', "not valid JSON"),
        ([3], "a list, not a JSON object"),
    ],
)
async def test_3_arguments_are_checked_before_a_tool_runs_and_what_is_wrong_goes_back_to_the_model(
    signup, context, arguments, words
):
    wrong = {"content": None, "tool_calls": [{"id": "a", "function": {"name": "save_age", "arguments": arguments}}]}
    agent = signup.Agent(llm := ScriptedLLM([wrong, tool_call_reply("save_age", age=36), "Thanks"]))
    agent.start = signup.Step.AGE

    result = await agent.run(context("36"))

    said = llm.calls[1]["messages"][-1]["content"]
    assert said.startswith("Error: invalid arguments for 'save_age'")
    assert words in said
    assert signup.ran == ["save_age"]
    assert result.state["age"] == 36


async def test_3_a_whole_number_written_with_a_point_arrives_as_an_int(signup, context):
    agent = signup.Agent(ScriptedLLM([tool_call_reply("save_age", age=36.0), "Thanks"]))
    agent.start = signup.Step.AGE

    result = await agent.run(context("36"))

    assert type(result.state["age"]) is int


async def test_4_a_tool_that_raises_leaves_the_state_as_it_was(signup, context):
    llm = ScriptedLLM([tool_call_reply("note", text="first"), tool_call_reply("explode"), "Sorry"])

    result = await signup.Agent(llm).run(context("hello"))

    assert signup.ran == ["note", "explode"]
    assert llm.calls[2]["messages"][-1]["content"] == "Error executing explode: the backend is down"
    assert result.state == {"step": "name", "name": "", "age": 0, "notes": ["first"]}


async def test_4_a_tool_that_takes_too_long_is_stopped_and_undone(signup, context):
    config = JourneyConfig(limits=RunLimits(tool_timeout_s=0.01))
    llm = ScriptedLLM([tool_call_reply("hang"), "Sorry"])

    result = await signup.Agent(llm, config).run(context("hello"))

    assert "took longer than 0.01 seconds" in llm.calls[1]["messages"][-1]["content"]
    assert result.state["notes"] == []


async def test_4_a_tool_that_leaves_a_state_that_cannot_be_stored_is_undone(signup, store):
    llm = ScriptedLLM([tool_call_reply("unstorable"), "Sorry"])

    result = await signup.Agent(llm, store=store).send("c", "hello")

    assert llm.calls[1]["messages"][-1]["content"].startswith("Error executing unstorable: the tool left a state")
    assert result.state["notes"] == []


class Place(str, Enum):
    HERE = "here"
    THERE = "there"
    DONE = "done"


@dataclass
class Journeying(BaseJourneyState[Place]):
    step: Place = Place.HERE
    seen: list[str] = field(default_factory=list)


class Ways(BaseJourneyTools[Journeying]):
    @tool(step=Place.HERE, to=Place.THERE)
    async def walk(self) -> str:
        self.state.seen.append("walk")
        return "walked"

    @tool(step=Place.HERE, to=Place.THERE)
    async def jump(self) -> str:
        self.state.seen.append("jump")
        self.state.step = Place.DONE
        return "jumped"

    @tool(step=Place.HERE)
    async def wander(self, far: bool) -> str:
        self.state.seen.append("wander")
        if far:
            self.state.step = Place.THERE
        return "wandered"

    @tool(step=Place.THERE, to=[Place.HERE, Place.DONE])
    def choose(self, place: Place) -> str:
        self.state.seen.append("choose")
        self.state.step = place
        return "chosen"

    @tool(step=Place.HERE, to=Place.THERE)
    async def stumble(self) -> ToolResult:
        return ToolResult.fail("no way")


class Travel(JourneyAgent[Journeying, Ways, Place]):
    key = "travel"
    prompts = {Place.HERE: "Go.", Place.THERE: "Choose.", Place.DONE: "Rest."}  # noqa: RUF012


async def test_5_a_declared_transition_is_made_by_the_framework(store):
    result = await Travel(ScriptedLLM([tool_call_reply("walk"), "There."]), store=store).send("c", "walk")

    assert result.state == {"step": "there", "seen": ["walk"]}


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("jump", {}, "has moved from Place.HERE to Place.DONE, and declares Place.THERE"),
        ("wander", {"far": True}, "has moved from Place.HERE to Place.THERE, and declares to stay"),
    ],
)
async def test_5_an_undeclared_transition_is_an_error_and_undone(store, name, arguments, words):
    agent = Travel(llm := ScriptedLLM([tool_call_reply(name, **arguments), "Sorry."]), store=store)

    result = await agent.send("c", "go")

    assert words in llm.calls[1]["messages"][-1]["content"]
    assert result.state == {"step": "here", "seen": []}
    assert await agent.get_state("c") == Journeying()


async def test_5_in_debug_mode_an_undeclared_transition_is_raised_and_nothing_of_it_is_stored(store):
    configure(debug=True)
    agent = Travel(ScriptedLLM([tool_call_reply("jump")]), store=store)

    with pytest.raises(JourneyError, match=r"tool 'jump' \(.*test_guarantees\.py:\d+\) has moved"):
        await agent.send("c", "go")

    assert (await agent.get_state("c") or Journeying()) == Journeying()


@pytest.mark.parametrize("place", ["here", "done"])
async def test_5_of_several_declared_transitions_the_tool_chooses_one(store, place):
    replies = [tool_call_reply("walk"), tool_call_reply("choose", place=place), "Well."]

    result = await Travel(ScriptedLLM(replies), store=store).send("c", "go")

    assert result.state["step"] == place


async def test_5_a_tool_without_a_transition_and_one_that_says_no_stay(store):
    replies = [tool_call_reply("wander", far=False), tool_call_reply("stumble"), "Still here."]

    result = await Travel(ScriptedLLM(replies), store=store).send("c", "go")

    assert result.state == {"step": "here", "seen": ["wander"]}


async def test_6_state_and_messages_are_committed_together_after_every_turn(signup, store):
    agent = signup.Agent(ScriptedLLM([tool_call_reply("save_name", name="Ada"), "How old?"]), store=store)

    seen = []
    async for event in agent.stream("c", "I am Ada"):
        if isinstance(event, TurnFinished):
            kept = await store.load("c", "signup")
            seen.append((kept.version, kept.state["step"], [message["role"] for message in kept.messages]))

    assert seen == [
        (2, "age", ["user", "assistant", "tool"]),
        (3, "age", ["user", "assistant", "tool", "assistant"]),
    ]


async def test_6_a_model_that_fails_right_after_a_tool_leaves_the_tools_commit_and_the_run_can_be_resumed(
    signup, store
):
    down = LLMError("the model is down")
    llm = ScriptedLLM([tool_call_reply("save_name", name="Ada"), down, "How old are you, Ada?"])
    agent = signup.Agent(llm, store=store)

    with pytest.raises(LLMError):
        await agent.send("c", "I am Ada")
    result = await agent.send("c", "I am Ada")

    assert signup.ran == ["save_name"]
    assert result.state["step"] == "age"
    assert [m.role for m in await agent.get_history("c")] == ["user", "assistant", "tool", "user", "assistant"]
    assert is_sendable(llm.calls[2]["messages"])


async def test_6_a_stale_version_raises_a_conflict_and_nothing_of_the_turn_is_written(signup, store):
    class Slow(ScriptedLLM):
        async def generate(self, messages, **kwargs):
            await store.commit("c", "other", expected_version=None, state={"x": 1})
            return await super().generate(messages, **kwargs)

    agent = signup.Agent(Slow([tool_call_reply("save_name", name="Ada")]), store=store)

    with pytest.raises(StoreConflict) as caught:
        await agent.send("c", "I am Ada")

    assert (caught.value.expected_version, caught.value.found_version) == (1, 2)
    assert await agent.get_state("c") is None
    assert [m.role for m in await agent.get_history("c")] == ["user"]


async def test_6_cancellation_at_any_await_leaves_the_last_commit_and_no_pending_task(signup, store):
    reached = asyncio.Event()

    class Waits(ScriptedLLM):
        async def generate(self, messages, **kwargs):
            if self.call_count == 1:
                reached.set()
                await asyncio.Event().wait()
            return await super().generate(messages, **kwargs)

    agent = signup.Agent(Waits([tool_call_reply("save_name", name="Ada")]), store=store)
    run = asyncio.create_task(agent.send("c", "I am Ada"))
    await reached.wait()

    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run

    assert (await agent.get_state("c")).step is signup.Step.AGE
    assert [m.role for m in await agent.get_history("c")] == ["user", "assistant", "tool"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_6_cancellation_inside_a_tool_commits_nothing_of_its_turn(signup, store):
    entered = asyncio.Event()

    agent_class: Any = signup.Agent

    class Watched(agent_class):
        async def execute_tool(self, tools, name, arguments):
            entered.set()
            return await super().execute_tool(tools, name, arguments)

    agent = Watched(ScriptedLLM([tool_call_reply("hang")]), store=store)
    run = asyncio.create_task(agent.send("c", "wait"))
    await entered.wait()

    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run

    assert await agent.get_state("c") is None
    assert [m.role for m in await agent.get_history("c")] == ["user"]


async def test_7_two_messages_at_once_neither_interleave_nor_overwrite_each_other(signup, store):
    class Yields(ScriptedLLM):
        async def generate(self, messages, **kwargs):
            await asyncio.sleep(0)
            return await super().generate(messages, **kwargs)

    agent = signup.Agent(
        Yields([tool_call_reply("note", text="a"), "one", tool_call_reply("note", text="b"), "two"]), store=store
    )

    await asyncio.gather(agent.send("c", "first"), agent.send("c", "second"))

    roles = [message.role for message in await agent.get_history("c")]
    assert roles == ["user", "assistant", "tool", "assistant"] * 2
    assert (await agent.get_state("c")).notes == ["a", "b"]


async def test_7_a_message_that_comes_again_gets_its_stored_answer(signup, store):
    agent = signup.Agent(llm := ScriptedLLM([tool_call_reply("note", text="a"), "noted"]), store=store)

    answers = [(await agent.send("c", "note it", message_id="m")).response for _ in range(3)]

    assert answers == ["noted"] * 3
    assert (llm.call_count, signup.ran) == (2, ["note"])


async def test_8_a_stored_conversation_can_always_be_sent_again_whatever_was_cut(signup, store):
    agent = signup.Agent(llm := ScriptedLLM(), JourneyConfig(max_history_messages=3), store=store)
    llm.replies = [tool_call_reply("note", text="a"), "one", tool_call_reply("note", text="b"), "two", "three"]

    for text in ("first", "second", "third"):
        await agent.send("c", text)

    for call in llm.calls:
        assert is_sendable(call["messages"])
        assert call["messages"][1]["role"] != "tool"
        assert len(call["messages"]) <= 1 + 3 + 3


async def test_8_a_call_whose_result_is_missing_is_mended_before_it_is_sent(signup, store):
    cut = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": None, **_calls("note", "note")}]
    await store.commit("c", "signup", expected_version=0, messages=[*cut, _result("call_1"), _result("call_9")])
    agent = signup.Agent(llm := ScriptedLLM(["Welcome back"]), store=store)

    await agent.send("c", "hello")

    sent = llm.calls[0]["messages"]
    assert [m["role"] for m in sent] == ["system", "user", "assistant", "tool", "tool", "user"]
    assert [m.get("tool_call_id") for m in sent[3:5]] == ["call_1", "call_2"]
    assert "interrupted" in sent[4]["content"]


def _calls(*names):
    calls = enumerate(names, 1)
    return {"tool_calls": [{"id": f"call_{i}", "function": {"name": n, "arguments": "{}"}} for i, n in calls]}


def _result(call_id):
    return {"role": "tool", "content": "Noted.", "tool_call_id": call_id, "name": "note"}


FOREVER = [tool_call_reply("note", text="again")] * 50


@pytest.mark.parametrize(
    ("script", "config", "reason", "calls"),
    [
        (["Hello"], {}, "text_response", 1),
        ([tool_call_reply("note", text="x")], {"terminal_tools": {"note"}}, "terminal_tool:note", 1),
        ([*FOREVER[:3], "In words"], {"max_tool_iterations": 3}, "max_iterations", 4),
        (["In words"], {"max_tool_iterations": 0}, "max_iterations", 1),
        (["In words"], {"max_tool_iterations": -1}, "max_iterations", 1),
        ([*FOREVER[:2], "In words"], {"limits": RunLimits(max_tool_calls=1)}, "limit:tool_calls", 3),
        (FOREVER, {"limits": RunLimits(max_total_tokens=60)}, "limit:total_tokens", 2),
        (FOREVER, {"limits": RunLimits(max_seconds=0)}, "limit:seconds", 0),
        (
            [*[tool_call_reply("note", wrong=1)] * 3, "In words"],
            {"limits": RunLimits(max_invalid_arguments=2)},
            "limit:invalid_arguments",
            4,
        ),
    ],
)
async def test_9_every_run_ends_with_a_reason_and_with_words(signup, context, script, config, reason, calls):
    agent = signup.Agent(llm := ScriptedLLM(script), JourneyConfig(**config))

    events = await told(agent.run_stream(context("hello")))

    assert [event.kind for event in events].count("run_finished") == 1
    assert isinstance(events[-1], RunFinished)
    assert events[-1].reason == reason
    assert events[-1].response in {"Hello", "Noted.", "In words", agent.config.closing_text}
    assert events[-1].messages[-1]["content"] == events[-1].response
    assert llm.call_count == calls


async def test_9_at_the_iteration_limit_the_closing_call_offers_no_tools(signup, context):
    llm = ScriptedLLM([*FOREVER[:2], "That is all I could do."])

    result = await signup.Agent(llm, JourneyConfig(max_tool_iterations=2)).run(context("hello"))

    assert llm.calls[2]["tools"] is None
    assert result.response == "That is all I could do."
    assert result.metadata == {"stopped_reason": "max_iterations", "tool_calls_made": 2}


async def test_9_a_model_that_has_no_closing_words_leaves_the_last_tools(signup, context):
    llm = ScriptedLLM(FOREVER)

    result = await signup.Agent(llm, JourneyConfig(max_tool_iterations=2)).run(context("hello"))

    assert result.response == "Noted."
    assert len(signup.ran) == 2


async def test_9_a_request_that_was_taken_back_ends_before_the_next_question(signup, context):
    ctx = context("I am Ada")

    def take_back(messages, tools):
        ctx.cancel()
        return tool_call_reply("save_name", name="Ada")

    agent = signup.Agent(llm := ScriptedLLM([take_back, "How old?"]))
    result = await agent.run(ctx)

    assert result.metadata["stopped_reason"] == "cancelled"
    assert llm.call_count == 1
    assert (await agent.load_state(ctx)).name == "Ada"


async def test_9_a_run_out_of_time_in_the_middle_of_a_question_ends_in_words(signup, context):
    class NeverAnswers(ScriptedLLM):
        async def generate(self, messages, **kwargs):
            await asyncio.Event().wait()

    config = JourneyConfig(limits=RunLimits(max_seconds=0.01))

    result = await signup.Agent(NeverAnswers(), config).run(context("hello"))

    assert result.metadata["stopped_reason"] == "limit:seconds"
    assert result.response == config.closing_text


class BrokenHooks(ExecutorHooks):
    def __init__(self):
        self.heard = []

    def __getattribute__(self, name):
        if name.startswith("on_"):
            self.heard.append(name)

            async def fail(*arguments):
                for each in arguments:
                    if isinstance(each, (list, dict)):
                        each.clear()
                raise ValueError(f"{name} is broken: ada@example.org")

            return fail
        return super().__getattribute__(name)


async def test_10_hooks_cannot_break_a_run(signup, store):
    hooks = BrokenHooks()
    llm = ScriptedLLM([tool_call_reply("save_name", name="Ada"), "How old?"])

    result = await signup.Agent(llm, store=store, hooks=hooks).send("c", "I am Ada")

    assert result.response == "How old?"
    assert result.state["name"] == "Ada"
    assert [m["role"] for m in llm.calls[1]["messages"]] == ["system", "user", "assistant", "tool"]
    assert {"on_iteration_start", "on_llm_call", "on_tool_calls", "on_tool_start", "on_tool_end", "on_complete"} == set(
        hooks.heard
    )


async def test_10_a_broken_hook_is_raised_in_debug_mode(signup, context):
    configure(debug=True)

    with pytest.raises(ValueError, match="on_iteration_start is broken"):
        await signup.Agent(ScriptedLLM(["Hi"]), hooks=BrokenHooks()).run(context("hello"))


async def test_10_conversation_text_and_arguments_are_never_logged_above_debug(signup, store, caplog):
    configure(log_level="DEBUG")
    caplog.set_level(logging.DEBUG)
    secret = "4111-1111"
    script: list[Any] = [
        tool_call_reply("note", text=secret),
        tool_call_reply("odd", kind=secret),
        tool_call_reply("explode"),
        secret,
    ]

    await signup.Agent(ScriptedLLM(script), store=store, hooks=LoggingHooks()).send("c", secret)

    above = [record for record in caplog.records if record.levelno > logging.DEBUG]
    assert any("note" in record.getMessage() for record in above)
    assert not any(secret in record.getMessage() or record.exc_info for record in above)
    assert any(secret in record.getMessage() for record in caplog.records)


async def test_11_a_talking_step_moves_on_when_the_run_that_spoke_in_it_ends(signup, store):
    agent = signup.Agent(llm := ScriptedLLM(["Hello! Your name?", "Your name, please?"]), store=store)
    agent.start = signup.Step.WELCOME

    first = await told(agent.stream("c", "hi"))
    await agent.send("c", "what?")

    assert [(e.from_step, e.to_step) for e in first if isinstance(e, StepChanged)] == [("welcome", "name")]
    assert first[-1].state["step"] == "name"
    assert [call["messages"][0]["content"] for call in llm.calls] == [
        "Greet the user and ask for the name.",
        "Ask for the name.",
    ]
    assert (await agent.get_state("c")).step is signup.Step.NAME


async def test_11_next_step_can_be_overridden_to_stay(signup, context):
    agent_class: Any = signup.Agent

    class Stays(agent_class):
        def next_step(self, state):
            return None

    agent = Stays(ScriptedLLM(["Hello!"]))
    agent.start = signup.Step.WELCOME

    assert (await agent.run(context("hi"))).state["step"] == "welcome"


@pytest.mark.parametrize(("start", "reply"), [("done", "You are done."), ("name", "Your name?"), ("welcome", "")])
async def test_11_terminal_steps_steps_with_tools_and_silence_stay(signup, context, start, reply):
    agent = signup.Agent(ScriptedLLM([reply]))
    agent.start = signup.Step(start)

    assert (await agent.run(context("hi"))).state["step"] == start


async def test_12_errors_say_what_happened_with_which_value_and_what_to_do(signup):
    agent = signup.Agent(ScriptedLLM(["Hi"]), store=(store := InMemoryCheckpointStore()))
    await store.commit("c", "signup", expected_version=0, state={"step": "no such step"})

    with pytest.raises(Exception, match=r"conversation 'c'.*'no such step' is not a valid Step.*Nothing was changed"):
        await agent.send("c", "hello")

    assert (await store.load("c", "signup")).state == {"step": "no such step"}
