"""Journeys as runs: their conversations are in Django's database, their turns are signals."""

from __future__ import annotations

import pytest

from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
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
