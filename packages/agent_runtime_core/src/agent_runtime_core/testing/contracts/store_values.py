"""What is read back equals what was written, and shares nothing with it; what is no JSON data is not written."""

from __future__ import annotations

import copy
import json
from collections import OrderedDict
from datetime import date
from enum import IntEnum, StrEnum
from typing import Any

from agent_runtime_core.interfaces import Checkpoint, CheckpointStore
from agent_runtime_core.testing.contracts.refusal import refused

__all__ = ["StoreValues"]

STATE: dict[str, Any] = {
    "step": "email",
    "done": False,
    "nothing": None,
    "numbers": [0, -1, 2**53 + 1, 2**70, 0.1, -1e300, 5e-324],
    "deep": {"list": [[], {}, [{"k": [1, "2", None]}]], "": "an empty key"},
}
TOOL_ROUND: list[dict[str, Any]] = [
    {"role": "user", "content": "My name is Ada"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "save_name", "arguments": '{"name": "Ada"}'}}
        ],
    },
    {"role": "tool", "content": "Saved.", "tool_call_id": "call_1", "name": "save_name"},
    {"role": "assistant", "content": [{"type": "text", "text": "Hello Ada"}], "metadata": {"score": 0.5}},
]
TEXTS = {
    "empty": "",
    "null bytes": "a\0b\0",
    "control characters": "\x01\x1f\x7f\x85\u2028\u2029\r\n\t",
    "quotes": "'; DROP TABLE messages; -- \" \\ \\\\ \\u0041",
    "emoji": "😀👩‍👩‍👧",
    "a lone surrogate": "half \ud83d an emoji",
    "two lone surrogates that look like a pair": "\ud83d\ude00",
    "the last code point": "\U0010ffff\uffff\ufeff",
    "a megabyte": "naïve " * 175_000,
    "JSON": '{"role": "user"}, [1, 2',
}
IDS = (
    "1b671a64-40d5-491e-99b0-da01ff1f3341",
    "17",
    " ",
    'Ada\'s "chat"',
    "../../etc/passwd",
    "a/b?c=d&e#f%20%",
    "100%_[*]",
    "null\0byte",
    "null",
    "ÄÖ 会話 😀",
    "A",
    "a",
    "\ud83d",
    "x" * 1000,
)


class Step(StrEnum):
    """A step, as journeys have it."""

    EMAIL = "email"


class Level(IntEnum):
    """A number with a name."""

    HIGH = 3


def nested(depth: int) -> dict[str, Any]:
    """Dicts in dicts."""
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"in": value}
    return value


