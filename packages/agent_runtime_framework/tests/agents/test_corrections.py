"""The way back: what was said can be corrected, by code, and nothing else is asked twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.events import StepChanged
from agent_runtime_core.stores import open_store
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import (
    BaseJourneyState,
    BaseJourneyTools,
    JourneyAgent,
    StateSerializer,
    ToolResult,
    ToolSchema,
    on_enter,
    tool,
)
from agent_runtime_framework.agents.verdict import ApprovalNotFound
from agent_runtime_framework.tools.written_fields import written_fields


class Step(str, Enum):
    WELCOME = "welcome"
    NAME = "name"
    AGE = "age"
    PLAN = "plan"
    EXTRAS = "extras"
    TERMS = "terms"
    PAY = "pay"
    REVIEW = "review"
    DONE = "done"


@dataclass
class State(BaseJourneyState[Step]):
    depends: ClassVar[dict[str, tuple[str, ...]]] = {"quote": ("age", "plan"), "discount": ("quote",)}

    step: Step = Step.NAME
    name: str = ""
    age: int = 0
    plan: str = ""
    quote: int = 0
    discount: int = 0
    extras: list[str] = field(default_factory=list)
    news: bool = False
    account: str = ""

    def is_complete(self) -> bool:
        return self.step is Step.DONE

    def to_dict(self) -> dict[str, Any]:
        return {name: StateSerializer.serialize(value) for name, value in vars(self).items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        return cls(**{**data, "step": Step(data["step"])})


RAN: list[str] = []


class Tools(BaseJourneyTools[State]):
    @tool(step=Step.NAME, to=Step.AGE)
    async def save_name(self, name: str) -> str:
        self.state.name = name
        return "saved"

    @tool(step=Step.AGE, to=Step.PLAN)
    def save_age(self, age: int) -> str:
        self._keep_age(age)
        return "saved"

    def _keep_age(self, age: int) -> None:
        state = self.state
        state.age = age

    @tool(step=Step.PLAN, to=[Step.EXTRAS, Step.PAY])
    async def save_plan(self, plan: str) -> ToolResult:
        if plan == "none":
            return ToolResult.fail("There is no such plan.")
        self.state.plan = plan
        self.state.quote = self.state.age + len(plan)
        self.state.step = Step.EXTRAS if plan == "big" else Step.PAY
        return ToolResult.ok("saved")

    @tool(step=Step.EXTRAS, to=Step.PAY)
    async def save_extras(self, extra: str) -> str:
        self.state.extras.append(extra)
        return "saved"

    @tool(step=Step.PAY, to=Step.REVIEW)
    async def save_news(self, news: bool) -> str:
        self.state.news = news
        return "saved"

    @tool(step=Step.REVIEW, to=Step.DONE, confirm="Order {plan}?")
    async def order(self, plan: str) -> str:
        RAN.append(plan)
        return "ordered"


class Journey(JourneyAgent[State, Tools, Step]):
    key = "order"
    prompts = {step: f"At {step.value}." for step in Step}  # noqa: RUF012


class SamePrice(Tools):
    @tool(step=Step.PLAN, to=[Step.EXTRAS, Step.PAY])
    async def save_plan(self, plan: str) -> ToolResult:
        self.state.plan, self.state.quote = plan, 7
        self.state.step = Step.EXTRAS if plan == "big" else Step.PAY
        return ToolResult.ok("saved")


class OfTheSamePrice(JourneyAgent[State, SamePrice, Step]):
    key = "same"
    prompts = Journey.prompts


NAME = tool_call_reply("save_name", name="Ada")
AGE = tool_call_reply("save_age", age=30)
BIG = tool_call_reply("save_plan", plan="big")
SMALL = tool_call_reply("save_plan", plan="small")
EXTRA = tool_call_reply("save_extras", extra="x")
NEWS = tool_call_reply("save_news", news=False)
TO_REVIEW = (NAME, AGE, BIG, EXTRA, NEWS)
BACK = tool_call_reply("go_back")
AGAIN = tool_call_reply("start_again")
CANCEL = tool_call_reply("cancel")


def change(name: str) -> Any:
    return tool_call_reply("change_answer", field=name)


def offered(call: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["function"]["name"]: each["function"]["parameters"] for each in call["tools"] or ()}


def steps_of(agent: Any) -> list[str]:
    """The step whose prompt each call has had, behind the conversation."""
    return [call["messages"][-1]["content"].removeprefix("At ").rstrip(".") for call in agent.llm_client.calls]


def results(result: Any) -> list[str]:
    return [message.content for message in result.messages if message.role == "tool"]


def steps(events: list[Any]) -> list[str]:
    return [event.to_step.value for event in events if isinstance(event, StepChanged)]


@pytest.fixture(autouse=True)
def nothing_ran():
    RAN.clear()


@pytest.fixture(params=["memory", "sqlite"])
async def store(request, tmp_path):
    async with open_store("memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/c.db") as opened:  # type: ignore[attr-defined]
        yield opened


async def at_review(*replies: Any, store: Any = None, agent_class: Any = Journey) -> Any:
    """An agent whose conversation stands at the review; the replies come after."""
    agent = agent_class(ScriptedLLM([*TO_REVIEW, "Order?", *replies]), store=store)
    assert (await agent.send("c", "hi")).state["step"] == "review"
    return agent


# What is offered.


async def test_at_the_beginning_there_is_nothing_to_correct():
    agent = Journey(ScriptedLLM(["hi"]))
    await agent.send("c", "hi")
    assert list(offered(agent.llm_client.calls[0])) == ["save_name"]  # type: ignore[union-attr]


async def test_what_can_be_corrected_is_offered_beside_the_steps_own_tools():
    agent = await at_review("Order?")
    await agent.send("c", "hm")

    tools = offered(agent.llm_client.calls[-1])

    assert list(tools) == ["order", "go_back", "change_answer", "start_again", "cancel"]
    assert tools["change_answer"]["properties"]["field"]["enum"] == ["name", "age", "plan", "quote", "extras", "news"]


async def test_at_the_end_nothing_is_offered():
    class Ended(Journey):
        key = "ended"

        def get_initial_state(self) -> State:
            return State(step=Step.DONE, name="Ada")

    agent = Ended(ScriptedLLM(["bye", "bye"]))
    await agent.send("c", "change my name")
    assert agent.llm_client.calls[0]["tools"] is None  # type: ignore[union-attr]


async def test_a_flag_turns_them_off():
    class Off(Journey):
        key = "off"
        corrections = False

    agent = await at_review(change("name"), "no", agent_class=Off)
    result = await agent.send("c", "change my name")

    assert list(offered(agent.llm_client.calls[-1])) == ["order"]
    assert "Unknown tool 'change_answer'" in results(result)[0]
    assert result.state["name"] == "Ada"


@pytest.mark.parametrize("flag", [False, True])
async def test_a_journey_with_an_offer_of_its_own_gets_them_when_it_asks(flag):
    class Own(Journey):
        key = "own"
        corrections = flag

        def get_tool_schemas(self, state: State) -> Any:
            return [Tools.tool_specs["save_name"], ToolSchema("go_back", "My own.", [])]

    agent = Own(ScriptedLLM([NAME, "ok", "ok"]))
    await agent.send("c", "hi")
    await agent.send("c", "hm")

    names = list(offered(agent.llm_client.calls[-1]))  # type: ignore[union-attr]
    assert names == (["save_name", "go_back"] + (["change_answer", "start_again", "cancel"] if flag else []))


async def test_a_tool_of_the_journey_wins_over_one_of_the_same_name():
    class Own(BaseJourneyTools[State]):
        @tool(step=Step.NAME, to=Step.AGE)
        async def save_name(self, name: str) -> str:
            self.state.name = name
            return "saved"

        @tool(step=Step.AGE)
        async def cancel(self, why: str) -> str:
            return f"mine: {why}"

    class Mine(JourneyAgent[State, Own, Step]):
        corrections = True
        key = "mine"
        prompts = Journey.prompts

    result = await Mine(ScriptedLLM([NAME, tool_call_reply("cancel", why="x"), "ok"])).send("c", "hi")

    assert results(result)[1] == "mine: x"


async def test_a_talking_step_is_still_one():
    class Talking(Journey):
        key = "talking"

        @staticmethod
        def get_initial_state() -> State:
            return State(step=Step.WELCOME)

    agent = Talking(ScriptedLLM(["Welcome!", NAME, "And your age?", AGAIN, "Sure?", AGAIN, "Welcome again!"]))
    first = await agent.send("c", "hi")
    for text in ("Ada", "start again", "yes"):
        last = await agent.send("c", text)

    assert (first.state["step"], last.state["step"], last.state["name"]) == ("name", "name", "")


async def test_with_stable_tools_the_list_stays_and_code_refuses():
    class Stable(Journey):
        key = "stable"
        instructions = "Be kind."
        tools = "stable"

    agent = Stable(ScriptedLLM([BACK, change("plan"), NAME, "ok", change("name"), NAME, "ok"]))
    result = await agent.send("c", "hi")
    await agent.send("c", "my name is wrong")

    calls = agent.llm_client.calls  # type: ignore[union-attr]
    assert all(call["tools"] == calls[0]["tools"] for call in calls)
    assert list(offered(calls[0]))[-4:] == ["go_back", "change_answer", "start_again", "cancel"]
    assert "Unknown tool 'go_back'" in results(result)[0]
    assert "Unknown tool 'change_answer'" in results(result)[1]
    assert steps_of(agent) == ["name", "name", "name", "age", "age", "name", "age"]


# Changing an answer.


async def test_only_the_changed_answer_is_asked_for_and_the_journey_returns(store):
    agent = await at_review(change("name"), "What is it?", tool_call_reply("save_name", name="Eve"), "ok", store=store)

    events = [event async for event in agent.stream("c", "my name is wrong")]
    reopened = await agent.get_state("c")
    result = await agent.send("c", "Eve")

    assert steps(events) == ["name"]
    assert (reopened.step, reopened.name, reopened.age) == (Step.NAME, "", 30)
    assert result.state == {**(await agent.get_state("c")).to_dict(), "name": "Eve", "step": "review", "extras": ["x"]}
    assert agent.llm_client.calls[-3]["messages"][0]["content"] == "At name."
    assert agent.llm_client.calls[-1]["messages"][0]["content"] == "At review."


async def test_both_in_one_reply():
    both = {
        "content": None,
        "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "change_answer", "arguments": '{"field": "name"}'}},
            {"id": "2", "type": "function", "function": {"name": "save_name", "arguments": '{"name": "Eve"}'}},
        ],
    }
    agent = await at_review(both, "ok")
    result = await agent.send("c", "my name is Eve")
    assert (result.state["step"], result.state["name"]) == ("review", "Eve")


async def test_what_depends_on_it_is_cleared_and_asked_for_again():
    agent = await at_review(change("age"), tool_call_reply("save_age", age=40), "Which plan?", SMALL, "Order?")

    result = await agent.send("c", "I am 40")

    assert "Cleared, because it depends on it: quote." in results(result)[0]
    assert (result.state["step"], result.state["plan"], result.state["quote"]) == ("plan", "big", 0)
    result = await agent.send("c", "small")  # another branch, which joins the old way
    assert (result.state["step"], result.state["quote"]) == ("review", 45)


async def test_a_branch_whose_choice_is_still_there_is_taken_as_before():
    agent = await at_review(change("name"), tool_call_reply("save_name", name="Eve"), "ok", BACK, "?", NEWS, "ok")

    assert (await agent.send("c", "I am Eve")).state["step"] == "review"
    back = await agent.send("c", "back")

    assert back.state["step"] == "pay"  # the step before the review is the one it was
    assert (await agent.send("c", "no news")).state["step"] == "review"


async def test_an_answer_that_is_what_the_field_began_with_is_an_answer():
    agent = await at_review(change("extras"), EXTRA, "ok")
    result = await agent.send("c", "other extras")
    assert (result.state["step"], result.state["extras"]) == ("review", ["x"])  # `news=False` is not asked for again


async def test_two_corrections_at_once():
    agent = await at_review(change("extras"), change("name"), change("news"), NAME, EXTRA, "News?", NEWS, "ok")

    result = await agent.send("c", "extras, name and news are wrong")

    assert result.state["step"] == "pay"
    assert "when the journey comes to step PAY again" in results(result)[2]
    assert (await agent.send("c", "none")).state["step"] == "review"


async def test_a_field_that_is_not_set_cannot_be_changed():
    agent = Journey(ScriptedLLM([NAME, "ok", change("plan"), change("step"), change("nothing"), "ok"]))
    await agent.send("c", "hi")
    result = await agent.send("c", "my plan is wrong")

    assert [text[:24] for text in results(result)] == ["Error: invalid arguments"] * 3
    assert (result.state["step"], result.state["name"]) == ("age", "Ada")


async def test_a_failed_tool_does_not_move_on():
    agent = await at_review(change("plan"), tool_call_reply("save_plan", plan="none"), "?", BIG, "ok")

    first = await agent.send("c", "another plan")

    assert (first.state["step"], first.state["plan"]) == ("plan", "")
    assert (await agent.send("c", "big")).state["step"] == "review"


async def test_a_step_whose_tools_leave_nothing_is_gone_through_again():
    class Terms(BaseJourneyTools[State]):
        @tool(step=Step.NAME, to=Step.TERMS)
        async def save_name(self, name: str) -> str:
            self.state.name = name
            return "saved"

        @tool(step=Step.TERMS, to=Step.REVIEW)
        async def accept(self) -> str:
            return "accepted"

        @tool(step=Step.REVIEW, to=Step.DONE)
        async def order(self) -> str:
            return "ordered"

    class Accepting(JourneyAgent[State, Terms, Step]):
        corrections = True
        key = "accepting"
        prompts = Journey.prompts

    agent = Accepting(ScriptedLLM([NAME, tool_call_reply("accept"), "ok", change("name"), NAME, "Do you accept?"]))
    await agent.send("c", "hi")
    assert (await agent.send("c", "my name is wrong")).state["step"] == "terms"


async def test_an_answer_saved_anew_at_its_own_step_clears_what_depends_on_it():
    class Own(BaseJourneyTools[State]):
        @tool(step=Step.NAME)
        async def save_age(self, age: int) -> str:
            self.state.age = age
            return "saved"

        @tool(step=Step.NAME)
        async def make_quote(self) -> str:
            self.state.quote = self.state.age * 2
            self.state.discount = 1
            return "made"

    class Quoting(JourneyAgent[State, Own, Step]):
        corrections = True
        key = "quoting"
        prompts = Journey.prompts

    agent = Quoting(ScriptedLLM([AGE, tool_call_reply("make_quote"), "60", tool_call_reply("save_age", age=3), "ok"]))
    assert (await agent.send("c", "30")).state["quote"] == 60
    result = await agent.send("c", "3")
    assert (result.state["age"], result.state["quote"], result.state["discount"]) == (3, 0, 0)


async def test_what_a_tool_has_made_anew_is_not_cleared_though_it_came_to_the_same():
    agent = await at_review(BACK, BACK, BACK, "?", SMALL, "ok", agent_class=OfTheSamePrice)
    await agent.send("c", "back to the plan")

    result = await agent.send("c", "small")  # at the same price as big

    assert (result.state["step"], result.state["plan"], result.state["quote"]) == ("review", "small", 7)


# Going back, beginning again.


async def test_back_goes_to_the_step_before_and_keeps_its_answer():
    agent = await at_review(BACK, BACK, "?", EXTRA, "ok")

    result = await agent.send("c", "back, and back again")

    assert (result.state["step"], result.state["extras"]) == ("extras", ["x"])
    assert (await agent.send("c", "x")).state["step"] == "review"  # news was not asked again


async def test_back_ends_where_the_path_begins():
    agent = Journey(ScriptedLLM([NAME, AGE, "ok", BACK, BACK, BACK, "ok"]))
    await agent.send("c", "hi")
    result = await agent.send("c", "back, back, back")
    assert result.state["step"] == "name"
    assert "Unknown tool 'go_back'" in results(result)[-1]


async def test_begin_again_forgets_everything(store):
    agent = await at_review(AGAIN, AGAIN, "Sure?", AGAIN, "Your name?", NAME, "ok", store=store)

    asked = await agent.send("c", "start again")
    assert [text[:20] for text in results(asked)] == ["Nothing is forgotten"] * 2
    assert asked.state["step"] == "review"
    done = await agent.send("c", "yes")

    assert done.state == State().to_dict()
    assert list(offered(agent.llm_client.calls[-1])) == ["save_name"]
    assert (await agent.send("c", "Ada")).state["step"] == "age"


# What cannot be undone.


class Opening(BaseJourneyTools[State]):
    @tool(step=Step.NAME, to=Step.PAY)
    async def save_name(self, name: str) -> str:
        self.state.name = name
        return "saved"

    @tool(step=Step.PAY, to=Step.AGE, once=True)
    async def open_account(self) -> str:
        RAN.append(self.state.name)
        self.state.account = "A1"
        return "opened"

    @tool(step=Step.AGE, to=Step.REVIEW)
    async def save_age(self, age: int) -> str:
        self.state.age = age
        return "saved"


class Accounts(JourneyAgent[State, Opening, Step]):
    corrections = True
    key = "accounts"
    prompts = Journey.prompts


OPEN = tool_call_reply("open_account")


@pytest.mark.parametrize("way", [change("name"), BACK, AGAIN], ids=["change", "back", "again"])
async def test_what_runs_once_is_not_undone_and_not_run_again(way, store):
    agent = Accounts(ScriptedLLM([NAME, OPEN, "age?", AGAIN, "Sure?", way, NAME, "ok"]), store=store)
    first = await agent.send("c", "hi")
    await agent.send("c", "start again")
    result = await agent.send("c", "my name is wrong")

    assert (first.state["step"], result.state["step"]) == ("age", "age")
    assert (RAN, result.state["account"]) == (["Ada"], "A1")
    assert results(result)[0].endswith("Done already, not undone, and not to be done again: open_account.")
    enum = offered(agent.llm_client.calls[-1])["change_answer"]["properties"]["field"]["enum"]  # type: ignore[union-attr]
    assert enum == ["name"]  # nothing could set the account again


@pytest.mark.parametrize("way", [change("name"), BACK, AGAIN], ids=["change", "back", "again"])
async def test_an_approval_that_waits_is_dropped(way, store):
    agent = await at_review(tool_call_reply("order", plan="big"), AGAIN, "Sure?", way, "ok", store=store)
    approval_id = (await agent.send("c", "order")).metadata["approval_id"]
    await agent.send("c", "start again")
    assert len(await agent.pending_approvals("c")) == 1

    result = await agent.send("c", "wait")

    assert "waits no more" in results(result)[0]
    assert await agent.pending_approvals("c") == []
    with pytest.raises(ApprovalNotFound):
        await agent.approve("c", approval_id, True, by="ada")
    assert RAN == []


# Cancelling.


async def test_cancelling_takes_the_users_next_message(store):
    agent = await at_review(CANCEL, CANCEL, "Sure?", CANCEL, "Cancelled.", "Hello", AGAIN, "Name?", store=store)

    asked = await agent.send("c", "cancel")
    assert [text[:13] for text in results(asked)] == ["Not cancelled"] * 2
    assert not await agent.is_cancelled("c")
    done = await agent.send("c", "yes")
    assert results(done)[0].startswith("Cancelled.")
    assert await agent.is_cancelled("c")
    later = await agent.send("c", "hello?")
    assert (later.state["step"], list(offered(agent.llm_client.calls[-1]))) == ("review", ["start_again"])
    assert "cancelled" in agent.llm_client.calls[-1]["messages"][0]["content"]
    again = await agent.send("c", "let us try again")
    assert again.state == State().to_dict()
    assert not await agent.is_cancelled("c")


async def test_leave_to_cancel_is_good_for_one_message_only():
    agent = await at_review(CANCEL, "Sure?", "Then we go on.", CANCEL, "Sure?")
    await agent.send("c", "cancel")
    await agent.send("c", "no")
    result = await agent.send("c", "and now?")

    assert results(result)[0].startswith("Not cancelled")
    assert not await agent.is_cancelled("c")


async def test_the_same_message_again_is_no_answer(store):
    from agent_runtime_core.errors import LLMUnavailable

    agent = await at_review(CANCEL, LLMUnavailable("down"), CANCEL, "Sure?", store=store)
    with pytest.raises(LLMUnavailable):
        await agent.send("c", "cancel", message_id="m")
    result = await agent.send("c", "cancel", message_id="m")

    assert results(result)[-1].startswith("Not cancelled")
    assert not await agent.is_cancelled("c")


async def test_a_cancelled_talking_step_stays():
    class Talking(BaseJourneyTools[State]):
        @tool(step=Step.NAME, to=Step.WELCOME)
        async def save_name(self, name: str) -> str:
            self.state.name = name
            return "saved"

    class Agent(JourneyAgent[State, Talking, Step]):
        corrections = True
        key = "talks"
        prompts = Journey.prompts

    agent = Agent(ScriptedLLM([NAME, "Hm.", CANCEL, "Sure?", CANCEL, "Cancelled.", "Hello"]))
    agent.get_initial_state = lambda: State(step=Step.NAME)  # type: ignore[method-assign]
    agent.next_step = lambda state: Step.WELCOME  # type: ignore[method-assign]
    for text in ("hi", "cancel", "yes", "hm"):
        result = await agent.send("c", text)
    assert result.state["step"] == "welcome"
    assert await agent.is_cancelled("c")


# Which fields a tool sets.


def test_fields_are_found_in_the_source():
    class Lists(BaseJourneyTools[State]):
        @tool
        async def many(self, value: str) -> str:
            state = self.state
            state.name, self.state.age = value, 1
            self.state.extras[0] = value
            setattr(state, "plan", value)  # noqa: B010
            self.state.step = Step.DONE
            self._more()
            other = object()
            other.name = "x"  # type: ignore[attr-defined]
            return self.state.account

        def _more(self) -> None:
            self.state.quote += 1
            self._more()

    found = written_fields(Lists.many, Lists, State)
    assert sorted(found) == ["age", "extras", "name", "plan", "quote"]


async def test_the_declaration_wins_over_the_source():
    class Said(BaseJourneyTools[State]):
        @tool(step=Step.NAME, to=Step.AGE, sets="name")
        async def save(self) -> str:
            keep(self.state)
            return "saved"

    def keep(state: State) -> None:
        state.name = "Ada"
        state.age = 3

    class Agent(JourneyAgent[State, Said, Step]):
        corrections = True
        key = "said"
        prompts = Journey.prompts

    agent = Agent(ScriptedLLM([tool_call_reply("save"), "ok", "ok"]))
    await agent.send("c", "hi")
    await agent.send("c", "hm")
    assert offered(agent.llm_client.calls[-1])["change_answer"]["properties"]["field"]["enum"] == ["name"]  # type: ignore[union-attr]


def test_a_field_that_is_none_is_refused_when_the_class_is_made():
    class Wrong(BaseJourneyTools[State]):
        @tool(sets="email")
        async def save(self) -> str:
            return "saved"

    with pytest.raises(ConfigError, match=r"Wrong\.save \(.*test_corrections\.py:\d+\): sets= names 'email'"):

        class Agent(JourneyAgent[State, Wrong, Step]):
            corrections = True
            key = "wrong"

    @dataclass
    class Other(State):
        depends: ClassVar[dict[str, tuple[str, ...]]] = {"quote": ("agee",)}

    with pytest.raises(ConfigError, match=r"Other\.depends names 'agee'"):

        class Another(JourneyAgent[Other, Tools, Step]):
            corrections = True
            key = "other"


def test_a_flag_that_is_none_is_refused_when_the_class_is_made():
    with pytest.raises(ConfigError, match=r"Off\.corrections is 'off'; give True, False or None"):

        class Off(Journey):
            corrections = "off"  # type: ignore[assignment]


def test_a_state_without_fields_is_told_what_it_lacks():
    class Bare(BaseJourneyState[Step]):
        depends: ClassVar[dict[str, tuple[str, ...]]] = {"quote": ("age",)}

        step: Step = Step.NAME
        quote: int = 0

    with pytest.raises(ConfigError, match=r"Bare\.depends names 'quote', .*: write @dataclass above Bare\."):

        class Barely(JourneyAgent[Bare, Tools, Step]):
            key = "bare"


@pytest.mark.parametrize("depends", [{"quote": "age"}, ["quote"], "quote", 1], ids=str)
def test_a_table_that_is_none_is_refused_when_the_class_is_made(depends):
    Other = type("Other", (State,), {"depends": depends})

    with pytest.raises(ConfigError, match=r"Other\.depends must be a dict such as"):

        class Another(JourneyAgent[Other, Tools, Step]):  # type: ignore[valid-type]
            corrections = True
            key = "other"


async def test_a_field_of_that_name_is_a_field():
    @dataclass
    class Parcel(State):
        depends: str = "abc"  # type: ignore[assignment,misc]

    class Sending(JourneyAgent[Parcel, Tools, Step]):
        corrections = True
        key = "sending"
        prompts = Journey.prompts

    assert (await Sending(ScriptedLLM([NAME, "ok"])).send("c", "hi")).state["step"] == "age"


# Where they are on.


class Written(JourneyAgent[State, Tools, Step]):
    """Writes its offer itself, as the seeds do."""

    key = "written"
    prompts = Journey.prompts

    def get_tool_schemas(self, state: State) -> Any:
        return [spec for spec in self.declared.tools.values() if state.step in (spec.steps or ())]


class Silent(JourneyAgent[State, Tools, Step]):
    key = "silent"
    prompts = Journey.prompts


class BelowWritten(Written):
    key = "below"


class Asking(Written):
    key = "asking"
    corrections = True


@pytest.mark.parametrize(
    ("agent_class", "has_them"), [(Silent, True), (Written, False), (BelowWritten, False), (Asking, True)]
)
async def test_they_are_on_where_the_offer_is_made_of_declared_tools(agent_class, has_them):
    agent = agent_class(ScriptedLLM([NAME, "ok", "ok"]))
    await agent.send("c", "hi")
    await agent.send("c", "hm")
    names = list(offered(agent.llm_client.calls[-1]))
    assert names == ["save_age", *(["go_back", "change_answer", "start_again", "cancel"] if has_them else [])]


# What comes first on a message.


async def test_a_correction_that_comes_first_keeps_the_way_open():
    agent = await at_review(change("name"), tool_call_reply("save_name", name="Eve"), change("news"), NEWS, "Order?")
    result = await agent.send("c", "I am Eve, and no news")
    assert (result.state["step"], result.state["name"]) == ("review", "Eve")
    assert results(result)[2].startswith("Reopened: news.")


async def test_calls_of_one_reply_are_made_before_any_result_was_read():
    both = tool_call_reply("save_age", ("change_answer", {"field": "name"}), age=30)
    agent = Journey(ScriptedLLM([NAME, "Age?", both, "Name?"]))
    await agent.send("c", "Ada")
    result = await agent.send("c", "30, and my name is wrong")
    assert (result.state["step"], result.state["name"], result.state["age"]) == ("name", "", 30)


async def test_behind_a_tool_of_the_journey_it_is_refused_until_the_user_writes_again():
    agent = Journey(ScriptedLLM([NAME, "Age?", AGE, change("name"), "Again, please?", change("name"), "Name?"]))
    await agent.send("c", "Ada")
    refused = await agent.send("c", "30, and my name is wrong")
    result = await agent.send("c", "my name is wrong")
    assert results(refused)[1].startswith("Error: nothing was corrected")
    assert (refused.state["name"], result.state["name"]) == ("Ada", "")


# What is undone is undone in the notes, too.


class Guarded(BaseJourneyTools[State]):
    @tool(step=Step.NAME, to=Step.PAY, once=True)
    async def open_account(self, name: str) -> str:
        RAN.append(name)
        self.state.name = name if name != "bad" else object()  # type: ignore[assignment]  # no JSON data
        return "opened"

    @tool(step=Step.PAY, to=Step.REVIEW)
    async def save_news(self, news: bool) -> str:
        self.state.news = news
        return "saved"

    @tool(step=Step.REVIEW, to=Step.DONE, confirm="Order {plan}?", once=True)
    async def order(self, plan: str) -> str:
        RAN.append(plan)
        return "ordered"


class Guarding(JourneyAgent[State, Guarded, Step]):
    key = "guarding"
    prompts = Journey.prompts
    refused: ClassVar[set[Step]] = set()

    @on_enter(Step.PAY, Step.DONE)
    def look(self, state: State, ctx: Any) -> None:
        if state.step in self.refused:
            raise RuntimeError(f"{state.step.value} is closed")


@pytest.fixture
def refused():
    yield Guarding.refused
    Guarding.refused.clear()


async def test_a_tool_whose_state_cannot_be_stored_has_not_run_once(store):
    bad, good = (tool_call_reply("open_account", name=name) for name in ("bad", "Ada"))
    agent = Guarding(ScriptedLLM([bad, good, "News?"]), store=store)
    result = await agent.send("c", "hi")
    assert results(result)[0].startswith("Error executing open_account")
    assert (RAN, results(result)[1], result.state["name"]) == (["bad", "Ada"], "opened", "Ada")


async def test_a_tool_that_a_hook_has_undone_has_not_run_once(refused, store):
    opening = tool_call_reply("open_account", name="Ada")
    refused.add(Step.PAY)
    agent = Guarding(ScriptedLLM([opening, "Later?"]), store=store)
    assert (await agent.send("c", "hi")).state["step"] == "name"
    refused.clear()
    agent.llm_client = ScriptedLLM([opening, "News?"])
    assert (await agent.send("c", "now")).state["step"] == "pay"
    assert RAN == ["Ada", "Ada"]


async def test_a_correction_that_is_undone_drops_no_approval(refused, store):
    ordering = tool_call_reply("order", plan="big")
    agent = Guarding(ScriptedLLM([tool_call_reply("open_account", name="Ada"), NEWS, ordering]), store=store)
    asked = await agent.send("c", "order")
    refused.add(Step.PAY)
    agent.llm_client = ScriptedLLM([change("news"), BACK, "It is closed."])

    result = await agent.send("c", "no news")

    assert [text[:15] for text in results(result)] == ["Error executing"] * 2
    assert (result.state["step"], result.state["news"]) == ("review", False)
    assert [each.approval_id for each in await agent.pending_approvals("c")] == [asked.metadata["approval_id"]]


async def test_a_yes_is_good_for_one_try_also_when_that_is_undone(refused, store):
    ordering = tool_call_reply("order", plan="big")
    agent = Guarding(ScriptedLLM([tool_call_reply("open_account", name="Ada"), NEWS, ordering]), store=store)
    asked = await agent.send("c", "order")
    refused.add(Step.DONE)
    agent.llm_client = ScriptedLLM(["It is closed.", ordering])

    result = await agent.approve("c", asked.metadata["approval_id"], True, by="ada")
    again = await agent.send("c", "try again")

    assert (result.state["step"], RAN) == ("review", ["Ada", "big"])
    assert again.metadata["stopped_reason"].startswith("approval:")
    assert again.metadata["approval_id"] != asked.metadata["approval_id"]


# Whatever is corrected, in whatever order: the journey arrives, and what was not reopened is as it was.

ANSWERS = {Step.NAME: NAME, Step.AGE: AGE, Step.PLAN: BIG, Step.EXTRAS: EXTRA, Step.PAY: NEWS}


@given(st.lists(st.sampled_from(["back", "name", "age", "plan", "extras", "news", "again", "answer"]), max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_corrections_lead_to_the_same_end(ways):
    import asyncio

    async def walk() -> None:
        agent = await at_review()
        for way in ways:
            state = await agent.get_state("c")
            reply = {"back": BACK, "again": AGAIN, "answer": ANSWERS.get(state.step)}.get(way) or change(way)
            agent.llm_client = ScriptedLLM([reply, "ok", reply, "ok"])
            for _ in range(2 if way == "again" else 1):
                await agent.send("c", way)
        for _ in range(20):
            state = await agent.get_state("c")
            if state.step is Step.REVIEW:
                break
            agent.llm_client = ScriptedLLM([ANSWERS[state.step], "ok"])
            await agent.send("c", "an answer")
        assert state.step is Step.REVIEW
        assert (state.name, state.age, state.plan, state.quote, state.news) == ("Ada", 30, "big", 33, False)
        assert set(state.extras) == {"x"}

    asyncio.run(walk())
