"""`EmailStr`: an address that is checked, and words that say what is missing where it cannot be."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import Enum

import pytest
from pydantic import EmailStr

from agent_runtime_core.errors import MissingDependency
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import BaseJourneyState, BaseJourneyTools, JourneyAgent, tool


class Step(str, Enum):
    EMAIL = "email"
    DONE = "done"


@dataclass
class State(BaseJourneyState[Step]):
    step: Step = Step.EMAIL
    email: str = ""


class Tools(BaseJourneyTools[State]):
    @tool(step=Step.EMAIL, to=Step.DONE)
    async def save_email(self, email: EmailStr) -> str:
        self.state.email = email
        return "saved"


class Signup(JourneyAgent[State, Tools, Step]):
    key = "signup"
    prompts = {Step.EMAIL: "Ask for the email.", Step.DONE: "Thank."}  # noqa: RUF012


async def test_only_an_address_is_saved_and_the_model_reads_what_is_wrong():
    calls = [tool_call_reply("save_email", email=each) for each in ("ada", "ada@nowhere", "Ada@Example.org")]
    agent = Signup(ScriptedLLM([*calls, "Thank you."]))

    result = await agent.send("c", "hi")

    told = [str(message.content) for message in result.messages if message.role == "tool"]
    assert all(text.startswith("Error: invalid arguments for 'save_email'") for text in told[:2])
    assert (told[2], result.state) == ("saved", {"step": "done", "email": "Ada@example.org"})
    schema = agent.llm_client.calls[0]["tools"][0]["function"]["parameters"]["properties"]["email"]  # type: ignore[union-attr]
    assert schema["format"] == "email"


def test_without_the_package_the_class_is_not_made_and_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "email_validator", None)  # as where it is not installed
    monkeypatch.setattr("pydantic.networks.email_validator", None, raising=False)

    with pytest.raises(MissingDependency, match=r"Asking\.save .*test_email.*\[email\]'"):

        class Asking(BaseJourneyTools[State]):
            @tool(step=Step.EMAIL)
            async def save(self, email: EmailStr) -> str:
                return "saved"


def test_the_same_for_a_field_of_a_state(monkeypatch):
    monkeypatch.setitem(sys.modules, "email_validator", None)
    monkeypatch.setattr("pydantic.networks.email_validator", None, raising=False)

    @dataclass
    class Known(BaseJourneyState[Step]):
        step: Step = Step.EMAIL
        email: EmailStr | None = None

    with pytest.raises(MissingDependency, match=r"Known\.email .*\[email\]'"):
        Known().to_dict()
