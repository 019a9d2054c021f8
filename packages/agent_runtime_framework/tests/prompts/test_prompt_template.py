"""Filling in a prompt."""

from __future__ import annotations

from agent_runtime_framework.prompts import PromptTemplate


def test_variables_are_filled_in_in_both_forms() -> None:
    template = PromptTemplate("Hello $name! You are at step ${step}.")

    assert template.render(name="Ada", step="welcome") == "Hello Ada! You are at step welcome."


def test_what_has_no_value_stays_as_it_is() -> None:
    template = PromptTemplate("Hello $name, your id is $id. It costs 5 $ or $5, ${not valid}.")

    assert template.render(name="Ada") == "Hello Ada, your id is $id. It costs 5 $ or $5, ${not valid}."


def test_a_given_value_wins_over_the_default() -> None:
    template = PromptTemplate("Hello $name", defaults={"name": "there"})

    assert template.render() == "Hello there"
    assert template.render(name="Ada") == "Hello Ada"


def test_values_become_text_even_those_that_are_false() -> None:
    assert PromptTemplate("$count and $none", defaults={"count": 0}).render(none=None) == "0 and None"


def test_a_value_is_inserted_and_never_read_again() -> None:
    assert PromptTemplate("$said").render(said="$secret", secret="x") == "$secret"


def test_a_double_dollar_is_a_dollar_and_self_is_a_name_like_any_other() -> None:
    assert PromptTemplate("$$5 for $self").render(self="me") == "$5 for me"