class StoreValues:
    """The part of the contract about what can be stored."""

    async def test_states_and_messages_come_back_equal(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, state=STATE, messages=TOOL_ROUND)

        checkpoint = await store.load("c", "agent")
        assert checkpoint.state == STATE
        assert checkpoint.messages == TOOL_ROUND
        assert await store.history("c") == TOOL_ROUND
        # And: of the same types, which == does not tell (True == 1 == 1.0)
        assert json.dumps(checkpoint.state, sort_keys=True) == json.dumps(STATE, sort_keys=True)

    async def test_any_text_comes_back_equal(self, store: CheckpointStore) -> None:
        for number, (name, text) in enumerate(TEXTS.items()):
            conversation_id = f"c{number}"
            state = {"text": text, f"key {text[:100]}": [text]}
            messages: list[dict[str, Any]] = [
                {"role": "user", "content": text},
                {"role": "tool", "content": [text], "name": "t"},
            ]

            await store.commit(conversation_id, "agent", expected_version=0, state=state, messages=messages)

            checkpoint = await store.load(conversation_id, "agent")
            assert checkpoint.state == state, name
            assert checkpoint.messages == messages, name
            assert await store.history(conversation_id, start=1) == messages[1:], name

    async def test_any_text_is_an_id(self, store: CheckpointStore) -> None:
        for number, conversation_id in enumerate(IDS):
            await store.commit(conversation_id, "agent", expected_version=0, messages=[{"role": "user", "n": number}])

        for number, conversation_id in enumerate(IDS):
            assert await store.history(conversation_id) == [{"role": "user", "n": number}], ascii(conversation_id)
        assert all([await store.delete(conversation_id) for conversation_id in IDS])

    async def test_any_text_is_an_agent_key(self, store: CheckpointStore) -> None:
        for number, agent_key in enumerate(IDS):
            await store.commit("c", agent_key, expected_version=number, state={"n": number})

        for number, agent_key in enumerate(IDS):
            assert (await store.load("c", agent_key)).state == {"n": number}, ascii(agent_key)
        assert await store.delete_state("c", IDS[0]) is True
        assert (await store.load("c", IDS[1])).state == {"n": 1}

    async def test_changing_what_was_given_changes_nothing_stored(self, store: CheckpointStore) -> None:
        state, messages = copy.deepcopy(STATE), copy.deepcopy(TOOL_ROUND)
        await store.commit("c", "agent", expected_version=0, state=state, messages=messages)

        state["deep"]["list"][0].append("changed")
        state["step"] = "changed"
        messages[0]["content"] = "changed"
        messages[1]["tool_calls"][0]["function"]["name"] = "changed"
        messages.clear()

        checkpoint = await store.load("c", "agent")
        assert (checkpoint.state, checkpoint.messages) == (STATE, TOOL_ROUND)

    async def test_changing_what_was_read_changes_nothing_stored(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, state=STATE, messages=TOOL_ROUND)
        first = await store.load("c", "agent")
        history = await store.history("c")

        assert first.state is not None
        first.state["deep"]["list"][0].append("changed")
        first.state["step"] = "changed"
        for messages in (first.messages, history):
            messages[0]["content"] = "changed"
            messages[1]["tool_calls"][0]["function"]["name"] = "changed"
            messages.pop()

        again = await store.load("c", "agent")
        assert (again.state, again.messages) == (STATE, TOOL_ROUND)
        assert await store.history("c") == TOOL_ROUND

    async def test_members_of_enums_come_back_as_their_values(self, store: CheckpointStore) -> None:
        state = {"step": Step.EMAIL, "level": Level.HIGH, Step.EMAIL: [OrderedDict(a=Step.EMAIL)]}

        await store.commit("c", "agent", expected_version=0, state=state)

        read = (await store.load("c", "agent")).state
        assert read == {"step": "email", "level": 3, "email": [{"a": "email"}]}
        assert read is not None
        assert [type(read["step"]), type(read["level"]), type(read["email"][0])] == [str, int, dict]

    async def test_what_is_no_json_data_is_refused_and_nothing_is_written(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, state={"n": 1}, messages=[TOOL_ROUND[0]])
        before = await store.load("c", "agent")
        circle: dict[str, Any] = {}
        circle["again"] = [circle]

        for value in (
            {1, 2},
            (1, 2),
            b"bytes",
            date(2024, 1, 1),
            1j,
            object(),
            Step,
            float("nan"),
            float("inf"),
            [float("-inf")],
            {1: "a number as a key"},
            {None: "None as a key"},
            {("a", "b"): 1},
            [{"deep": {True: 1}}],
            circle,
            nested(100_000),
        ):
            for state, messages in (
                ({"value": value}, [TOOL_ROUND[0]]),
                ({"n": 2}, [TOOL_ROUND[0], {"role": "user", "content": value}]),
            ):
                call = store.commit("c", "agent", expected_version=1, state=state, messages=messages)
                error = await refused(call, TypeError)
                assert str(error)
        assert await store.load("c", "agent") == before

    async def test_states_and_messages_are_dicts(self, store: CheckpointStore) -> None:
        wrong: Any
        for wrong in ("text", 1, ["a"], True):
            await refused(store.commit("c", "agent", expected_version=0, state=wrong), TypeError)
            await refused(store.commit("c", "agent", expected_version=0, messages=[wrong]), TypeError)

        assert await store.load("c", "agent") == Checkpoint()

    async def test_data_may_be_a_hundred_levels_deep(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, state=nested(100), messages=[nested(100)])

        checkpoint = await store.load("c", "agent")
        assert (checkpoint.state, checkpoint.messages) == (nested(100), [nested(100)])
