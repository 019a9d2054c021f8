"""`JourneyAgent.run`: the order of its questions to the journey, its overrides, its state from one run to the next."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from unittest.mock import AsyncMock, MagicMock
from uuid import uuid4

import pytest

from agent_runtime_core.errors import LLMError, StateDecodeError, StateEncodeError, StoreConflict
from agent_runtime_core.history import is_sendable
from agent_runtime_core.stores import InMemoryCheckpointStore
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import (
    AgentContext,
    AgentMessage,
    BaseJourneyState,
    BaseJourneyTools,
    JourneyAgent,
    JourneyConfig,
    ToolSchema,
    ToolSchemaBuilder,
    configure,
)


class Step(str, Enum):
    """The steps of a shop."""

    SHOPPING = "shopping"
    PAID = "paid"


@dataclass
class Cart(BaseJourneyState[Step]):
    """Written as users write: the dict and the state share their list."""

    step: Any = Step.SHOPPING
    items: Any = field(default_factory=list)

    def is_complete(self) -> bool:
        return bool(self.step == Step.PAID)

    def to_dict(self) -> dict[str, Any]:
        return {"step": getattr(self.step, "value", self.step), "items": self.items}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Cart:
        return cls(Step(data["step"]), data["items"])


class ShopTools(BaseJourneyTools[Cart]):
    async def add(self, item: str) -> str:
        self.state.items.append(item)
        return f"Added {item}."

    async def pay(self) -> str:
        self.state.step = Step.PAID
        return "Paid."

    async def fail(self) -> str:
        self.state.items.append("broken")
        raise RuntimeError("out of order")

    async def pack(self) -> str:
        self.state.items = tuple(self.state.items)
        return "Packed."


SCHEMAS = [
    ToolSchemaBuilder("add").param("item", "string", required=True).build(),
    *(ToolSchemaBuilder(name).build() for name in ("pay", "fail", "pack")),
]


class Shop(JourneyAgent[Cart, Any, Step]):
    """Takes down what it is asked."""

    key = "shop"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked: list[str] = []
        self.states: list[Cart] = []

    def took(self, what: str, state: Cart | None = None) -> None:
        self.asked.append(what)
        if state is not None:
            self.states.append(state)

    async def load_state(self, ctx: AgentContext) -> Cart | None:
        self.took("load_state")
        return await super().load_state(ctx)

    async def save_state(self, ctx: AgentContext, state: Cart) -> None:
        self.took("save_state", state)
        await super().save_state(ctx, state)

    def get_initial_state(self) -> Cart:
        return Cart()

    def get_system_prompt(self, state: Cart) -> str:
        self.took("get_system_prompt", state)
        return f"Step {state.step}, {len(state.items)} items."

    def get_tool_schemas(self, state: Cart) -> list[ToolSchema]:
        self.took("get_tool_schemas", state)
        return [] if state.step == Step.PAID else SCHEMAS

    def create_tools(self, state: Cart, ctx: AgentContext) -> Any:
        self.took("create_tools", state)
        return ShopTools(state=state)

    async def execute_tool(self, tools: Any, name: str, args: dict[str, Any], /) -> Any:
        self.took(f"execute_tool {name}")
        return await getattr(tools, name)(**args)


class Generate(ScriptedLLM):
    """Takes down when it is asked, among the agent's questions."""

    agent: Shop

    async def generate(self, messages: Any, **kwargs: Any) -> Any:
        self.agent.took("generate")
        return await super().generate(messages, **kwargs)


def shop(*script: Any, **options: Any) -> Any:
    llm = Generate(script)
    llm.agent = agent = Shop(llm, **options)
    return agent


def add(item: str) -> dict[str, Any]:
    return tool_call_reply("add", item=item)


# Order.


