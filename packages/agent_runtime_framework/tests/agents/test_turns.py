"""One conversation, several messages at once: who runs, who waits, and what the same message sent again comes to."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from agent_runtime_core.errors import ConfigError, ConversationBusy, LeaseLost, LLMUnavailable, StoreConflict
from agent_runtime_core.events import RunFinished, RunStarted, TextDelta
from agent_runtime_core.interfaces import Waiting
from agent_runtime_core.stores import InMemoryCheckpointStore
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import JourneyConfig
from agent_runtime_framework.memory import LastMessages

NAME = tool_call_reply("save_name", name="Ada")


class Gate(ScriptedLLM):
    """A model that says when it is asked, and answers each call when it is let."""

    def __init__(self, replies: Any) -> None:
        super().__init__(replies)
        self.asked = asyncio.Semaphore(0)
        self.let = asyncio.Semaphore(0)

    async def generate(self, messages: Any, **kwargs: Any) -> Any:
        self.asked.release()
        await self.let.acquire()
        self.about_to_answer(messages)
        return await super().generate(messages, **kwargs)

    def about_to_answer(self, messages: Any) -> None:
        """It has been let."""


class Echo(Gate):
    """Answers with what was said last."""

    def __init__(self) -> None:
        super().__init__([])

    def about_to_answer(self, messages: Any) -> None:
        self.replies.append(f"re: {messages[-1]['content']}")


async def contents(agent: Any, conversation_id: str = "c", **owner: Any) -> list[Any]:
    return [message.content for message in await agent.get_history(conversation_id, **owner)]


async def in_line(store: Any, count: int) -> None:
    """Wait until that many messages of the conversation are in line."""
    async with asyncio.timeout(20):
        while True:
            probe = await store.begin(
                "c",
                "signup",
                message={"role": "user", "content": "probe"},
                message_id="probe",
                remember=False,
                lease_seconds=10,
                on_busy="reject",
            )
            if isinstance(probe, Waiting) and probe.ahead == count:
                return
            await asyncio.sleep(0.001)


def users(call: dict[str, Any]) -> list[str]:
    return [message["content"] for message in call["messages"] if message["role"] == "user"]


async def test_messages_at_once_are_answered_one_after_the_other_in_their_order(signup, store):
    agent = signup.Agent(llm := Echo(), store=store)
    sends = [asyncio.create_task(agent.send("c", "one"))]
    await llm.asked.acquire()
    for place, text in enumerate(["two", "three", "four"]):
        sends.append(asyncio.create_task(agent.send("c", text)))
        await in_line(store, place + 1)

    for _ in sends:
        llm.let.release()
    results = await asyncio.gather(*sends)

    assert [result.response for result in results] == ["re: one", "re: two", "re: three", "re: four"]
    assert await contents(agent) == [text for n in ("one", "two", "three", "four") for text in (n, f"re: {n}")]


async def test_two_agents_on_one_store_do_not_interleave(signup, store):
    ours, theirs = signup.Agent(llm := Echo(), store=store), signup.Agent(other := Echo(), store=store)
    first = asyncio.create_task(ours.send("c", "ours"))
    await llm.asked.acquire()
    second = asyncio.create_task(theirs.send("c", "theirs"))
    await in_line(store, 1)

    llm.let.release()
    other.let.release()

    assert [(await first).response, (await second).response] == ["re: ours", "re: theirs"]
    assert await contents(ours) == ["ours", "re: ours", "theirs", "re: theirs"]


async def test_two_runs_at_once_and_then_a_third_the_model_sees_every_message_in_order(signup, store):
    agent = signup.Agent(llm := Echo(), store=store)
    for _ in range(3):
        llm.let.release()

    await asyncio.gather(agent.send("c", "first"), agent.send("c", "second"))
    await agent.send("c", "third")

    assert users(llm.calls[-1])[-1] == "third"
    assert sorted(users(llm.calls[-1])[:2]) == ["first", "second"]
    assert (await contents(agent))[1::2] == [f"re: {text}" for text in (await contents(agent))[::2]]


async def test_a_message_that_is_not_to_wait_is_refused_and_not_kept(signup, store):
    agent = signup.Agent(llm := Echo(), JourneyConfig(on_busy="reject"), store=store)
    running = asyncio.create_task(agent.send("c", "one"))
    await llm.asked.acquire()

    with pytest.raises(ConversationBusy, match="conversation 'c' is busy"):
        await agent.send("c", "two")
    llm.let.release()
    await running

    assert await contents(agent) == ["one", "re: one"]


async def test_messages_that_merge_are_answered_by_one_run(signup, store):
    agent = signup.Agent(llm := Echo(), JourneyConfig(on_busy="merge"), store=store)
    first = asyncio.create_task(agent.send("c", "one"))
    await llm.asked.acquire()
    others = []
    for place, text in enumerate(["two", "three", "four"]):
        others.append(asyncio.create_task(agent.send("c", text)))
        await in_line(store, place + 1)

    llm.let.release()
    llm.let.release()
    results = [await first, *await asyncio.gather(*others)]

    assert [result.response for result in results] == ["re: one", "re: four", "re: four", "re: four"]
    assert llm.call_count == 2
    assert await contents(agent) == ["one", "re: one", "two", "three", "four", "re: four"]
    assert [result.metadata.get("replayed", False) for result in results] == [False, False, True, True]


async def test_a_run_that_merged_and_failed_is_made_again_for_the_others(signup, store):
    llm = Gate(["hello", LLMUnavailable("down"), "both"])
    agent = signup.Agent(llm, JourneyConfig(on_busy="merge"), store=store)
    first = asyncio.create_task(agent.send("c", "one"))
    await llm.asked.acquire()
    second = asyncio.create_task(agent.send("c", "two"))
    await in_line(store, 1)
    third = asyncio.create_task(agent.send("c", "three"))
    await in_line(store, 2)

    for _ in range(3):
        llm.let.release()

    assert (await first).response == "hello"
    with pytest.raises(LLMUnavailable):
        await second
    assert (await third).response == "both"
    assert await contents(agent) == ["one", "hello", "two", "three", "both"]


async def test_a_waiting_call_that_is_cancelled_takes_its_message_back(signup, store):
    agent = signup.Agent(llm := Echo(), store=store)
    running = asyncio.create_task(agent.send("c", "one"))
    await llm.asked.acquire()
    waiting = asyncio.create_task(agent.send("c", "two"))
    await in_line(store, 1)

    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    llm.let.release()
    await running

    assert waiting.cancelled()
    assert await contents(agent) == ["one", "re: one"]


async def test_a_run_that_is_cancelled_gives_the_conversation_back(signup, store):
    agent = signup.Agent(llm := Echo(), store=store)
    running = asyncio.create_task(agent.send("c", "one"))
    await llm.asked.acquire()

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    llm.let.release()
    result = await agent.send("c", "two", on_busy="reject")

    assert result.response == "re: two"
    assert await contents(agent) == ["one", "two", "re: two"]


async def test_a_stream_that_is_closed_gives_the_conversation_back(signup, store):
    agent = signup.Agent(ScriptedLLM(["Hi", "Hi again"]), store=store)
    stream = agent.stream("c", "one")
    assert isinstance(await anext(stream), RunStarted)

    await stream.aclose()

    assert (await agent.send("c", "two", on_busy="reject")).response == "Hi"


async def test_the_same_message_again_gets_the_stored_answer_and_runs_nothing(signup, store):
    agent = signup.Agent(llm := ScriptedLLM([NAME, "How old are you, Ada?"]), store=store)

    first = await agent.send("c", "I am Ada", message_id="m1")
    again = await agent.send("c", "I am Ada", message_id="m1")

    assert signup.ran == ["save_name"]
    assert llm.call_count == 2
    assert (again.response, again.messages, again.state, again.usage) == (
        first.response,
        first.messages,
        first.state,
        first.usage,
    )
    assert again.metadata == {**first.metadata, "replayed": True}
    assert len(await agent.get_history("c")) == 4


async def test_it_gets_its_own_answer_when_the_conversation_has_gone_on(signup, store):
    agent = signup.Agent(ScriptedLLM(["one", "two", "three"]), store=store)
    for number in ("1", "2", "3"):
        await agent.send("c", number, message_id=number)

    assert [(await agent.send("c", number, message_id=number)).response for number in ("2", "1", "3")] == [
        "two",
        "one",
        "three",
    ]


async def test_another_process_gets_the_stored_answer_too(signup, tmp_path):
    url = f"sqlite:///{tmp_path}/c.db"
    async with signup.Agent(ScriptedLLM(["Hello"]), store=url) as agent:
        await agent.send("c", "hi", message_id="m1")
    async with signup.Agent(llm := ScriptedLLM([]), store=url) as agent:
        again = await agent.send("c", "hi", message_id="m1")

    assert again.response == "Hello"
    assert llm.call_count == 0


async def test_a_stored_answer_can_be_streamed(signup, store):
    agent = signup.Agent(ScriptedLLM(["Hello"]), store=store)
    await agent.send("c", "hi", message_id="m1")

    events = [event async for event in agent.stream("c", "hi", message_id="m1")]

    assert [type(event) for event in events] == [RunStarted, TextDelta, RunFinished]
    assert events[-1].to_dict()["replayed"] is True
    assert events[-1].response == events[1].text == "Hello"


async def test_a_message_sent_twice_at_once_runs_once(signup, store):
    agent = signup.Agent(llm := Echo(), store=store)
    sends = [asyncio.create_task(agent.send("c", "pay", message_id="m1")) for _ in range(5)]
    await llm.asked.acquire()

    llm.let.release()
    results = await asyncio.gather(*sends)

    assert [result.response for result in results] == ["re: pay"] * 5
    assert llm.call_count == 1
    assert await contents(agent) == ["pay", "re: pay"]


async def test_a_message_whose_run_broke_off_goes_on_where_that_was(signup, store):
    llm = ScriptedLLM([NAME, LLMUnavailable("down"), "How old are you, Ada?"])
    agent = signup.Agent(llm, store=store)

    with pytest.raises(LLMUnavailable):
        await agent.send("c", "I am Ada", message_id="m1")
    result = await agent.send("c", "I am Ada", message_id="m1")

    assert signup.ran == ["save_name"]
    assert result.response == "How old are you, Ada?"
    assert [message.role for message in await agent.get_history("c")] == ["user", "assistant", "tool", "assistant"]
    again = await agent.send("c", "I am Ada", message_id="m1")
    assert [message.role for message in again.messages] == ["assistant", "tool", "assistant"]


async def test_a_message_that_another_run_has_answered_is_answered(signup, store):
    agent = signup.Agent(llm := ScriptedLLM([LLMUnavailable("down"), "both of you"]), store=store)
    with pytest.raises(LLMUnavailable):
        await agent.send("c", "one", message_id="m1")

    await agent.send("c", "two", message_id="m2")
    again = await agent.send("c", "one", message_id="m1")

    assert again.response == "both of you"
    assert llm.call_count == 2


async def test_the_same_id_in_another_conversation_is_another_message(signup, store):
    agent = signup.Agent(ScriptedLLM(["one", "two"]), store=store)

    results = [await agent.send(conversation, "hi", message_id="m") for conversation in ("a", "b")]

    assert [result.response for result in results] == ["one", "two"]


async def test_owners_do_not_see_each_others_conversations(signup, store):
    agent = signup.Agent(ScriptedLLM([NAME, "hello Ada", "who are you?"]), store=store)

    await agent.send("c", "I am Ada", owner="ada", message_id="m")
    other = await agent.send("c", "hi", owner="bob", message_id="m")

    assert other.response == "who are you?"
    assert await contents(agent, owner="bob") == ["hi", "who are you?"]
    assert (await agent.get_state("c", owner="ada")).name == "Ada"
    assert (await agent.get_state("c", owner="bob")).name == ""
    assert await agent.get_state("c") is None


async def test_a_run_that_lasts_longer_than_its_lease_renews_it(signup, store):
    agent = signup.Agent(llm := Echo(), JourneyConfig(lease_seconds=0.2), store=store)
    renewed = asyncio.Event()
    renew = store.renew
    renewals = 0

    async def counted(*args: Any, **kwargs: Any) -> bool:
        nonlocal renewals
        held: bool = await renew(*args, **kwargs)
        renewals += 1
        if renewals == 6:  # twice the length of a lease
            renewed.set()
        return held

    store.renew = counted
    running = asyncio.create_task(agent.send("c", "one"))
    await llm.asked.acquire()
    await renewed.wait()

    with pytest.raises(ConversationBusy):
        await agent.send("c", "two", on_busy="reject")
    llm.let.release()

    assert (await running).response == "re: one"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


async def test_a_silent_run_is_taken_over_and_cannot_write_any_more(signup, caplog):
    clock = Clock()
    store = InMemoryCheckpointStore(clock=clock)
    agent = signup.Agent(llm := Echo(), JourneyConfig(lease_seconds=30), store=store)
    zombie = asyncio.create_task(agent.send("c", "one"))
    await llm.asked.acquire()

    clock.now += 31  # no renewal came
    taker = asyncio.create_task(agent.send("c", "two"))
    await llm.asked.acquire()
    llm.let.release()
    llm.let.release()

    with pytest.raises(LeaseLost, match="taken over by another run"):
        await zombie
    assert (await taker).response == "re: two"
    assert await contents(agent) == ["one", "two", "re: two"]


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
async def test_a_clock_that_jumps_neither_blocks_a_conversation_nor_doubles_an_answer(signup, jump):
    clock = Clock()
    store = InMemoryCheckpointStore(clock=clock)
    agent = signup.Agent(llm := Echo(), store=store)
    first = asyncio.create_task(agent.send("c", "one", message_id="m1"))
    await llm.asked.acquire()

    clock.now += jump
    second = asyncio.create_task(agent.send("c", "two"))
    await llm.asked.acquire()
    llm.let.release()
    llm.let.release()

    with pytest.raises(StoreConflict):
        await first
    await second
    assert (await agent.send("c", "one", message_id="m1")).response == "re: two"
    assert await contents(agent) == ["one", "two", "re: two"]


async def test_a_goodbye_after_the_end_frees_the_conversation(signup, store):
    agent = signup.Agent(ScriptedLLM(["Hi"]), store=store)
    agent.start = signup.Step.DONE

    bye = await agent.send("c", "thanks", message_id="m1")
    again = await agent.send("c", "thanks", message_id="m1")

    assert bye.metadata["stopped_reason"] == again.metadata["stopped_reason"] == "closing_message"
    assert await contents(agent) == ["thanks"]
    assert (await agent.send("c", "one more thing", on_busy="reject")).response == "Hi"


async def test_a_state_kept_elsewhere_is_saved_before_the_next_run_begins(signup):
    saved: list[str] = []
    agent_class: Any = signup.Agent

    class Elsewhere(agent_class):
        kept: Any = None

        async def load_state(self, ctx):
            saved.append("load")
            return self.kept

        async def save_state(self, ctx, state):
            await asyncio.sleep(0)
            self.kept = state
            saved.append("save")

    agent = Elsewhere(llm := Echo())
    for _ in range(2):
        llm.let.release()

    await asyncio.gather(agent.send("c", "one"), agent.send("c", "two"))

    assert saved == ["load", "save", "load", "save"]


@pytest.mark.parametrize("on_busy", ["wait", "", None])
def test_an_unknown_choice_is_refused_when_it_is_made(on_busy):
    with pytest.raises(ConfigError, match="give one of queue, reject, merge"):
        JourneyConfig(on_busy=on_busy)


async def test_a_wait_for_the_lease_of_a_dead_process_is_told_once(signup, store, caplog):
    caplog.set_level("INFO", "agent_runtime_framework")
    gone = {"role": "user", "content": "secret words"}
    await store.begin("c", "signup", message=gone, message_id="m1", remember=True, lease_seconds=0.3)
    agent = signup.Agent(ScriptedLLM(["Your name?"]), JourneyConfig(lease_seconds=0.3), store=store)

    assert (await agent.send("c", "hi")).response == "Your name?"

    [told] = [record for record in caplog.records if "for the run that is on" in record.message]
    assert told.levelname == "INFO"
    assert "A message to conversation 'c' has waited 0." in told.message
    assert "its lease runs out 0.3 s after its last sign of life" in told.message
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("setting", "advice"),
    [
        ({"history": "last"}, r"history is 'last'; give LastMessages\(...\), LastTokens\(...\), SummariseOlder"),
        ({"history": LastMessages}, r"history is <class '.*LastMessages'>; give LastMessages\(...\)"),
        ({"history": 200}, "or None for the last max_history_messages"),
        ({"max_history_messages": "200"}, "max_history_messages is '200'; give 0 or more messages, or None for all"),
        ({"max_history_messages": -1}, "max_history_messages is -1; give 0 or more"),
        ({"limits": 60}, r"limits is 60; give RunLimits\(...\)"),
        ({"pricing": 0.1}, "pricing is 0.1; give a function"),
        ({"approval_lifetime": 60}, "approval_lifetime is 60; give a timedelta"),
        ({"lease_seconds": "15"}, "lease_seconds is '15'; give more than 0 seconds"),
        ({"lease_seconds": float("nan")}, "lease_seconds is nan; give more than 0 seconds"),
    ],
)
def test_a_setting_of_another_type_is_refused_when_the_config_is_made(setting, advice):
    with pytest.raises(ConfigError, match=advice):
        JourneyConfig(**setting)


async def test_an_empty_message_id_is_refused(signup):
    with pytest.raises(ValueError, match="message_id is empty"):
        await signup.Agent(ScriptedLLM([])).send("c", "hi", message_id="")


async def test_a_conversation_that_somebody_has_damaged_goes_on_and_the_repair_is_logged(signup, store, caplog):
    # Given a history with a call without its result, a result without its call, and something that is no message
    call = {"id": "a", "type": "function", "function": {"name": "note", "arguments": "{}"}}
    damaged = [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "lost", "tool_call_id": "b"},
        {"role": "robot", "content": "secret words"},
    ]
    await store.commit("c", "other", expected_version=0, messages=damaged)
    agent = signup.Agent(llm := ScriptedLLM(["Hi"]), store=store)

    await agent.send("c", "are you there?")

    assert [message["role"] for message in llm.calls[0]["messages"]] == ["system", "user", "assistant", "tool", "user"]
    assert "stored messages of conversation 'c' cannot be sent as they are" in caplog.text
    assert "secret words" not in caplog.text
    assert len(await agent.get_history("c")) == 6  # the store keeps what it had


async def test_a_tool_that_leaves_a_state_that_would_not_be_read_again_is_undone(signup, store):
    state_class: Any = signup.State

    class Careless(state_class):
        def to_dict(self):
            return {**super().to_dict(), "name": self.name or None} if self.age else super().to_dict()

        @classmethod
        def from_dict(cls, data):
            if data["name"] is None:
                raise ValueError("a state without a name")
            return super().from_dict(data)

    agent = signup.Agent(llm := ScriptedLLM([tool_call_reply("save_age", age=7), "Sorry."]), store=store)
    agent.get_initial_state = lambda: Careless(step=signup.Step.AGE)

    await agent.send("c", "I am 7")

    assert "from_dict() does not read what to_dict() gives" in llm.calls[1]["messages"][-1]["content"]
    assert (await agent.get_state("c")).age == 0


class SlowToHear(InMemoryCheckpointStore):
    """A store on the other side of a network: the first word takes the longest way."""

    def __init__(self) -> None:
        super().__init__()
        self.may_hear = asyncio.Event()

    async def begin(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs["message_id"] == "slow":
            await self.may_hear.wait()
        return await super().begin(*args, **kwargs)


async def test_messages_reach_a_distant_store_in_the_order_in_which_they_were_sent(signup):
    agent = signup.Agent(llm := Echo(), store=(store := SlowToHear()))
    for _ in range(3):
        llm.let.release()
    sends = [
        asyncio.create_task(agent.send("c", "one", message_id="slow")),
        asyncio.create_task(agent.send("c", "two")),
        asyncio.create_task(agent.send("c", "three")),
    ]
    assert (await agent.send("another", "hello")).response == "re: hello"  # nobody else waits for the slow one
    store.may_hear.set()
    llm.let.release()
    await asyncio.gather(*sends)

    assert (await contents(agent))[::2] == ["one", "two", "three"]


async def test_a_message_that_is_taken_back_before_the_store_knows_it_lets_the_next_one_pass(signup):
    agent = signup.Agent(llm := Echo(), store=SlowToHear())
    llm.let.release()
    first = asyncio.create_task(agent.send("c", "one", message_id="slow"))
    second = asyncio.create_task(agent.send("c", "two"))
    assert (await agent.send("another", "hello")).response == "re: hello"

    first.cancel()
    llm.let.release()

    assert (await second).response == "re: two"
    assert await contents(agent) == ["two", "re: two"]


async def test_a_message_without_a_role_does_not_hide_the_others(signup, store):
    await store.commit("c", "other", expected_version=0, messages=[{"content": "?"}, {"role": "user", "content": "hi"}])

    assert await contents(signup.Agent(ScriptedLLM([]), store=store)) == ["hi"]


async def test_an_owner_may_be_a_uuid_and_nothing_else_but_a_text(signup, store):
    owner = uuid4()
    agent = signup.Agent(ScriptedLLM(["hi"]), store=store)

    await agent.send("c", "hello", owner=owner)

    assert await contents(agent, owner=str(owner)) == await contents(agent, owner=owner) == ["hello", "hi"]
    for wrong in (None, 7):
        with pytest.raises(TypeError, match=f"owner is {wrong}; give a text or a UUID"):
            await agent.send("c", "hello", owner=wrong)
