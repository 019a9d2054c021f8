"""Undo: whatever a failed tool did to the state, it is what it was."""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import cached_property
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from agent_runtime_framework import BaseJourneyState
from agent_runtime_framework.state.snapshot import StateSnapshot

RUN = UUID(int=1)


class Step(str, Enum):
    NAME = "name"
    DONE = "done"


class Plain(BaseJourneyState[Step]):
    """The methods that all states here need; their values are what matters."""

    def to_dict(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Any:
        return cls(**data)

    def is_complete(self) -> bool:
        return False


@dataclass
class Address:
    city: str = "Paris"
    lines: list[str] = field(default_factory=list)


@dataclass
class State(Plain):
    step: Step = Step.NAME
    name: str = ""
    born: date = date(1815, 12, 10)
    price: Decimal = Decimal("1.10")
    run: UUID = RUN
    items: list[Any] = field(default_factory=list)
    by_name: dict[str, Any] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    address: Address = field(default_factory=Address)


def spoil(state):
    state.step = Step.DONE
    state.name = "spoilt"
    state.items[0]["counts"].append(3)
    state.items.append("spoilt")
    state.by_name["a"]["b"].clear()
    state.by_name["new"] = 1
    state.tags.add("spoilt")
    state.address.city = "spoilt"
    state.address.lines.append("spoilt")


def full() -> State:
    return State(
        name="Ada",
        items=[{"counts": [1, 2]}],
        by_name={"a": {"b": [1]}},
        tags={"x"},
        address=Address("Rome", ["Via Appia 1"]),
    )


def test_all_fields_hold_what_they_held_however_deep_the_change():
    state = full()
    snapshot = StateSnapshot(state)

    spoil(state)
    snapshot.restore()

    assert state == full()


def test_a_state_that_was_not_changed_stays_equal():
    state = full()

    StateSnapshot(state).restore()

    assert state == full()


def test_a_field_that_was_replaced_or_deleted_comes_back_and_an_added_one_goes():
    state = full()
    snapshot = StateSnapshot(state)

    state.items = ["other"]
    del state.name
    state.extra = 1  # type: ignore[attr-defined]
    snapshot.restore()

    assert state == full()
    assert not hasattr(state, "extra")


def test_the_state_stays_the_same_object():
    state = full()
    held = state
    snapshot = StateSnapshot(state)

    spoil(state)
    snapshot.restore()

    assert held is state
    assert held == full()


def test_what_two_fields_share_stays_shared():
    shared: list[int] = [1]
    state = full()
    state.items = shared
    state.by_name = {"items": shared}
    snapshot = StateSnapshot(state)

    shared.append(2)
    snapshot.restore()
    state.items.append(3)

    assert state.items == state.by_name["items"] == [1, 3]


def test_a_field_that_points_back_to_the_state_points_to_it_still():
    state = full()
    state.items = [SimpleNamespace(owner=state, count=1)]
    snapshot = StateSnapshot(state)

    state.items[0].count = 2
    snapshot.restore()

    assert state.items[0].count == 1
    assert state.items[0].owner is state


def test_two_snapshots_restore_their_own_moments():
    state = full()
    first = StateSnapshot(state)
    state.items.append("second")
    second = StateSnapshot(state)
    state.items.append("third")

    second.restore()
    assert state.items == [{"counts": [1, 2]}, "second"]
    first.restore()
    assert state.items == [{"counts": [1, 2]}]


def test_a_snapshot_can_be_taken_before_every_tool():
    state = full()

    for _ in range(3):
        snapshot = StateSnapshot(state)
        spoil(state)
        snapshot.restore()
        assert state == full()


@pytest.mark.parametrize("make", [threading.Lock, lambda: (number for number in range(3)), lambda: open(__file__)])
def test_a_value_that_cannot_be_copied_is_kept_as_it_is(make):
    value = make()
    state = full()
    state.by_name = {"resource": value}
    state.address = value
    snapshot = StateSnapshot(state)

    state.address = Address()
    state.name = "spoilt"
    snapshot.restore()

    assert state.address is value
    assert state.by_name["resource"] is value
    assert state.name == "Ada"
    if hasattr(value, "close"):
        value.close()


def test_fields_beside_one_that_cannot_be_copied_are_undone():
    state = full()
    state.address = threading.Lock()  # type: ignore[assignment]
    snapshot = StateSnapshot(state)

    state.items.append("spoilt")
    snapshot.restore()

    assert state.items == full().items


@dataclass(slots=True)
class Slots(Plain):
    step: Step = Step.NAME
    name: str = ""
    items: list[str] = field(default_factory=list)


@dataclass(slots=True)
class MoreSlots(Slots):
    tags: list[str] = field(default_factory=list)


@pytest.mark.parametrize("state", [Slots(Step.NAME, "Ada", ["a"]), MoreSlots(Step.NAME, "Ada", ["a"], ["b"])])
def test_a_state_with_slots_is_undone(state):
    before = dataclasses.replace(state, items=list(state.items))
    snapshot = StateSnapshot(state)

    state.step, state.name = Step.DONE, "spoilt"
    state.items.append("spoilt")
    if isinstance(state, MoreSlots):
        state.tags = []
    snapshot.restore()

    assert state == before


def test_a_slot_that_was_empty_is_empty_again():
    state = Slots()
    del state.name
    snapshot = StateSnapshot(state)

    state.name = "spoilt"
    snapshot.restore()

    assert not hasattr(state, "name")


def test_a_state_that_guards_its_fields_is_undone():
    class Guarded(State):
        def __setattr__(self, name, value):
            if name == "name" and value == "":
                raise ValueError("a name is never empty")
            super().__setattr__(name, value)

    state = Guarded(name="Ada")
    vars(state)["name"] = ""
    snapshot = StateSnapshot(state)

    state.name = "spoilt"
    snapshot.restore()

    assert state.name == ""


def test_what_a_state_has_worked_out_and_kept_is_undone_too():
    class Cached(State):
        @cached_property
        def count(self):
            return len(self.items)

    state = Cached()
    snapshot = StateSnapshot(state)
    state.items.append("spoilt")
    assert state.count == 1

    snapshot.restore()

    assert state.count == 0


def test_a_frozen_state_is_refused_by_python_when_its_class_is_made():
    with pytest.raises(TypeError, match="cannot inherit frozen dataclass from a non-frozen one"):

        @dataclass(frozen=True)
        class Frozen(Plain):  # type: ignore[misc]  # mypy says so, too
            step: Step = Step.NAME


def test_a_list_that_holds_something_uncopyable_is_undone_all_the_same():
    # Given
    lock = threading.Lock()
    state = State(items=[lock], by_name={"lock": lock, "names": ["Ada"]})
    snapshot = StateSnapshot(state)

    # When
    state.items.append("half done")
    state.by_name["names"].append("half done")
    snapshot.restore()

    # Then
    assert state.items == [lock]
    assert state.by_name == {"lock": lock, "names": ["Ada"]}