async def test_a_run_asks_its_journey_in_order(context):
    agent = shop(tool_call_reply("add", ("add", {"item": "milk"}), item="tea"), "That is all.")

    await agent.run(context("Tea and milk"))

    turn = {"create_tools", "get_system_prompt", "get_tool_schemas"}
    asked = [each for each in agent.asked if each != "get_tool_schemas"]
    assert agent.asked[0] == "load_state"
    assert set(agent.asked[1:4]) == turn
    assert asked == [
        "load_state",
        "create_tools",
        "get_system_prompt",
        "generate",
        "execute_tool add",
        "execute_tool add",
        "create_tools",
        "get_system_prompt",
        "generate",
        "save_state",
    ]


async def test_the_state_is_one_object_for_the_whole_run(context):
    agent = shop(add("tea"), tool_call_reply("fail"), "Sorry")

    result = await agent.run(context("hello"))

    assert {id(state) for state in agent.states} == {id(agent.states[0])}
    assert result.state == {"step": "shopping", "items": ["tea"]}
    assert agent.states[0].items == ["tea"]


async def test_the_context_reaches_the_journey_as_it_is(context):
    seen = []
    agent = shop("Hi")
    agent.create_tools = lambda state, ctx: seen.append(ctx)

    await agent.run(ctx := context("hello"))

    assert all(each is ctx for each in seen)
    assert len(seen) == 1


async def test_tools_are_called_by_position_whatever_the_parameters_are_called(context):
    class Named(Shop):
        async def execute_tool(self, my_tools: Any, tool_name: str, values: dict[str, Any]) -> Any:
            return await getattr(my_tools, tool_name)(**values)

    result = await Named(ScriptedLLM([add("tea"), "Done"])).run(context("hello"))

    assert result.state == {"step": "shopping", "items": ["tea"]}


# Results.


async def test_a_result_tells_what_the_run_made_and_nothing_of_what_came_before(context):
    before = [AgentMessage("user", "Hi"), AgentMessage("assistant", "Hello")]
    agent = shop(asks := add("tea"), "Here you are.")

    result = await agent.run(context(*before, "Tea, please"))

    answer = {"role": "tool", "content": "Added tea.", "tool_call_id": "call_1_add", "name": "add"}
    assert result.messages == [
        AgentMessage.from_dict(asks),
        AgentMessage.from_dict(answer),
        AgentMessage("assistant", "Here you are."),
    ]
    assert result.response == "Here you are."
    assert result.usage == {"prompt_tokens": 20, "completion_tokens": 40, "total_tokens": 60}
    assert result.metadata == {"stopped_reason": "text_response", "tool_calls_made": 1}


async def test_run_stream_tells_the_same_run(context):
    script: list[Any] = [add("tea"), "Here you are."]

    result = await shop(*script).run(context("Tea"))
    events = [event async for event in shop(*script).run_stream(context("Tea"))]

    end = events[-1]
    assert [AgentMessage.from_dict(message) for message in end.messages] == result.messages
    assert (end.response, end.state, end.usage) == (result.response, result.state, result.usage)
    assert {"stopped_reason": end.reason, "tool_calls_made": end.tool_calls_made} == result.metadata


@pytest.mark.parametrize("content", [None, "", []])
async def test_an_answer_without_words_is_an_empty_text(context, content):
    result = await shop({"role": "assistant", "content": content}).run(context("hello"))

    assert result.response == ""
    assert result.messages == [AgentMessage("assistant", "")]


async def test_a_terminal_tool_ends_the_run_with_its_own_words_wherever_it_stands(context):
    config = JourneyConfig(terminal_tools={"pay"})
    agent = shop(tool_call_reply("add", ("pay", {}), ("fail", {}), item="tea"), "never asked", config=config)

    result = await agent.run(context("Tea, and pay"))

    assert result.response == "Paid."
    assert result.metadata == {"stopped_reason": "terminal_tool:pay", "tool_calls_made": 3}
    assert result.state == {"step": "paid", "items": ["tea"]}
    assert is_sendable([message.to_dict() for message in result.messages])
    assert agent.asked.count("generate") == agent.asked.count("save_state") == 1


