"""What a prompt may say about a state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from types import SimpleNamespace

import pytest

from agent_runtime_framework.prompts import PromptTemplate, StepPromptMapping
from agent_runtime_framework.state import BaseJourneyState, template_variables


class Step(Enum):
    ASK = "ask"
    DONE = "done"


@dataclass
class State(BaseJourneyState[Step]):
    step: Step = Step.ASK
    name: str = "Ada"
    address: SimpleNamespace | None = None
    _tries: int = 3

    @property
    def greeting(self) -> str:
        return f"Hello {self.name}"

    @cached_property
    def size(self) -> int:
        return len(self.name)

    @property
    def city(self) -> str:
        assert self.address is not None
        return str(self.address.city)

    @property
    def _hidden(self) -> str:
        return "hidden"

    def to_dict(self):
        return {}

    @classmethod
    def from_dict(cls, data):
        return cls()


def test_public_fields_and_properties_are_there_and_enums_are_values() -> None:
    state = State(address=SimpleNamespace(city="Rome"))

    assert template_variables(state) == {
        "step": "ask",
        "name": "Ada",
        "address": state.address,
        "greeting": "Hello Ada",
        "size": 3,
        "city": "Rome",
    }


def test_a_property_that_has_no_value_yet_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", logger="agent_runtime_framework"):
        variables = template_variables(State())

    assert "city" not in variables
    assert "State.city raised AssertionError" in caplog.text


def test_a_prompt_is_filled_in_from_a_state() -> None:
    prompts = StepPromptMapping({Step.ASK: PromptTemplate("$greeting. You are at $step.")})
    state = State()

    assert prompts.get(state.step, **template_variables(state)) == "Hello Ada. You are at ask."


def test_any_object_has_its_attributes() -> None:
    assert template_variables(SimpleNamespace(step=Step.DONE, _x=1)) == {"step": "done"}
