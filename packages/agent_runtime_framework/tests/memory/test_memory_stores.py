"""States and messages over every kind of backend."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.messages import AgentMessage, ToolCall
from agent_runtime_core.stores import open_store
from agent_runtime_framework.memory import (
    ConversationStore,
    InMemoryStore,
    MemoryStore,
    StateStore,
    StoredMessage,
)

CALL = {"id": "c1", "type": "function", "function": {"name": "save_name", "arguments": '{"name": "Ada"}'}}


class RemoteStore(MemoryStore[Any]):
    """A key/value store of a user's own: keeps JSON texts, and lets other tasks run as a network would."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    async def get(self, key: str) -> Any:
        await asyncio.sleep(0)
        return json.loads(self.texts.get(key, "null"))

    async def set(self, key: str, value: Any) -> None:
        text = json.dumps(value)
        await asyncio.sleep(0)
        self.texts[key] = text

    async def delete(self, key: str) -> None:
        await asyncio.sleep(0)
        self.texts.pop(key, None)


@dataclass
class Faces:
    """Both stores over one backend."""

    states: StateStore
    conversations: ConversationStore


@pytest.fixture(params=["default", "remote", "in memory", "sqlite"])
async def faces(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Faces]:
    match request.param:
        case "default":
            backend: Any = InMemoryStore[Any]()
        case "remote":
            backend = RemoteStore()
        case kind:
            backend = open_store("memory://" if kind == "in memory" else f"sqlite:///{tmp_path}/journeys.db")
    yield Faces(StateStore(backend), ConversationStore(backend))
    if hasattr(backend, "close"):
        await backend.close()


def message_dicts(messages: list[StoredMessage] | None) -> list[dict[str, Any]]:
    assert messages is not None
    return [message.to_dict() for message in messages]


# States.


async def test_a_state_is_loaded_as_it_was_saved(faces: Faces) -> None:
    state = {"step": "name", "data": {"items": [1, 2.5, None, True]}, "name": "Zoë"}

    await faces.states.save_state("c", "agent", state)

    assert await faces.states.load_state("c", "agent") == state


async def test_a_state_that_was_never_saved_is_none(faces: Faces) -> None:
    assert await faces.states.load_state(uuid4(), "agent") is None


async def test_an_empty_state_is_a_state(faces: Faces) -> None:
    await faces.states.save_state("c", "agent", {})

    assert await faces.states.load_state("c", "agent") == {}


async def test_each_agent_has_its_own_state_in_each_conversation(faces: Faces) -> None:
    await faces.states.save_state("c1", "one", {"n": 1})
    await faces.states.save_state("c1", "two", {"n": 2})
    await faces.states.save_state("c2", "one", {"n": 3})

    await faces.states.save_state("c1", "one", {"n": 4})

    assert await faces.states.load_state("c1", "one") == {"n": 4}
    assert await faces.states.load_state("c1", "two") == {"n": 2}
    assert await faces.states.load_state("c2", "one") == {"n": 3}


async def test_a_conversation_id_is_a_uuid_or_its_text(faces: Faces) -> None:
    conversation_id = uuid4()

    await faces.states.save_state(conversation_id, "agent", {"n": 1})
    await faces.conversations.add_message(conversation_id, {"role": "user", "content": "Hello"})

    assert await faces.states.load_state(str(conversation_id), "agent") == {"n": 1}
    assert len(await faces.conversations.get_messages(str(conversation_id))) == 1


async def test_a_deleted_state_is_gone_and_may_be_deleted_again(faces: Faces) -> None:
    await faces.states.save_state("c", "agent", {"n": 1})

    await faces.states.delete_state("c", "agent")
    await faces.states.delete_state("c", "agent")

    assert await faces.states.load_state("c", "agent") is None


async def test_a_state_object_is_saved_as_its_dict(faces: Faces) -> None:
    class State:
        def to_dict(self) -> dict[str, Any]:
            return {"step": "name"}

    await faces.states.save_state("c", "agent", State())

    assert await faces.states.load_state("c", "agent") == {"step": "name"}


async def test_what_is_no_state_is_refused_and_named(faces: Faces) -> None:
    with pytest.raises(TypeError, match="not list"):
        await faces.states.save_state("c", "agent", ["step"])

    assert await faces.states.load_state("c", "agent") is None


async def test_states_go_in_and_come_out_as_copies(faces: Faces) -> None:
    # Given a state that its owner changes after saving it
    state = {"items": ["tea"]}
    await faces.states.save_state("c", "agent", state)
    state["items"].append("cake")

    # When a loaded one is changed, too
    loaded = await faces.states.load_state("c", "agent")
    assert loaded is not None
    loaded["items"].append("milk")

    # Then the stored one is neither
    assert await faces.states.load_state("c", "agent") == {"items": ["tea"]}


