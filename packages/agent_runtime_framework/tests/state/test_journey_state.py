"""What a journey's state class gets from its bases."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pytest

from agent_runtime_framework.state import BaseJourneyState, BaseState


class Step(StrEnum):
    ITEMS = "items"
    DONE = "done"


@dataclass
class Cart(BaseJourneyState[Step]):
    step: Step = Step.ITEMS
    items: list[str] = field(default_factory=list)

    def is_complete(self) -> bool:
        return self.step == Step.DONE

    def to_dict(self) -> dict[str, Any]:
        return {"step": self.step.value, "items": self.items}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Cart:
        return cls(Step(data["step"]), data["items"])


def test_the_step_can_be_read_and_set() -> None:
    cart = Cart()

    cart.set_step(Step.DONE)

    assert cart.get_step() is Step.DONE
    assert cart.step is Step.DONE


def test_a_journey_is_terminal_when_it_is_complete() -> None:
    assert not Cart().is_terminal()
    assert Cart(step=Step.DONE).is_terminal()


def test_a_state_can_be_terminal_without_being_complete() -> None:
    @dataclass
    class Cancellable(Cart):
        cancelled: bool = False

        def is_terminal(self) -> bool:
            return self.cancelled or self.is_complete()

    state = Cancellable(cancelled=True)

    assert state.is_terminal()
    assert not state.is_complete()


def test_a_copy_shares_nothing_with_the_original() -> None:
    # Given a state whose dict holds the very list of the state
    cart = Cart(items=["tea"])

    # When a copy of it is changed
    copy = cart.copy()
    copy.items.append("cake")
    copy.set_step(Step.DONE)

    # Then the original is as it was
    assert cart == Cart(items=["tea"])
    assert copy == Cart(step=Step.DONE, items=["tea", "cake"])
    assert type(copy) is Cart


def test_a_field_without_a_default_may_stand_before_the_step() -> None:
    @dataclass
    class Order(Cart):
        pass

    @dataclass
    class Quote(BaseJourneyState[Step]):
        customer: str
        step: Step = Step.ITEMS

        def is_complete(self) -> bool:
            return False

        def to_dict(self) -> dict[str, Any]:
            return {}

        @classmethod
        def from_dict(cls, data: dict[str, Any]) -> Quote:
            return cls("nobody")

    assert Quote("Ada").get_step() is Step.ITEMS
    assert Order() == Order()


@pytest.mark.parametrize("missing", ["to_dict", "from_dict", "is_complete"])
def test_a_state_class_that_lacks_a_method_cannot_be_used(missing: str) -> None:
    methods = {name: getattr(Cart, name) for name in ("to_dict", "from_dict", "is_complete") if name != missing}
    incomplete = type("Incomplete", (BaseJourneyState,), methods)

    with pytest.raises(TypeError, match=missing):
        incomplete()


def test_a_state_without_a_journey_needs_only_its_dict() -> None:
    @dataclass
    class Settings(BaseState):
        colour: str = "red"

        def to_dict(self) -> dict[str, Any]:
            return {"colour": self.colour}

        @classmethod
        def from_dict(cls, data: dict[str, Any]) -> Settings:
            return cls(data["colour"])

    assert Settings("blue").copy() == Settings("blue")
    with pytest.raises(TypeError, match="to_dict"):
        BaseState()
