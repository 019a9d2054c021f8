"""State and messages of a conversation together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from agent_runtime_core.errors import StoreConflict
from agent_runtime_core.interfaces.checkpoint_store import CheckpointStore
from agent_runtime_core.messages import AgentMessage
from agent_runtime_core.stores import open_store
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import (
    AgentContext,
    BaseJourneyState,
    BaseJourneyTools,
    JourneyAgent,
    ToolSchema,
    ToolSchemaBuilder,
)
from agent_runtime_framework.memory import (
    ConversationStore,
    MemoryContext,
    MemoryManager,
    StateStore,
    StoredMessage,
    build_memory_context,
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/journeys.db"


@pytest.fixture(params=["in memory", "sqlite"])
async def store(request: pytest.FixtureRequest, url: str) -> AsyncIterator[CheckpointStore]:
    store = open_store("memory://" if request.param == "in memory" else url)
    yield store
    await store.close()


class Step(StrEnum):
    NAME = "name"
    DONE = "done"


@dataclass
class State(BaseJourneyState[Step]):
    step: Step = Step.NAME
    name: str = ""

    def is_complete(self) -> bool:
        return self.step == Step.DONE

    def to_dict(self) -> dict[str, Any]:
        return {"step": self.step.value, "name": self.name}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        return cls(Step(data["step"]), data["name"])


class Tools(BaseJourneyTools[State]):
    async def save_name(self, name: str) -> str:
        self.state.name = name
        self.state.step = Step.DONE
        return "Saved."


class Agent(JourneyAgent[State, Tools, Step]):
    key = "onboarding"

    def get_initial_state(self) -> State:
        return State()

    def get_system_prompt(self, state: State) -> str:
        return "Ask for the name."

    def get_tool_schemas(self, state: State) -> list[ToolSchema]:
        return [ToolSchemaBuilder("save_name").param("name", "string", required=True).build()]

    def create_tools(self, state: State, ctx: AgentContext) -> Tools:
        return Tools(state)

    async def execute_tool(self, tools: Tools, name: str, arguments: dict[str, Any]) -> str:
        result: str = await getattr(tools, name)(**arguments)
        return result


# The manager by itself.


async def test_a_new_conversation_has_neither_state_nor_messages() -> None:
    context = await MemoryManager().load_context(uuid4(), "my-agent")

    assert context == MemoryContext(state=None, messages=[], metadata={})
    assert not context.has_state()
    assert context.get_message_dicts() == []


async def test_what_was_saved_after_a_run_is_there_before_the_next() -> None:
    # Given the README's manager
    manager = MemoryManager(StateStore(), ConversationStore())
    conversation_id = uuid4()

    # When a run's outcome is saved, whatever its type, twice
    await manager.save_state(conversation_id, "my-agent", State(name="Ada"))
    await manager.save_messages(conversation_id, [AgentMessage("user", "Hello"), StoredMessage("user", "Hi")])
    await manager.save_state(conversation_id, "my-agent", {"step": "done", "name": "Ada"})
    await manager.save_messages(conversation_id, [{"role": "assistant", "content": "Bye"}])

    # Then the next run starts from all of it
    context = await manager.load_context(conversation_id, "my-agent")
    assert context.has_state()
    assert context.state == {"step": "done", "name": "Ada"}
    assert context.get_message_dicts() == [
        {"role": "user", "content": "Hello"},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Bye"},
    ]


async def test_a_message_limit_keeps_the_last_ones() -> None:
    manager = MemoryManager()
    await manager.save_messages("c", [{"role": "user", "content": str(n)} for n in range(5)])

    context = await manager.load_context("c", "my-agent", message_limit=2)

    assert [message.content for message in context.messages] == ["3", "4"]


async def test_an_empty_state_counts_as_a_state() -> None:
    assert MemoryContext(state={}).has_state()


async def test_messages_and_state_are_removed_apart() -> None:
    manager = MemoryManager()
    await manager.save_state("c", "my-agent", {"n": 1})
    await manager.save_messages("c", [{"role": "user", "content": "Hello"}])

    await manager.clear_conversation("c")
    assert await manager.load_context("c", "my-agent") == MemoryContext(state={"n": 1})

    await manager.delete_state("c", "my-agent")
    assert await manager.load_context("c", "my-agent") == MemoryContext()


async def test_the_manager_uses_the_very_stores_it_was_given() -> None:
    states, conversations = StateStore(), ConversationStore()

    manager = MemoryManager(states, conversations)

    assert manager.state_store is states
    assert manager.conversation_store is conversations


async def test_a_store_that_is_left_out_contributes_nothing() -> None:
    states, conversations = StateStore(), ConversationStore()
    await states.save_state("c", "my-agent", {"n": 1})
    await conversations.add_message("c", {"role": "user", "content": "Hello"})

    assert await build_memory_context("c", "my-agent") == MemoryContext()
    assert await build_memory_context("c", "my-agent", states) == MemoryContext(state={"n": 1})
    assert await build_memory_context(
        "c", "my-agent", conversation_store=conversations, message_limit=1
    ) == MemoryContext(messages=[StoredMessage("user", "Hello")])


# Over the store of an agent.


async def test_the_manager_sees_the_conversation_that_an_agent_keeps(store: CheckpointStore) -> None:
    # Given a conversation with a tool call
    llm = ScriptedLLM([tool_call_reply("save_name", name="Ada"), "Hello Ada"])
    agent = Agent(llm, store=store)
    await agent.send("c", "I'm Ada")

    # When its memory is read
    context = await MemoryManager(StateStore(store), ConversationStore(store)).load_context("c", "onboarding")

    # Then it is the agent's own, with the call and its result
    assert context.state == {"step": "done", "name": "Ada"}
    assert [message.role for message in context.messages] == ["user", "assistant", "tool", "assistant"]
    assert context.messages[1].tool_calls[0]["id"] == context.messages[2].tool_call_id
    assert context.messages[3].content == "Hello Ada"


async def test_an_agent_goes_on_from_what_the_manager_has_saved(store: CheckpointStore) -> None:
    # Given a conversation that was moved in from elsewhere
    manager = MemoryManager(StateStore(store), ConversationStore(store))
    conversation_id = uuid4()
    await manager.save_state(conversation_id, "onboarding", State(name="Ada"))
    await manager.save_messages(
        conversation_id, [AgentMessage("user", "I'm Ada"), AgentMessage("assistant", "Hello Ada")]
    )

    # When the user writes again
    llm = ScriptedLLM(["Yes, I do"])
    result = await Agent(llm, store=store).send(conversation_id, "Do you remember me?")

    # Then the model gets the whole conversation, and the state is the stored one
    assert llm.calls[0]["messages"][1:4] == [
        {"role": "user", "content": "I'm Ada"},
        {"role": "assistant", "content": "Hello Ada"},
        {"role": "user", "content": "Do you remember me?"},
    ]
    assert result.state == {"step": "name", "name": "Ada"}


async def test_a_state_that_is_no_json_data_is_refused_by_a_checkpoint_store(store: CheckpointStore) -> None:
    states = StateStore(store)
    await states.save_state("c", "agent", {"n": 1})

    with pytest.raises(TypeError):
        await states.save_state("c", "agent", {"n": object()})

    assert await states.load_state("c", "agent") == {"n": 1}


async def test_messages_set_by_key_are_all_there_or_not_at_all(store: CheckpointStore) -> None:
    conversations = ConversationStore(store)
    await conversations.add_message("c", {"role": "user", "content": "Hello"})

    with pytest.raises(TypeError):
        await conversations.set("conversation:c", [{"role": "user", "content": object()}])

    assert await conversations.get_messages("c") == [StoredMessage("user", "Hello")]


async def test_a_key_takes_only_what_belongs_there(store: CheckpointStore) -> None:
    with pytest.raises(TypeError, match="'state:c:agent' is the key of a state"):
        await ConversationStore(store).set("state:c:agent", [])
    with pytest.raises(TypeError, match="'conversation:c' is the key of messages"):
        await StateStore(store).set("conversation:c", {})


async def test_messages_set_by_key_do_not_overwrite_what_came_in_between(store: CheckpointStore) -> None:
    # Given a store in which somebody else writes right after each reading
    class Busy:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        async def load(self, *args: Any, **options: Any) -> Any:
            checkpoint = await store.load(*args, **options)
            await store.commit("c", "", expected_version=None, messages=[{"role": "user", "content": "me first"}])
            return checkpoint

    # When messages are set by key
    with pytest.raises(StoreConflict):
        await ConversationStore(Busy()).set("conversation:c", [{"role": "user", "content": "mine"}])

    # Then what came in between is there
    assert [message["content"] for message in await store.history("c")] == ["me first"]


# Opening and closing.


async def test_a_url_opens_the_store_and_closing_leaves_the_data_there(url: str) -> None:
    async with MemoryManager(StateStore(url), ConversationStore(url)) as manager:
        await manager.save_state("c", "agent", {"n": 1})
        await manager.save_messages("c", [{"role": "user", "content": "Hello"}])

    async with StateStore(url) as states, ConversationStore(url) as conversations:
        assert await states.load_state("c", "agent") == {"n": 1}
        assert await conversations.get_messages("c") == [StoredMessage("user", "Hello")]


async def test_a_store_that_was_handed_in_stays_open(store: CheckpointStore) -> None:
    await MemoryManager(StateStore(store), ConversationStore(store)).close()

    assert await store.history("c") == []