async def test_a_terminal_tool_that_fails_lets_the_model_go_on(context):
    agent = shop(tool_call_reply("fail"), "Sorry", config=JourneyConfig(terminal_tools={"fail"}))

    assert (await agent.run(context("hello"))).metadata["stopped_reason"] == "text_response"


async def test_state_is_saved_once_at_the_iteration_limit(context):
    agent = shop(add("tea"), add("milk"), "I have to stop.", config=JourneyConfig(2))

    result = await agent.run(context("hello"))

    assert agent.asked.count("save_state") == 1
    assert agent.asked.count("generate") == 3
    assert result.response == "I have to stop."
    assert result.state == {"step": "shopping", "items": ["tea", "milk"]}


@pytest.mark.parametrize("content", ["Sell tea.", ""])
async def test_the_prompt_is_the_first_message_and_an_empty_one_is_none(context, content):
    agent = shop("Hi")
    agent.get_system_prompt = lambda state: content

    await agent.run(context("hello"))

    system = [{"role": "system", "content": content}] if content else []
    assert agent.llm_client.calls[0]["messages"] == [*system, {"role": "user", "content": "hello"}]


async def test_a_client_that_is_a_mock_does(context):
    llm = MagicMock()
    llm.generate = AsyncMock(
        side_effect=[MagicMock(message=add("tea")), MagicMock(message={"role": "assistant", "content": "Done"})]
    )

    result = await Shop(llm).run(context("hello"))

    assert (result.response, result.usage) == ("Done", {})
    assert result.state == {"step": "shopping", "items": ["tea"]}


# Failures.


async def test_in_production_a_failing_tool_is_a_result_and_the_state_is_saved(context):
    agent = shop(tool_call_reply("fail"), "Sorry")

    result = await agent.run(context("hello"))

    assert result.messages[1].content == "Error executing fail: out of order"
    assert result.response == "Sorry"
    assert agent.asked[-1] == "save_state"


async def test_in_debug_mode_what_a_tool_raises_reaches_the_caller_and_nothing_is_saved(context):
    configure(debug=True)
    agent = shop(add("tea"), tool_call_reply("fail"))

    with pytest.raises(RuntimeError, match="out of order"):
        await agent.run(ctx := context("hello"))

    assert "save_state" not in agent.asked
    assert await agent.get_state(ctx.conversation_id) is None
    assert agent.states[-1].items == ["tea"]


async def test_when_the_model_fails_nothing_is_saved(context):
    agent = shop(add("tea"), LLMError("down"))

    with pytest.raises(LLMError, match="down"):
        await agent.run(context("hello"))

    assert "save_state" not in agent.asked


async def test_what_a_tool_of_the_same_round_kept_in_its_hands_is_not_lost_after_another_has_failed(context):
    class Holds(ShopTools):
        def __init__(self, state: Cart) -> None:
            super().__init__(state)
            self.items = state.items

        async def add(self, item: str) -> str:
            self.items.append(item)
            return f"Added {item}."

    agent = shop(tool_call_reply("fail", ("add", {"item": "tea"})), "Done")
    agent.create_tools = lambda state, ctx: Holds(state)

    result = await agent.run(context("hello"))

    assert [message.content for message in result.messages if message.role == "tool"][1] == "Added tea."
    assert result.state == {"step": "shopping", "items": ["tea"]}


# State from one run to the next.


async def test_a_second_run_under_one_conversation_goes_on_where_the_first_ended(context):
    agent = shop(add("tea"), "Anything else?", add("milk"), "Done")
    conversation = uuid4()

    await agent.run(context("Tea", conversation_id=conversation))
    result = await agent.run(context("Milk", conversation_id=conversation))

    assert result.state == {"step": "shopping", "items": ["tea", "milk"]}


