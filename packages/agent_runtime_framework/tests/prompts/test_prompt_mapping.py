"""Prompts by step."""

from __future__ import annotations

from enum import StrEnum

import pytest

from agent_runtime_framework.prompts import PromptTemplate, StepPromptMapping


class Step(StrEnum):
    WELCOME = "welcome"
    COLLECTING = "collecting"
    DONE = "done"


def test_a_step_gets_its_prompt_and_any_other_the_default() -> None:
    prompts = StepPromptMapping[Step](prompts={Step.WELCOME: "Welcome!"}, default="I'm here to help.")

    assert prompts.get(Step.WELCOME) == "Welcome!"
    assert prompts.get(Step.DONE) == "I'm here to help."


def test_an_empty_mapping_gives_an_empty_prompt() -> None:
    assert StepPromptMapping[Step]().get(Step.WELCOME) == ""


def test_a_template_may_have_a_variable_named_step() -> None:
    # Given the README's template
    prompts = StepPromptMapping[Step](prompts={Step.COLLECTING: "Please provide your information."})
    template = PromptTemplate("Hello $name! You are at step ${step}.", defaults={"name": "there"})

    # When it is added, and asked for as in the README
    same = prompts.add(Step.WELCOME, template)
    prompt = prompts.get(Step.WELCOME, name="Alice", step="welcome")

    # Then both are there
    assert same is prompts
    assert prompt == "Hello Alice! You are at step welcome."


def test_the_step_may_be_given_by_keyword() -> None:
    prompts = StepPromptMapping[Step]({Step.WELCOME: PromptTemplate("Hello $name")})

    assert prompts.get(step=Step.WELCOME, name="Ada") == "Hello Ada"


def test_a_call_without_a_step_says_what_is_missing() -> None:
    with pytest.raises(TypeError, match="no step was given"):
        StepPromptMapping[Step]().get(name="Ada")  # type: ignore[call-overload]


def test_a_plain_text_is_not_touched() -> None:
    prompts = StepPromptMapping[Step]({Step.WELCOME: "Costs $$5, $name"})

    assert prompts.get(Step.WELCOME, name="Ada") == "Costs $$5, $name"


def test_the_default_may_be_a_template() -> None:
    assert StepPromptMapping[Step](default=PromptTemplate("Hi $name")).get(Step.DONE, name="Ada") == "Hi Ada"


def test_mappings_do_not_share_their_prompts() -> None:
    StepPromptMapping[Step]().add(Step.WELCOME, "Welcome!")

    assert StepPromptMapping[Step]().get(Step.WELCOME) == ""