# Messages.


async def test_messages_come_back_in_order(faces: Faces) -> None:
    await faces.conversations.add_message("c", StoredMessage("user", "Hello"))
    await faces.conversations.add_messages("c", [StoredMessage("assistant", "Hi"), StoredMessage("user", "Bye")])

    assert await faces.conversations.get_messages("c") == [
        StoredMessage("user", "Hello"),
        StoredMessage("assistant", "Hi"),
        StoredMessage("user", "Bye"),
    ]


async def test_a_limit_gives_the_last_messages(faces: Faces) -> None:
    await faces.conversations.add_messages("c", [{"role": "user", "content": f"Message {n}"} for n in range(10)])

    last = await faces.conversations.get_messages("c", limit=3)

    assert [message.content for message in last] == ["Message 7", "Message 8", "Message 9"]
    assert len(await faces.conversations.get_messages("c", limit=99)) == 10
    assert await faces.conversations.get_messages("c", limit=0) == []


async def test_a_negative_limit_is_an_error(faces: Faces) -> None:
    with pytest.raises(ValueError, match="limit is -1"):
        await faces.conversations.get_messages("c", limit=-1)


async def test_an_unknown_conversation_has_no_messages(faces: Faces) -> None:
    assert await faces.conversations.get_messages(uuid4()) == []
    assert await faces.conversations.get_messages(uuid4(), limit=3) == []