async def test_what_a_tool_changed_deep_inside_the_loaded_state_is_saved(context):
    agent = shop(add("tea"), "One", add("milk"), "Two", "Three")
    conversation = uuid4()
    for text in ("Tea", "Milk", "What do I have?"):
        result = await agent.run(context(text, conversation_id=conversation))

    assert result.state == {"step": "shopping", "items": ["tea", "milk"]}


async def test_what_an_overridden_save_state_adds_is_saved():
    class Stamps(Shop):
        async def save_state(self, ctx: AgentContext, state: Cart) -> None:
            state.items.append("receipt")
            await super().save_state(ctx, state)

    agent = Stamps(ScriptedLLM([add("tea"), "One"]))

    await agent.send("c", "Tea")

    assert (await agent.get_state("c")) == Cart(Step.SHOPPING, ["tea", "receipt"])


async def test_another_conversation_starts_anew(context):
    agent = shop(add("tea"), "One", "Two")

    await agent.run(context("Tea"))

    assert (await agent.run(context("hello"))).state == {"step": "shopping", "items": []}


async def test_a_conversation_may_be_named_by_a_uuid_or_its_text(context):
    agent = shop(add("tea"), "One", "Two")
    conversation = uuid4()

    await agent.run(context("Tea", conversation_id=conversation))

    assert (await agent.run(context("hello", conversation_id=str(conversation)))).state["items"] == ["tea"]


async def test_without_a_conversation_nothing_is_kept():
    agent = shop(add("tea"), "One", "Two")

    for text in ("Tea", "hello"):
        result = await agent.run(AgentContext(uuid4(), None, [AgentMessage("user", text)]))

    assert result.state == {"step": "shopping", "items": []}


async def test_an_empty_conversation_id_is_refused():
    agent = shop("One")

    with pytest.raises(ValueError, match="conversation id is empty"):
        await agent.run(AgentContext(uuid4(), "", [AgentMessage("user", "hello")]))


async def test_two_agents_keep_two_states_of_one_conversation(context):
    store = InMemoryCheckpointStore()
    first, second = shop(add("tea"), "One", store=store), shop("Two", store=store)
    conversation = uuid4()
    await first.run(context("Tea", conversation_id=conversation))
    second.key = "other"

    result = await second.run(context("hello", conversation_id=conversation))

    assert result.state == {"step": "shopping", "items": []}
    assert (await first.get_state(conversation)) == Cart(Step.SHOPPING, ["tea"])


async def test_one_context_can_be_run_twice_and_sees_what_happened_in_between(context):
    agent = shop(add("tea"), "One", add("milk"), "Two", add("bread"), "Three")
    ctx = context("hello")

    await agent.run(ctx)
    await agent.run(context("hello", conversation_id=ctx.conversation_id))
    result = await agent.run(ctx)

    assert result.state == {"step": "shopping", "items": ["tea", "milk", "bread"]}


async def test_of_two_runs_at_once_the_one_that_ends_last_is_told_and_overwrites_nothing(context):
    conversation = uuid4()
    begun, turn = asyncio.Event(), asyncio.Event()

    class Waits(ScriptedLLM):
        async def generate(self, messages: Any, **kwargs: Any) -> Any:
            begun.set()
            await turn.wait()
            return await super().generate(messages, **kwargs)

    store = InMemoryCheckpointStore()
    slow, quick = Shop(Waits([add("tea"), "One"]), store=store), Shop(ScriptedLLM([add("milk"), "Two"]), store=store)
    late = asyncio.create_task(slow.run(context("Tea", conversation_id=conversation)))
    await begun.wait()
    await quick.run(context("Milk", conversation_id=conversation))
    turn.set()

    with pytest.raises(StoreConflict):
        await late
    assert (await quick.get_state(conversation)) == Cart(Step.SHOPPING, ["milk"])


# load_state and save_state of the journey's own.


