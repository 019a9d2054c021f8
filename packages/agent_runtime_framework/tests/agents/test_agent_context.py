"""What a run gets and what it gives back: `AgentContext` and `AgentResult`."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import uuid4

import pytest

from agent_runtime_core.testing import ScriptedLLM
from agent_runtime_framework import AgentContext, AgentMessage, AgentResult

RUN, CONVERSATION = uuid4(), uuid4()


def test_a_context_has_its_fields_in_the_promised_order():
    message = AgentMessage("user", "Hello")

    ctx = AgentContext(RUN, CONVERSATION, [message], {"user_id": 5})

    assert (ctx.run_id, ctx.conversation_id, ctx.input_messages, ctx.metadata) == (
        RUN,
        CONVERSATION,
        [message],
        {"user_id": 5},
    )
    assert AgentContext(RUN, CONVERSATION, []).metadata == {}
    assert AgentContext(RUN, CONVERSATION, []) == AgentContext(RUN, CONVERSATION, [])


def test_the_fields_of_a_context_can_be_set_anew_and_copied():
    ctx = AgentContext(RUN, CONVERSATION, [])
    ctx.input_messages = [AgentMessage("user", "Hello")]
    ctx.conversation_id = "other"

    copy = dataclasses.replace(ctx, run_id=uuid4())

    assert copy.get_user_message() == "Hello"
    assert copy.conversation_id == "other"


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([], None),
        ([AgentMessage("assistant", "Hi")], None),
        ([AgentMessage("user", "one"), AgentMessage("assistant", "Hi")], "one"),
        ([AgentMessage("user", "one"), AgentMessage("user", "two"), AgentMessage("tool", "x")], "two"),
        ([AgentMessage("user", "one"), AgentMessage("user", [{"type": "image_url"}])], "one"),
        ([AgentMessage("user", None)], None),
        ([AgentMessage("user", "")], ""),
        ([{"role": "user", "content": "a dict"}], "a dict"),
        ([AgentMessage("user", "one"), {"role": "assistant", "content": "Hi"}], "one"),
    ],
)
def test_the_users_message_is_the_last_one_of_the_user_that_is_a_text(messages, said):
    assert AgentContext(RUN, CONVERSATION, messages).get_user_message() == said


async def test_plain_dicts_are_messages_like_any_other(signup):
    llm = ScriptedLLM(["Hi"])
    messages: list[Any] = [
        {"role": "user", "content": "Hello", "metadata": {"page": 3}},
        AgentMessage("assistant", "Hi", metadata={"page": 4}),
        {"role": "user", "content": [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {}}]},
    ]

    await signup.Agent(llm).run(AgentContext(RUN, CONVERSATION, messages, {"secret": 1}))

    assert llm.calls[0]["messages"][1:] == [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {}}]},
    ]


async def test_a_message_without_a_role_is_refused(signup):
    messages: list[Any] = [{"content": "Hello"}]

    with pytest.raises(KeyError, match="role"):
        await signup.Agent(ScriptedLLM(["Hi"])).run(AgentContext(RUN, CONVERSATION, messages))


async def test_a_run_leaves_the_messages_of_its_context_alone(signup):
    messages = [AgentMessage("user", "Hello")]
    ctx = AgentContext(RUN, CONVERSATION, messages)

    await signup.Agent(ScriptedLLM(["Hi"])).run(ctx)

    assert ctx.input_messages is messages
    assert messages == [AgentMessage("user", "Hello")]


def test_a_result_has_its_fields_in_the_promised_order_and_needs_only_its_response():
    full = AgentResult("Hi", [AgentMessage("assistant", "Hi")], {"step": "name"}, {"total_tokens": 3}, {"a": 1})

    assert dataclasses.asdict(full) == {
        "response": "Hi",
        "messages": [dataclasses.asdict(AgentMessage("assistant", "Hi"))],
        "state": {"step": "name"},
        "usage": {"total_tokens": 3},
        "metadata": {"a": 1},
    }
    assert AgentResult("Hi") == AgentResult("Hi", [], None, None, {})


async def test_a_tool_sees_the_whole_kept_conversation_in_the_context(signup):
    seen = []

    class Looking(signup.Agent):  # type: ignore[name-defined]
        def create_tools(self, state, ctx):
            seen.append([message.content for message in ctx.input_messages])
            return super().create_tools(state, ctx)

    agent = Looking(ScriptedLLM(["Hello.", "Good."]))
    await agent.send("c", "one")
    await agent.send("c", "two")

    assert seen == [["one"], ["one", "Hello.", "two"]]
