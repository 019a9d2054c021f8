"""Journeys as runs: their conversations are in Django's database, their turns are signals."""

from __future__ import annotations

import pytest

from agent_runtime_core.testing import FunctionLLM, ScriptedLLM, tool_call_reply
from django_agent_runtime.models import AgentConversation, AgentEvent, AgentRun
from django_agent_runtime.runtime.runs import asubmit
from django_agent_runtime.signals import approval_pending, step_changed
from tests.django_project.agents import said
from tests.django_project.journey import Onboarding
from tests.django_project.runs import ended


async def said_to(conversation: AgentConversation, text: str) -> AgentRun:
    run = await AgentRun.objects.acreate(agent_key="onboarding", conversation=conversation, input=said(text))
    await asubmit(run)
    return await ended(run)


@pytest.fixture
def heard():
    found = []

    def step(sender, run, **facts):
        found.append(("step", facts["from_step"], facts["to_step"]))

    def approval(sender, run, **facts):
        found.append(("approval", facts["tool_name"], facts["arguments"]))

    step_changed.connect(step)
    approval_pending.connect(approval)
    yield found
    step_changed.disconnect(step)
    approval_pending.disconnect(approval)


async def test_a_journey_without_a_store_gets_the_database(runs_alias, registered, heard):
    model = ScriptedLLM(
        [
            "Your name?",
            tool_call_reply("save_name", name="Ada"),
            "Your email?",
            tool_call_reply("save_email", email="ada@example.org"),
            "I have asked.",
        ]
    )
    registered(Onboarding(model))
    conversation = await AgentConversation.objects.acreate(agent_key="onboarding")

    first = await said_to(conversation, "Hi")
    second = await said_to(conversation, "Ada")
    third = await said_to(conversation, "ada@example.org")

    assert [run.status for run in (first, second, third)] == ["succeeded"] * 3, third.error
    assert second.output["final_output"]["state"]["step"] == "email"
    roles = [message.role async for message in conversation.messages.all()]
    assert roles[:6] == ["user", "assistant", "user", "assistant", "tool", "assistant"]
    assert {message.run_id async for message in conversation.messages.all()} == {first.pk, second.pk, third.pk}
    types = [event.event_type async for event in AgentEvent.objects.filter(run=second.pk)]
    assert types == [
        "run.started",
        "tool.call",
        "tool.result",
        "assistant.message",
        "state.checkpoint",
        "run.succeeded",
    ]
    assert heard == [("step", "name", "email"), ("approval", "save_email", {"email": "ada@example.org"})]
    assert third.output["artifacts"]["stopped_reason"].startswith("approval:")


@pytest.mark.parametrize("said_before", [0, 1])
async def test_a_message_that_is_said_anew_finds_the_journey_as_it_was(runs_alias, registered, said_before):
    def answer(messages, tools):
        last = messages[-1]
        if last["role"] == "user" and last["content"].startswith("I am "):
            return tool_call_reply("save_name", name=last["content"].removeprefix("I am "))
        return "All right."

    agent = registered(Onboarding(FunctionLLM(answer)))
    conversation = await AgentConversation.objects.acreate(agent_key="onboarding")
    for _ in range(said_before):
        await said_to(conversation, "Hi")
    wrong = await said_to(conversation, "I am Adda")
    later = await said_to(conversation, "ada@example.org")
    given = said("I am Ada")
    new = await AgentRun.objects.acreate(agent_key="onboarding", conversation=conversation, input=given)
    await AgentRun.objects.filter(pk__in=[wrong.pk, later.pk]).aupdate(superseded_by=new)

    await asubmit(new)

    assert (await ended(new)).status == "succeeded"
    state = await agent.get_state(str(conversation.pk))
    assert state is not None
    assert (state.name, state.step) == ("Ada", "email")
    texts = [message.content async for message in conversation.messages.all() if message.role == "user"]
    assert texts == [*["Hi"] * said_before, "I am Ada"]


async def test_the_text_comes_in_pieces_where_it_is_asked_for(runs_alias, registered):
    registered(Onboarding(ScriptedLLM(["Your name, please?"])))
    conversation = await AgentConversation.objects.acreate(agent_key="onboarding")
    given = {**said("Hi"), "params": {"stream": True}}
    run = await AgentRun.objects.acreate(agent_key="onboarding", conversation=conversation, input=given)
    await asubmit(run)
    await ended(run)

    events = [event async for event in AgentEvent.objects.filter(run=run.pk)]
    pieces = [event.payload["content"] for event in events if event.event_type == "assistant.delta"]
    assert "".join(pieces) == "Your name, please?"
    assert [event.payload for event in events if event.event_type == "assistant.message"] == [
        {"content": "Your name, please?"}
    ]
