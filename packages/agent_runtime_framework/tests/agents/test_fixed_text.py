"""Steps with fixed text: `says`."""

from __future__ import annotations

from types import new_class
from typing import Any
from uuid import uuid4

import pytest
from packages.agent_runtime_framework.tests.agents.graph_journeys import Onboarding, Speaking, Step

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.events import LLMCallStarted, RunFinished, StepChanged, TextDelta
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import AgentContext, AgentMessage, JourneyConfig


async def test_a_talking_step_answers_without_the_model_and_moves_on() -> None:
    llm = ScriptedLLM([])
    agent = Speaking(llm)

    result = await agent.send("c", "Hello")

    assert result.response == "Welcome! What is your name?"
    assert result.metadata["stopped_reason"] == "text_response"
    assert not llm.calls
    state = await agent.get_state("c")
    assert state is not None
    assert state.step is Step.NAME
    assert [(each.role, each.content) for each in await agent.get_history("c")] == [
        ("user", "Hello"),
        ("assistant", "Welcome! What is your name?"),
    ]


async def test_a_tool_that_leads_to_such_a_step_lets_its_words_end_the_run() -> None:
    llm = ScriptedLLM([tool_call_reply("save_name", name="Ada"), tool_call_reply("save_email", email="a@b.c")])
    agent = Speaking(llm)
    await agent.send("c", "Hello")

    asked = await agent.send("c", "Ada")
    ended = await agent.send("c", "a@b.c")

    assert asked.response == "Thank you, Ada. What is your email address?"
    assert ended.response == "You are all set."
    assert len(llm.calls) == 2  # one for each tool
    assert [each.role for each in asked.messages] == ["assistant", "tool", "assistant"]


async def test_the_model_sees_the_words_in_the_history() -> None:
    llm = ScriptedLLM(["And what do they call you?"])
    agent = Speaking(llm)
    await agent.send("c", "Hello")

    await agent.send("c", "Why?")

    assert llm.calls[0]["messages"][2] == {"role": "assistant", "content": "Welcome! What is your name?"}


async def test_a_step_with_tools_asks_the_model_when_a_run_begins_there() -> None:
    llm = ScriptedLLM([tool_call_reply("save_name", name="Ada"), "It is for the newsletter."])
    agent = Speaking(llm)
    await agent.send("c", "Hello")
    await agent.send("c", "Ada")

    result = await agent.send("c", "Why do you ask?")

    assert result.response == "It is for the newsletter."


async def test_a_tool_that_stays_does_not_bring_the_words_again() -> None:
    llm = ScriptedLLM([tool_call_reply("save_name", name="Ada"), tool_call_reply("explain"), "Now your address?"])
    agent = Speaking(llm)
    await agent.send("c", "Hello")
    await agent.send("c", "Ada")

    result = await agent.send("c", "Why?")

    assert result.response == "Now your address?"


async def test_after_the_end_the_model_answers() -> None:
    llm = ScriptedLLM(
        [tool_call_reply("save_name", name="Ada"), tool_call_reply("save_email", email="a@b.c"), "It is a@b.c."]
    )
    agent = Speaking(llm)
    for text in ("Hello", "Ada", "a@b.c"):
        await agent.send("c", text)

    assert (await agent.send("c", "Which address did I give?")).response == "It is a@b.c."


async def test_the_stream_tells_the_words_and_no_call_of_a_model() -> None:
    agent = Speaking(ScriptedLLM([]))

    events = [event async for event in agent.stream("c", "Hello")]

    assert [event.text for event in events if isinstance(event, TextDelta)] == ["Welcome! What is your name?"]
    assert not [event for event in events if isinstance(event, LLMCallStarted)]
    assert [(e.from_step, e.to_step) for e in events if isinstance(e, StepChanged)] == [(Step.WELCOME, Step.NAME)]
    last = events[-1]
    assert isinstance(last, RunFinished)
    assert last.response == "Welcome! What is your name?"


async def test_a_caller_who_keeps_the_messages_gets_the_words() -> None:
    ctx = AgentContext(uuid4(), "c", [AgentMessage("user", "Hello")])

    result = await Speaking(ScriptedLLM([])).run(ctx)

    assert [(each.role, each.content) for each in result.messages] == [("assistant", "Welcome! What is your name?")]


async def test_the_same_message_again_gets_the_same_words() -> None:
    agent = Speaking(ScriptedLLM([]))
    first = await agent.send("c", "Hello", message_id="1")

    again = await agent.send("c", "Hello", message_id="1")

    assert again.response == first.response
    assert again.metadata["replayed"] is True


async def test_words_that_end_a_run_come_before_its_limit() -> None:
    llm = ScriptedLLM([tool_call_reply("save_name", name="Ada")])
    agent = Speaking(llm, JourneyConfig(max_tool_iterations=1))
    await agent.send("c", "Hello")

    result = await agent.send("c", "Ada")

    assert result.response == "Thank you, Ada. What is your email address?"
    assert result.metadata["stopped_reason"] == "text_response"


async def test_an_empty_text_leaves_it_to_the_model() -> None:
    class Silent(Onboarding):
        says = {Step.WELCOME: ""}  # noqa: RUF012

    assert (await Silent(ScriptedLLM(["Hello!"])).send("c", "Hello")).response == "Hello!"


@pytest.mark.parametrize(
    ("says", "what"),
    [
        ({"start": "Hello"}, r"'start', which is no step of it: give a member of Step \(WELCOME, NAME, EMAIL, DONE\)"),
        ({Step.WELCOME: 1}, "has 1 for Step.WELCOME; give a text or a PromptTemplate"),
        ("Hello", "says is 'Hello'; give a dict of steps and texts"),
    ],
)
def test_what_is_no_text_of_a_step_is_told_when_the_class_is_made(says: Any, what: str) -> None:
    with pytest.raises(ConfigError, match=f"Wrong.*{what}"):
        new_class("Wrong", (Onboarding,), exec_body=lambda body: body.update(says=says))
