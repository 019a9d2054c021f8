"""What a journey remembers between two messages: its step and the data collected so far."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

__all__ = ["BaseJourneyState", "BaseState", "StepT"]

StepT = TypeVar("StepT")
"""The steps of a journey: usually a `str` enum."""


@dataclass
class BaseState(ABC):
    """Data that can be stored and read back."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The state as JSON-ready data; `from_dict` reads it back."""

    @classmethod
    @abstractmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The state that `to_dict` wrote; it should accept data that an older version of the class wrote."""

    def copy(self) -> Self:
        """A state of its own with the same content: changing one leaves the other alone."""
        return self.from_dict(deepcopy(self.to_dict()))


@dataclass
class BaseJourneyState(BaseState, Generic[StepT]):
    """Where a journey stands and what it knows.

    Subclasses are dataclasses and declare the field `step` themselves, first or anywhere:
    `step: MyStep = MyStep.WELCOME`.
    """

    # `step` is deliberately no field here, not even for type checkers: a field of the base would come before
    # all fields of a subclass and, as soon as it has a default there, forbid fields without one. What type
    # checkers know of it they know from `set_step`.

    def get_step(self) -> StepT:
        """The present step."""
        return self.step

    def set_step(self, step: StepT) -> None:
        """Move to another step."""
        self.step = step

    @abstractmethod
    def is_complete(self) -> bool:
        """Whether the journey has arrived."""

    def is_terminal(self) -> bool:
        """Whether nothing is left to do, successfully or not; by default, whether the journey is complete."""
        return self.is_complete()