class Elsewhere(Shop):
    """Keeps its states in a dict of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept: dict[Any, dict[str, Any]] = {}

    async def load_state(self, ctx: AgentContext) -> Cart | None:
        self.took("load_state")
        data = self.kept.get(ctx.conversation_id)
        return None if data is None else Cart(Step(data["step"]), list(data["items"]))

    async def save_state(self, ctx: AgentContext, state: Cart) -> None:
        self.took("save_state")
        self.kept[ctx.conversation_id] = {"step": state.step.value, "items": list(state.items)}


async def test_overridden_load_and_save_take_over_in_run(context):
    agent = Elsewhere(ScriptedLLM([add("tea"), "One", add("milk"), "Two"]))
    conversation = uuid4()

    for text in ("Tea", "Milk"):
        await agent.run(context(text, conversation_id=conversation))

    assert agent.kept == {conversation: {"step": "shopping", "items": ["tea", "milk"]}}
    assert (await agent.store.load(str(conversation), "shop")).version == 0
    assert [each for each in agent.asked if "state" in each] == ["load_state", "save_state"] * 2


async def test_overridden_load_and_save_take_over_in_send():
    agent = Elsewhere(ScriptedLLM([add("tea"), "One", add("milk"), "Two"]))

    await agent.send("c", "Tea")
    agent.kept["c"]["items"] = ["coffee"]
    result = await agent.send("c", "Milk")

    assert result.state == agent.kept["c"] == {"step": "shopping", "items": ["coffee", "milk"]}
    assert (await agent.get_state("c")) == Cart(Step.SHOPPING, ["coffee", "milk"])
    assert [each for each in agent.asked if "state" in each] == ["load_state", "save_state"] * 2 + ["load_state"]
    assert len(await agent.get_history("c")) == 8


async def test_overriding_load_state_alone_leaves_saving_as_it_is(context):
    class Starts(Shop):
        async def load_state(self, ctx: AgentContext) -> Cart | None:
            return Cart(Step.SHOPPING, ["gift"])

    agent = Starts(ScriptedLLM([add("tea"), "One"]))

    await agent.run(ctx := context("Tea"))

    assert (await agent.store.load(str(ctx.conversation_id), "shop")).state == {
        "step": "shopping",
        "items": ["gift", "tea"],
    }


async def test_what_an_overridden_save_state_raises_reaches_the_caller(context):
    agent = shop("Hi")
    agent.save_state = AsyncMock(side_effect=RuntimeError("disk full"))

    with pytest.raises(RuntimeError, match="disk full"):
        await agent.run(context("hello"))


# States that cannot be stored, or not be read.


async def test_without_a_store_a_state_that_is_no_json_data_runs_and_is_not_kept(context, caplog):
    agent = shop(tool_call_reply("add", item="tea"), "One", "Two")
    agent.get_initial_state = lambda: Cart(items=[{"tea"}])
    conversation = uuid4()

    with caplog.at_level(logging.INFO, "agent_runtime_framework"):
        result = await agent.run(context("Tea", conversation_id=conversation))

    assert result.state == {"step": "shopping", "items": [{"tea"}, "tea"]}
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "convert in Cart.to_dict()" in record.getMessage()
    assert "tea" not in record.getMessage()
    assert await agent.get_state(conversation) is None


async def test_with_a_store_a_state_that_is_no_json_data_is_an_error(context):
    agent = shop("One", store="memory://")
    agent.get_initial_state = lambda: Cart(items={"tea"})

    with pytest.raises(StateEncodeError, match=r"not JSON data.*'shop' convert such values in its state's to_dict"):
        await agent.run(context("Tea"))


async def test_a_tool_that_leaves_a_state_that_the_store_refuses_is_undone_and_told_so():
    agent = shop(add("tea"), tool_call_reply("pack"), "Sorry")

    result = await agent.send("c", "Tea, packed")

    said = [str(message.content) for message in result.messages if message.role == "tool"]
    assert said[1].startswith("Error executing pack: the tool left a state that cannot be stored")
    assert result.state == {"step": "shopping", "items": ["tea"]}
    assert (await agent.get_state("c")) == Cart(Step.SHOPPING, ["tea"])


async def test_a_to_dict_that_raises_says_which(context):
    class Broken(Cart):
        def to_dict(self) -> dict[str, Any]:
            raise AttributeError("no such field")

    agent = shop("One")
    agent.get_initial_state = Broken

    with pytest.raises(StateEncodeError, match=r"Broken\.to_dict\(\) raised AttributeError: no such field"):
        await agent.run(context("hello"))


async def test_a_stored_state_that_cannot_be_read_is_an_error_and_stays(context):
    store = InMemoryCheckpointStore()
    agent = shop("One", store=store)
    conversation = uuid4()
    await store.commit(str(conversation), "shop", expected_version=0, state={"step": "gone"})

    for attempt in (agent.run(context("hi", conversation_id=conversation)), agent.get_state(conversation)):
        with pytest.raises(StateDecodeError, match=f"{conversation}.*'gone' is not a valid Step"):
            await attempt

    assert (await store.load(str(conversation), "shop")).state == {"step": "gone"}
    assert "generate" not in agent.asked


# Odd but allowed.


async def test_steps_may_be_plain_texts(context):
    agent = shop(add("tea"), "Done")
    agent.get_initial_state = lambda: Cart("shopping")

    events = [event async for event in agent.run_stream(context("Tea"))]

    assert events[0].step == "shopping"
    assert events[-1].state == {"step": "shopping", "items": ["tea"]}


async def test_a_talking_step_that_is_a_plain_text_stays(context):
    agent = shop("Hello")
    agent.get_initial_state = lambda: Cart("welcome")
    agent.get_tool_schemas = lambda state: []

    assert (await agent.run(context("hi"))).state["step"] == "welcome"


def test_a_journey_that_lacks_a_method_cannot_be_made():
    class Nothing(JourneyAgent[Any, Any, Step]):
        pass

    with pytest.raises(TypeError, match="abstract") as caught:
        Nothing()  # type: ignore[abstract]

    for name in ("key", "get_initial_state", "get_system_prompt", "get_tool_schemas", "create_tools", "execute_tool"):
        assert name in str(caught.value)


def test_settings_have_the_promised_order_and_defaults():
    config = JourneyConfig(3, {"pay"}, ["ciao"])

    assert (config.max_tool_iterations, config.terminal_tools, config.closing_phrases) == (3, {"pay"}, ["ciao"])
    assert JourneyConfig() == JourneyConfig(10, set(), ["thank you", "thanks", "bye", "goodbye"])
    assert JourneyConfig().terminal_tools is not JourneyConfig().terminal_tools
    assert Shop().config == JourneyConfig()
    assert Shop(None, config).config is config
    assert Shop().llm_client is None


# Closing.


async def test_an_agent_closes_the_store_that_it_opened_and_not_the_one_it_was_given(tmp_path):
    given = InMemoryCheckpointStore()
    given.close = AsyncMock()  # type: ignore[method-assign]

    async with Shop(ScriptedLLM(["One"]), store=given):
        pass
    async with Shop(ScriptedLLM(["One"]), store=f"sqlite:///{tmp_path}/shop.db") as own:
        await own.send("c", "hello")
        close = own.store.close
        own.store.close = AsyncMock(side_effect=close)  # type: ignore[method-assign]

    given.close.assert_not_awaited()
    own.store.close.assert_awaited_once()


async def test_an_agent_is_closed_when_its_block_fails(tmp_path):
    agent = Shop(ScriptedLLM([LLMError("down")]), store=f"sqlite:///{tmp_path}/shop.db")
    agent.aclose = AsyncMock(side_effect=agent.aclose)  # type: ignore[method-assign]

    with pytest.raises(LLMError):
        async with agent:
            await agent.send("c", "hello")

    agent.aclose.assert_awaited_once()
