"""The journey's steps on one line."""

from __future__ import annotations

from enum import Enum

from agent_runtime_framework.cli.marks import marks_for
from agent_runtime_framework.cli.step_line import StepLine

MARKS = marks_for("UTF-8")


class Quote(Enum):
    CHOOSE = "choose"
    CAR = "car"
    HOME = "home"
    OFFER = "offer"


class Numbered(Enum):
    FIRST_STEP = 1
    SECOND_STEP = 2


def shown(steps: StepLine, width: int | None = None) -> str:
    return "".join(text for _, text in steps.pieces(MARKS, width=width))


def test_the_steps_that_were_visited_are_passed_and_no_others() -> None:
    # Given
    steps = StepLine(Quote.CHOOSE)

    # When: events carry the values of the steps
    steps.move_to("home")
    steps.move_to("offer")

    # Then
    assert shown(steps) == "✓ choose → ○ car → ✓ home → ● offer"


def test_going_back_keeps_what_was_visited() -> None:
    # Given
    steps = StepLine(Quote.CHOOSE)
    steps.move_to("car")

    # When
    steps.move_to("choose")

    # Then
    assert shown(steps) == "● choose → ✓ car → ○ home → ○ offer"


def test_moves_that_the_store_does_not_know_were_undone() -> None:
    # Given
    steps = StepLine(Quote.CHOOSE)
    steps.move_to("car")
    assert steps.settle(Quote.CAR, complete=False) is False

    # When: a run moves on and fails before it is committed
    steps.move_to("offer")

    # Then
    assert steps.settle(Quote.CAR, complete=False) is True
    assert shown(steps) == "✓ choose → ● car → ○ home → ○ offer"


def test_a_resumed_journey_has_passed_what_lies_before() -> None:
    assert shown(StepLine(Quote.HOME, resumed=True)) == "✓ choose → ✓ car → ● home → ○ offer"
    assert shown(StepLine(Quote.HOME)) == "○ choose → ○ car → ● home → ○ offer"


def test_a_complete_journey_has_passed_its_last_step_too() -> None:
    # Given
    steps = StepLine(Quote.HOME)

    # When
    steps.move_to("offer")
    steps.settle(Quote.OFFER, complete=True)

    # Then
    assert shown(steps) == "○ choose → ○ car → ✓ home → ✓ offer"


def test_a_line_that_is_too_wide_tells_where_the_journey_stands() -> None:
    steps = StepLine(Quote.CAR, resumed=True)

    assert shown(steps, width=80) == "✓ choose → ● car → ○ home → ○ offer"
    assert shown(steps, width=30) == "● car (2 of 4)"


def test_steps_whose_values_are_no_texts_go_by_their_names() -> None:
    # Given
    steps = StepLine(Numbered.FIRST_STEP)

    # When
    steps.move_to(2)

    # Then
    assert shown(steps) == "✓ first_step → ● second_step"


def test_steps_that_are_plain_texts_are_shown_as_they_come() -> None:
    # Given
    steps = StepLine("start")

    # When
    steps.move_to("end")

    # Then
    assert shown(steps) == "✓ start → ● end"
