"""The prompt of a step or of a state, enriched."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from types import SimpleNamespace
from typing import Any

import pytest

from agent_runtime_framework.prompts import PromptManager, PromptTemplate, StepPromptMapping
from agent_runtime_framework.prompts.manager import preference_enricher
from agent_runtime_framework.state import BaseJourneyState


class Step(StrEnum):
    WELCOME = "welcome"
    DONE = "done"


@dataclass
class State(BaseJourneyState[Step]):
    step: Step = Step.WELCOME
    name: str = "Ada"

    def is_complete(self) -> bool:
        return self.step == Step.DONE

    def to_dict(self) -> dict[str, Any]:
        return {"step": self.step.value, "name": self.name}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        return cls(Step(data["step"]), data["name"])


def greeting() -> StepPromptMapping[Step]:
    return StepPromptMapping[Step]({Step.WELCOME: PromptTemplate("Hello $user_name")}, default="Bye")


def test_a_state_gives_the_step_and_the_enricher_the_variables() -> None:
    manager = PromptManager[Step](
        mapping=greeting(),
        context_enricher=lambda state: {"user_name": state.name},
    )

    assert manager.get_prompt(State()) == "Hello Ada"
    assert manager.get_prompt(State(step=Step.DONE)) == "Bye"


def test_a_step_is_filled_in_with_the_variables_of_the_call() -> None:
    manager = PromptManager[Step](step_prompts=greeting())

    assert manager.get_prompt(Step.WELCOME, user_name="Grace") == "Hello Grace"
    assert manager.get_prompt(step=Step.WELCOME, context={}, user_name="Grace") == "Hello Grace"


def test_variables_of_the_call_win_over_the_enricher() -> None:
    manager = PromptManager[Step](greeting(), lambda state: {"user_name": state.name})

    assert manager.get_prompt(State(), user_name="Grace") == "Hello Grace"


def test_any_object_with_a_step_is_a_state() -> None:
    manager = PromptManager[Any](greeting(), lambda state: {"user_name": state.user})

    assert manager.get_prompt(SimpleNamespace(step=Step.WELCOME, user="Ada")) == "Hello Ada"


def test_a_member_of_an_enum_is_a_step_even_when_it_has_a_step_itself() -> None:
    class Ladder(Enum):
        LOW = 1

        @property
        def step(self) -> str:
            return "not this one"

    manager = PromptManager[Ladder]().set_prompt(Ladder.LOW, "At the bottom")

    assert manager.get_prompt(Ladder.LOW) == "At the bottom"


def test_a_template_may_have_a_variable_named_step() -> None:
    manager = PromptManager[Step]().set_prompt(Step.WELCOME, PromptTemplate("At $step"))

    assert manager.get_prompt(Step.WELCOME, step="the door") == "At the door"
    assert manager.get_prompt(State(), step="the door") == "At the door"


def test_enrichers_change_the_prompt_in_order_and_see_the_context() -> None:
    manager = PromptManager[Step](greeting())

    same = manager.add_enricher(lambda prompt, context: f"{prompt}, {context['title']}").add_enricher(
        lambda prompt, context: prompt + "!"
    )

    assert same is manager
    assert manager.get_prompt(Step.WELCOME, context={"title": "Dr"}, user_name="Ada") == "Hello Ada, Dr!"
    assert manager.get_prompt(Step.WELCOME, {"title": "Dr"}, user_name="Ada") == "Hello Ada, Dr!"
    assert manager.get_prompt(State(), context={"title": "Dr"}) == "Hello $user_name, Dr!"


def test_enrichers_get_an_empty_context_when_there_is_none() -> None:
    seen: list[dict[str, Any]] = []

    def look(prompt: str, context: dict[str, Any]) -> str:
        seen.append(context)
        return prompt

    PromptManager[Step]().add_enricher(look).get_prompt(Step.DONE)

    assert seen == [{}]


def test_an_empty_manager_gives_an_empty_prompt_until_a_default_is_set() -> None:
    manager = PromptManager[Step]()
    assert manager.get_prompt(Step.DONE) == ""

    same = manager.set_default("I'm here to help.")

    assert same is manager
    assert manager.get_prompt(Step.DONE) == "I'm here to help."


def test_the_mapping_has_two_names_and_is_one() -> None:
    mapping = greeting()

    manager = PromptManager[Step](mapping)
    assert manager.mapping is manager.step_prompts is mapping

    manager.mapping = other = StepPromptMapping[Step]()
    assert manager.step_prompts is other


def test_two_mappings_at_once_are_an_error() -> None:
    with pytest.raises(TypeError, match="give one of them"):
        PromptManager[Step](greeting(), step_prompts=greeting())


def test_a_call_without_step_and_state_says_what_is_missing() -> None:
    with pytest.raises(TypeError, match="no step was given"):
        PromptManager[Step]().get_prompt()  # type: ignore[call-overload]


def test_a_preference_is_added_when_the_context_knows_one() -> None:
    manager = PromptManager[Step](StepPromptMapping(default="Help."))
    manager.add_enricher(preference_enricher("language"))
    manager.add_enricher(preference_enricher("tone", " Be {value}."))

    assert manager.get_prompt(Step.DONE, context={"language": "French", "tone": "brief"}) == (
        "Help.\n\nNote: User prefers French. Be brief."
    )
    assert manager.get_prompt(Step.DONE, context={"language": ""}) == "Help."
