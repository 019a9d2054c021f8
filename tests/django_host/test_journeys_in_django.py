"""A journey of the framework in Django's database: neither package knows the other, and one truth is kept."""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.management import CommandError, call_command

from agent_runtime_core import AgentRunner
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import BaseJourneyState, BaseJourneyTools, JourneyAgent, StepPromptMapping, migrate, tool
from django_agent_runtime.models import AgentConversation, AgentRun
from django_agent_runtime.runtime.registry import clear_registry, register_runtime
from django_agent_runtime.stores import DjangoCheckpointStore


class Step(str, Enum):
    NAME = "name"
    EMAIL = "email"
    DONE = "done"


@dataclass
class State(BaseJourneyState[Step]):
    step: Step = Step.NAME
    name: str = ""
    email: str = ""


class Tools(BaseJourneyTools[State]):
    @tool(step=Step.NAME, to=Step.EMAIL)
    async def save_name(self, name: str) -> str:
        """Save the user's name."""
        self.state.name = name
        return f"Nice to meet you, {name}."

    @tool(step=Step.EMAIL, to=Step.DONE)
    async def save_email(self, email: str) -> str:
        """Save the user's email."""
        self.state.email = email
        return "Saved."


class Onboarding(JourneyAgent[State, Tools, Step]):
    key = "onboarding"
    prompts = StepPromptMapping[Step]({Step.NAME: "Ask for the name.", Step.EMAIL: "Ask for the email."})


@pytest.fixture(autouse=True)
def _empty_registry():
    clear_registry()
    yield
    clear_registry()


@sync_to_async
def states_of(row: AgentConversation) -> list[dict[str, Any]]:
    return [each.state or {} for each in row.latest_checkpoints()]


async def test_a_conversation_goes_on_in_its_row(alias: str) -> None:
    # Given: a row that the project has made
    row = await AgentConversation.objects.using(alias).acreate(agent_key="onboarding", title="Ada's")
    llm = ScriptedLLM([tool_call_reply("save_name", name="Ada"), "And your email?", "Which one?"])
    agent = Onboarding(llm, store=DjangoCheckpointStore(alias))

    # When: somebody talks, and another process goes on
    await agent.send(str(row.pk), "I am Ada", message_id="m1")
    result = await Onboarding(llm, store=DjangoCheckpointStore(alias)).send(str(row.pk), "The other one")
    again = await agent.send(str(row.pk), "I am Ada", message_id="m1")

    # Then
    assert result.state["name"] == "Ada"
    assert again.response == "And your email?"
    (state,) = await states_of(row)
    assert (state["step"], state["name"]) == ("email", "Ada")
    history = await sync_to_async(row.get_message_history)()
    assert [each["role"] for each in history] == ["user", "assistant", "tool", "assistant", "user", "assistant"]
    await row.arefresh_from_db(using=alias)
    assert (row.title, row.message_count) == ("Ada's", 6)


async def test_a_hosted_run_marks_what_it_has_written(alias: str) -> None:
    # Given: a run of a host; with a store, the framework's run is a send under the run's id
    row = await AgentConversation.objects.using(alias).acreate(agent_key="onboarding")
    run = await AgentRun.objects.using(alias).acreate(agent_key="onboarding", conversation=row)
    llm = ScriptedLLM([tool_call_reply("save_name", name="Ada"), "And your email?"])
    register_runtime(Onboarding(llm, store=DjangoCheckpointStore(alias)))

    # When
    await AgentRunner().execute(
        "onboarding",
        run_id=run.pk,
        input_data={"conversation_id": str(row.pk), "messages": [{"role": "user", "content": "I am Ada"}]},
    )

    # Then
    written = [each.run_id async for each in row.messages.using(alias).all()]
    assert written == [run.pk] * 4
    assert [each.state["name"] async for each in run.checkpoints.using(alias).all() if each.state] == ["Ada"]


class Renamed(str, Enum):
    FULL_NAME = "full_name"
    DONE = "done"


@dataclass
class RenamedState(BaseJourneyState[Renamed]):
    step: Renamed = Renamed.FULL_NAME


class RenamedTools(BaseJourneyTools[RenamedState]):
    @tool(step=Renamed.FULL_NAME, to=Renamed.DONE)
    async def save_full_name(self, name: str) -> str:
        """Save the full name."""
        return name


class RenamedOnboarding(JourneyAgent[RenamedState, RenamedTools, Renamed]):
    key = "onboarding"
    prompts = StepPromptMapping[Renamed]({Renamed.FULL_NAME: "Ask for the full name."})


class MigratedOnboarding(RenamedOnboarding):
    version = 2

    @migrate(1, 2)
    @staticmethod
    def rename(state: dict[str, Any]) -> dict[str, Any]:
        return {"step": "full_name"}


async def test_stored_journeys_are_checked_against_the_code(alias: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: a conversation that stands at a step which the new code does not have
    monkeypatch.setattr("django.db.router.db_for_write", lambda *_, **__: alias)
    store = DjangoCheckpointStore()
    llm = ScriptedLLM([tool_call_reply("save_name", name="Ada"), "And your email?"])
    await Onboarding(llm, store=store).send("c", "I am Ada")

    @sync_to_async
    def said(agent: object) -> str:
        out = io.StringIO()
        register_runtime(agent)
        try:
            call_command("agent_check_journeys", stdout=out)
        except CommandError as error:
            out.write(str(error))
        return out.getvalue()

    # Then
    assert "1 go on as they are" in await said(Onboarding(llm))
    failing = await said(RenamedOnboarding(llm))
    assert "1 would fail" in failing
    assert "c: version 1, step email: " in failing
    assert failing.endswith("1 stored states would fail")
    assert "1 go on after a migration" in await said(MigratedOnboarding(llm))
