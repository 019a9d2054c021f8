"""The journey's steps as one line that moves."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal

from agent_runtime_framework.cli.marks import Marks
from agent_runtime_framework.cli.terminal_text import one_line

__all__ = ["Piece", "StepLine"]

Piece = tuple[Literal["passed", "current", "ahead", "arrow"], str]
"""A part of the line: what it tells, and its text."""


class StepLine:
    """The steps in the order of their enum: those passed, the one the journey stands at, those ahead.

    Args:
        step: The step that the journey stands at; the members of its enum are the line.
        resumed: Whether the journey came here in an earlier chat. The steps before this one count as passed
            then: which of them it really took is not stored.
        complete: Whether the journey has arrived.
    """

    def __init__(self, step: Any, *, resumed: bool = False, complete: bool = False) -> None:
        self._steps: list[Any] = list(type(step)) if isinstance(step, Enum) else [step]
        self._current = step
        self._passed: list[Any] = self._steps[: self._steps.index(step)] if resumed else []
        self._settled = (self._current, self._passed)
        self.complete = complete
        """Whether the journey has arrived: the step it stands at is then shown as passed, too."""

    def move_to(self, step: Any) -> bool:
        """Stand at this step (an enum member or its value), and say whether that is another one."""
        step = next((each for each in self._steps if step in (each, _value(each))), step)
        if step not in self._steps:
            self._steps.append(step)
        if step == self._current:
            return False
        self._passed = [*self._passed, *([] if self._current in self._passed else [self._current])]
        self._current, self.complete = step, False
        return True

    def settle(self, step: Any, *, complete: bool) -> bool:
        """Stand where the store says, and say whether that is elsewhere than the moves have led.

        If so, the moves since the last `settle` were undone, and their steps were not passed.
        """
        undone: bool = step != self._current
        if undone:
            self._current, self._passed = self._settled
            self.move_to(step)
        self.complete = complete
        self._settled = (self._current, self._passed)
        return undone

    def pieces(self, marks: Marks, *, width: int | None = None) -> list[Piece]:
        """The line in pieces; only the present step and its number when the line is wider than `width`."""
        pieces = list(self._pieces(marks))
        if width is None or sum(len(text) for _, text in pieces) <= width:
            return pieces
        kind, text = self._piece(self._current, marks)
        return [(kind, f"{text} ({self._steps.index(self._current) + 1} of {len(self._steps)})")]

    def _pieces(self, marks: Marks) -> Iterator[Piece]:
        for number, step in enumerate(self._steps):
            if number:
                yield "arrow", f" {marks.arrow} "
            yield self._piece(step, marks)

    def _piece(self, step: Any, marks: Marks) -> Piece:
        label = _label(step)
        if step == self._current and not self.complete:
            return "current", f"{marks.current} {label}"
        if step == self._current or step in self._passed:
            return "passed", f"{marks.passed} {label}"
        return "ahead", f"{marks.ahead} {label}"


def _value(step: Any) -> Any:
    return step.value if isinstance(step, Enum) else step


def _label(step: Any) -> str:
    value = _value(step)
    if isinstance(value, str) and value:
        return one_line(value, 60)
    return step.name.lower() if isinstance(step, Enum) else one_line(str(value), 60)
