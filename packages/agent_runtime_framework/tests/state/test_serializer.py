"""Values of a state as JSON-ready data."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runtime_framework.state import StateSerializer

serialize = StateSerializer.serialize


class Color(str, Enum):  # as many users write it
    RED = "red"
    BLUE = "blue"


class Priority(IntEnum):
    HIGH = 3


class Corner(Enum):
    ORIGIN = (0, 0)


@dataclass(frozen=True)
class Address:
    street: str
    since: date


@dataclass
class Person:
    color: Color
    address: Address


class Money:
    def __init__(self, amount: Decimal) -> None:
        self.amount = amount

    def to_dict(self) -> dict[str, Any]:
        return {"amount": self.amount, "color": Color.RED}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("text", "text"),
        (5, 5),
        (2.5, 2.5),
        (True, True),
        (Color.RED, "red"),
        (Priority.HIGH, 3),
        (Corner.ORIGIN, [0, 0]),
        (UUID("12345678-1234-5678-1234-567812345678"), "12345678-1234-5678-1234-567812345678"),
        (datetime(2024, 1, 15, 10, 30), "2024-01-15T10:30:00"),
        (datetime(2024, 1, 15, 10, 30, tzinfo=UTC), "2024-01-15T10:30:00+00:00"),
        (date(2024, 1, 15), "2024-01-15"),
        (time(10, 30), "10:30:00"),
        (Decimal("10.10"), "10.10"),
        (b"\xff\x00", "/wA="),
        ([Color.RED, "hello", 123], ["red", "hello", 123]),
        ((1, Color.BLUE), [1, "blue"]),
        ({Color.RED, Color.BLUE}, ["blue", "red"]),
        (frozenset({10, 9}), [9, 10]),
        ({"status": Color.RED, "count": 5}, {"status": "red", "count": 5}),
        ({Color.RED: [Decimal("1")], 7: None}, {"red": ["1"], 7: None}),
        (OrderedDict(color=Color.RED), {"color": "red"}),
        (Money(Decimal("9.99")), {"amount": "9.99", "color": "red"}),
        (
            Person(Color.BLUE, Address("Main St", date(2024, 1, 1))),
            {"color": "blue", "address": {"street": "Main St", "since": "2024-01-01"}},
        ),
    ],
)
def test_a_value_becomes_json_ready_data(value: object, expected: object) -> None:
    result = serialize(value)

    assert result == expected
    assert type(result) is type(expected)
    json.dumps(result)


def test_what_is_not_known_stays_as_it_is() -> None:
    thing = object()

    assert serialize(thing) is thing
    assert serialize(Address) is Address  # a class, not an instance of it


def test_sets_of_mixed_values_come_out_in_one_order() -> None:
    mixed: set[Any] = {"b", 2, "a", 1, Address("Main St", date(2024, 1, 1))}

    assert serialize(mixed) == [{"street": "Main St", "since": "2024-01-01"}, 1, 2, "a", "b"]


def test_two_keys_that_become_one_are_an_error_and_not_a_lost_value() -> None:
    with pytest.raises(ValueError, match="one value would be lost"):
        serialize({UUID(int=1): "one", str(UUID(int=1)): "two"})


def test_the_result_shares_no_list_or_dict_with_the_value() -> None:
    value = {"items": [{"name": "tea"}]}

    serialize(value)["items"][0]["name"] = "cake"

    assert value == {"items": [{"name": "tea"}]}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_json_data_stays_what_it_is(value: Any) -> None:
    assert serialize(value) == value


def test_an_enum_value_is_read_back_as_its_member() -> None:
    assert StateSerializer.deserialize_enum("red", Color) is Color.RED
    assert StateSerializer.deserialize_enum(Color.BLUE, Color) is Color.BLUE
    with pytest.raises(ValueError, match="green"):
        StateSerializer.deserialize_enum("green", Color)
