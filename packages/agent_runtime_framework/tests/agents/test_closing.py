"""Goodbyes: which messages are one, and what an agent that has arrived does with them."""

from __future__ import annotations

import pytest

from agent_runtime_core.events import RunFinished
from agent_runtime_core.testing import ScriptedLLM
from agent_runtime_framework import AgentMessage, AgentResult, JourneyConfig


@pytest.mark.parametrize(
    "message",
    [
        "Thank you!",
        "thanks",
        "Goodbye",
        "bye",
        "  BYE!!  ",
        "Thanks a lot, bye",
        "ok thanks",
        "Great, thank you so much!",
        "thank you\n",
        "Thanks 🙏",
        "thanks for your help",
    ],
)
def test_a_goodbye_closes(signup, message):
    assert signup.Agent().is_closing_message(message) is True


@pytest.mark.parametrize(
    "message",
    [
        "I have a question",
        "",
        "thanksgiving is on Thursday",
        "Goodbyes are hard",
        "standby",
        "no thanks, I want another quote",
        "Thanks, what happens now?",
        "Thanks, but my address is wrong",
        "Thanks. Before you go, please tell me how long the policy runs",
        "x" * 1_000_000,
    ],
)
def test_a_message_that_wants_something_does_not_close(signup, message):
    assert signup.Agent().is_closing_message(message) is False


def test_the_phrases_can_be_set_and_are_taken_as_they_are_written(signup):
    agent = signup.Agent(config=JourneyConfig(closing_phrases=["Tschüss", "c'est tout", "(end)"]))

    assert agent.is_closing_message("tschüss!")
    assert agent.is_closing_message("Ok, c'est tout.")
    assert agent.is_closing_message("(END)")
    assert not agent.is_closing_message("bye")
    assert not agent.is_closing_message("end")


def test_without_phrases_nothing_closes(signup):
    assert not signup.Agent(config=JourneyConfig(closing_phrases=[])).is_closing_message("bye")


def done(signup, llm, **options):
    agent = signup.Agent(llm, **options)
    agent.start = signup.Step.DONE
    return agent


async def test_a_goodbye_after_the_end_needs_no_answer(signup, context):
    agent = done(signup, llm := ScriptedLLM())

    result = await agent.run(context("Thank you!"))

    assert result == AgentResult(
        "",
        [],
        {"step": "done", "name": "", "age": 0, "notes": []},
        None,
        {"stopped_reason": "closing_message", "tool_calls_made": 0},
    )
    assert llm.call_count == 0


async def test_after_a_goodbye_nothing_is_saved(signup, context):
    async def save_state(ctx, state):
        raise AssertionError("nothing has changed")

    agent = done(signup, ScriptedLLM())
    agent.save_state = save_state

    assert (await agent.run(context("bye"))).response == ""


async def test_in_a_conversation_the_goodbye_is_kept(signup):
    agent = done(signup, llm := ScriptedLLM(["You are done."]))

    await agent.send("c", "Am I done?")
    result = await agent.send("c", "Thanks, bye")

    assert (result.response, result.usage, llm.call_count) == ("", None, 1)
    assert await agent.get_history("c") == [
        AgentMessage("user", "Am I done?"),
        AgentMessage("assistant", "You are done."),
        AgentMessage("user", "Thanks, bye"),
    ]


async def test_a_stream_tells_a_goodbye_as_a_run_that_ends_at_once(signup):
    events = [event async for event in done(signup, ScriptedLLM()).stream("c", "bye")]

    assert [event.kind for event in events] == ["run_started", "run_finished"]
    assert isinstance(events[1], RunFinished)
    assert (events[1].reason, events[1].response) == ("closing_message", "")


async def test_a_question_after_the_end_is_answered(signup, context):
    agent = done(signup, ScriptedLLM(["Next week."]))

    assert (await agent.run(context("When does it start?"))).response == "Next week."


async def test_a_goodbye_before_the_end_is_answered(signup, context):
    agent = signup.Agent(ScriptedLLM(["Wait, what is your name?"]))

    assert (await agent.run(context("bye"))).response == "Wait, what is your name?"


async def test_only_the_last_message_of_the_user_counts(signup, context):
    agent = done(signup, ScriptedLLM(["Next week."]))

    assert (await agent.run(context("bye", "When does it start?"))).response == "Next week."


@pytest.mark.parametrize("content", [None, [{"type": "text", "text": "bye"}]])
async def test_a_message_that_is_no_text_is_answered(signup, context, content):
    agent = done(signup, ScriptedLLM(["Yes?"]))

    assert (await agent.run(context(AgentMessage("user", content)))).response == "Yes?"


async def test_both_questions_can_be_answered_differently(signup, context):
    agent = signup.Agent(ScriptedLLM(["Go on."]))
    agent.start = signup.Step.AGE
    agent.is_terminal_state = lambda state: state.step is signup.Step.AGE
    agent.is_closing_message = lambda message: message == "fin"

    assert (await agent.run(context("fin"))).response == ""
    assert (await agent.run(context("bye"))).response == "Go on."