async def test_tool_calls_and_their_results_come_back_whole(faces: Faces) -> None:
    # Given the messages of a run, in each form in which they are found
    said = [
        {"role": "user", "content": "I'm Ada"},
        AgentMessage("assistant", tool_calls=[CALL]),
        StoredMessage("tool", "Saved.", tool_call_id="c1", name="save_name"),
        AgentMessage("assistant", "Hello Ada", metadata={"model": "m"}),
        {"role": "assistant", "content": "Hm", "tool_calls": [ToolCall(CALL)], "reasoning_content": "..."},
    ]

    # When they are stored
    await faces.conversations.add_messages("c", said)

    # Then the conversation is as complete as it was
    assert message_dicts(await faces.conversations.get_messages("c")) == [
        {"role": "user", "content": "I'm Ada"},
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "content": "Saved.", "tool_call_id": "c1", "name": "save_name"},
        {"role": "assistant", "content": "Hello Ada", "metadata": {"model": "m"}},
        {"role": "assistant", "content": "Hm", "tool_calls": [CALL], "reasoning_content": "..."},
    ]


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ("Hello", TypeError, "not str"),
        (None, TypeError, "not NoneType"),
        ({"content": "Hello"}, ValueError, r"needs a 'role'.*\['content'\]"),
    ],
)
async def test_what_is_no_message_is_refused_and_nothing_is_appended(
    faces: Faces, wrong: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        await faces.conversations.add_messages("c", [{"role": "user", "content": "Hello"}, wrong])

    assert await faces.conversations.get_messages("c") == []


async def test_messages_go_in_and_come_out_as_copies(faces: Faces) -> None:
    # Given a message that its owner changes after storing it
    message = StoredMessage("user", [{"type": "text", "text": "Hello"}])
    await faces.conversations.add_message("c", message)
    message.content[0]["text"] = "changed"

    # When a loaded one is changed, too
    loaded = await faces.conversations.get_messages("c")
    loaded[0].content[0]["text"] = "changed"
    loaded.clear()

    # Then the stored one is neither
    stored = await faces.conversations.get_messages("c")
    assert stored == [StoredMessage("user", [{"type": "text", "text": "Hello"}])]


async def test_a_cleared_conversation_has_no_messages_but_keeps_its_states(faces: Faces) -> None:
    await faces.states.save_state("c", "agent", {"n": 1})
    await faces.conversations.add_message("c", {"role": "user", "content": "Hello"})

    await faces.conversations.clear_conversation("c")
    await faces.conversations.clear_conversation("unknown")

    assert await faces.conversations.get_messages("c") == []
    assert await faces.states.load_state("c", "agent") == {"n": 1}


async def test_appending_nothing_leaves_nothing(faces: Faces) -> None:
    await faces.conversations.add_messages("c", [])

    assert await faces.conversations.get_messages("c") == []


async def test_no_message_is_lost_when_many_are_added_at_once(faces: Faces) -> None:
    await asyncio.gather(
        *(faces.conversations.add_message("c", {"role": "user", "content": str(n)}) for n in range(20))
    )

    stored = await faces.conversations.get_messages("c")
    assert sorted(int(message.content) for message in stored) == list(range(20))


# Raw keys.


async def test_the_storage_keys_lead_to_the_same_data(faces: Faces) -> None:
    # Given what the typed methods have stored
    await faces.states.save_state("c:1", "agent", {"n": 1})
    await faces.conversations.add_message("c:1", {"role": "user", "content": "Hello"})

    # Then the raw keys read it
    assert await faces.states.get("state:c:1:agent") == {"n": 1}
    assert await faces.conversations.get("conversation:c:1") == [StoredMessage("user", "Hello")]
    assert await faces.states.exists("state:c:1:agent")
    assert not await faces.states.exists("state:c:1:other")
    assert await faces.conversations.get("conversation:other") is None

    # And write it
    await faces.states.set("state:c:1:agent", {"n": 2})
    await faces.conversations.set("conversation:c:1", [StoredMessage("user", "Bye")])
    assert await faces.states.load_state("c:1", "agent") == {"n": 2}
    assert await faces.conversations.get_messages("c:1") == [StoredMessage("user", "Bye")]

    # And remove it
    await faces.states.delete("state:c:1:agent")
    assert await faces.states.load_state("c:1", "agent") is None
    await faces.conversations.delete("conversation:c:1")
    assert await faces.conversations.get_messages("c:1") == []


async def test_messages_set_by_key_may_be_longer_or_shorter_or_others(faces: Faces) -> None:
    one, two, other = ({"role": "user", "content": text} for text in ("one", "two", "other"))

    for messages in ([one], [one, two], [one, two], [other, two], [two], []):
        await faces.conversations.set("conversation:c", messages)
        assert message_dicts(await faces.conversations.get_messages("c")) == messages


@pytest.mark.parametrize("key", ["settings", "state:one", "conversation:", "user:7"])
async def test_any_other_key_holds_what_was_put_there(faces: Faces, key: str) -> None:
    assert await faces.states.get(key) is None

    await faces.states.set(key, {"colour": "red"})
    assert await faces.states.get(key) == {"colour": "red"}

    await faces.states.delete(key)
    await faces.states.delete(key)
    assert await faces.states.get(key) is None

    await faces.conversations.set(key, [{"role": "user", "content": "Hello"}])
    assert await faces.conversations.get(key) == [StoredMessage("user", "Hello")]


# Backends.


async def test_a_store_without_a_backend_keeps_things_to_itself() -> None:
    await StateStore().save_state("c", "agent", {"n": 1})
    await ConversationStore().add_message("c", {"role": "user", "content": "Hello"})

    assert await StateStore().load_state("c", "agent") is None
    assert await ConversationStore().get_messages("c") == []


async def test_a_key_value_backend_holds_plain_values_under_the_promised_keys() -> None:
    backend = InMemoryStore[Any]()

    await StateStore(backend).save_state("c", "agent", {"n": 1})
    await ConversationStore(backend=backend).add_message("c", StoredMessage("user", "Hello"))

    assert backend._data == {
        "state:c:agent": {"n": 1},
        "conversation:c": [{"role": "user", "content": "Hello"}],
    }


async def test_a_key_value_backend_keeps_values_that_are_no_json() -> None:
    conversation_id = uuid4()
    store = StateStore()

    await store.save_state("c", "agent", {"id": conversation_id, "range": (1, 2)})

    assert await store.load_state("c", "agent") == {"id": conversation_id, "range": (1, 2)}


async def test_stores_made_for_each_request_lose_no_message_of_one_another() -> None:
    backend = RemoteStore()

    await asyncio.gather(
        *(ConversationStore(backend).add_message("c", {"role": "user", "content": str(n)}) for n in range(20))
    )

    assert len(await ConversationStore(backend).get_messages("c")) == 20


async def test_a_backend_needs_only_the_three_operations() -> None:
    class Duck:
        __slots__ = ("data",)  # neither a MemoryStore nor weakly referable

        def __init__(self) -> None:
            self.data: dict[str, Any] = {}

        async def get(self, key: str) -> Any:
            return self.data.get(key)

        async def set(self, key: str, value: Any) -> None:
            self.data[key] = value

        async def delete(self, key: str) -> None:
            self.data.pop(key, None)

    store = ConversationStore(Duck())  # type: ignore[arg-type]
    await store.add_message("c", {"role": "user", "content": "Hello"})

    assert await store.get_messages("c") == [StoredMessage("user", "Hello")]


@pytest.mark.parametrize("backend", [7, object(), {}, InMemoryStore])
def test_what_is_no_backend_is_refused_and_named(backend: Any) -> None:
    with pytest.raises(ConfigError, match=f"backend is a {type(backend).__name__}"):
        StateStore(backend)
