"""A state without methods of its own comes back as it was, whatever its fields hold."""

from __future__ import annotations

import json
import typing
from dataclasses import dataclass, field, fields, make_dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag
from typing import Any, Literal, NamedTuple, NotRequired, Optional, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

import pydantic
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_runtime_framework.state import BaseJourneyState, BaseState


class Color(str, Enum):
    RED = "red"
    BLUE = "blue"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


class Corner(Enum):
    ORIGIN = (0, 0)
    FAR = (9, 9)
    NONE = None


class Right(IntFlag):
    READ = 1
    WRITE = 2


@dataclass(frozen=True)
class Point:
    x: int
    y: Decimal = Decimal(0)


@dataclass(slots=True, kw_only=True)
class Address:
    street: str
    since: date | None = None
    lines: list[bytes] = field(default_factory=list)


@dataclass
class Tree:
    name: str = ""
    left: Tree | None = None
    children: list[Tree] = field(default_factory=list)


class Pair(NamedTuple):
    when: date
    size: Size


class Options(TypedDict):
    limit: timedelta
    color: NotRequired[Color]


class Model(pydantic.BaseModel):
    price: Decimal = pydantic.Field(alias="thePrice")
    at: datetime | None = None
    tags: list[UUID] = []


texts = st.text(st.characters(codec="utf-8"), max_size=8)
zones = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))  # ISO 8601 has no finer ones
numbers = st.decimals(allow_nan=False, allow_infinity=False) | st.just(Decimal("1E+5000")) | st.just(Decimal("-0.00"))
points = st.builds(Point, st.integers(), numbers)
addresses = st.builds(
    Address, street=texts, since=st.none() | st.dates(), lines=st.lists(st.binary(max_size=4), max_size=2)
)
trees: st.SearchStrategy[Tree] = st.deferred(
    lambda: st.builds(Tree, texts, st.none() | trees, st.lists(trees, max_size=2))
)
models = st.builds(
    lambda price, at, tags: Model(thePrice=price, at=at, tags=tags),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9),
    st.none() | st.datetimes(timezones=st.none() | st.just(timezone.utc)),  # noqa: UP017
    st.lists(st.uuids(), max_size=2),
)
json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)

LEAVES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, texts),
    (int, st.integers()),
    (bool, st.booleans()),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (Color, st.sampled_from(Color)),
    (Size, st.sampled_from(Size)),
    (Corner, st.sampled_from(Corner)),
    (Right, st.sampled_from([Right(0), Right.READ, Right.READ | Right.WRITE])),
    (Decimal, numbers),
    (UUID, st.uuids()),
    (date, st.dates()),
    (datetime, st.datetimes(timezones=st.none() | zones)),
    (time, st.times(timezones=st.none() | zones)),
    (timedelta, st.timedeltas()),
    (bytes, st.binary(max_size=8)),
    (bytearray, st.binary(max_size=8).map(bytearray)),
    (Literal["a", 1, True, None, Size.LARGE], st.sampled_from(["a", 1, True, None])),
    (Literal[Color.RED, "x"], st.sampled_from([Color.RED, "x"])),
    (Point, points),
    (Address, addresses),
    (Tree, trees),
    (Pair, st.builds(Pair, st.dates(), st.sampled_from(Size))),
    (Options, st.fixed_dictionaries({"limit": st.timedeltas()}, optional={"color": st.sampled_from(Color)})),
    (Model, models),
    (Any, json_data),
    (dict, st.dictionaries(texts, json_data, max_size=3)),
    (list, st.lists(json_data, max_size=3)),
]
HASHABLE = [str, int, Color, Size, Decimal, UUID, date, datetime, timedelta, Point]
KEYS = [str, int, Color, Size, UUID, date, bool, Decimal, float]
ANNOTATIONS: tuple[Any, ...] = (list, tuple, dict, Optional)
LEAF_OF = {annotation: values for annotation, values in LEAVES if isinstance(annotation, type)}
IN_UNIONS = [
    (annotation, values)
    for annotation, values in LEAVES
    if annotation in (str, int, bool, float, Color, Size, Decimal, UUID, date, datetime, timedelta, Point, Tree, bytes)
]


@st.composite
def annotated(draw: st.DrawFn, depth: int = 2) -> tuple[Any, st.SearchStrategy[Any]]:
    """An annotation, and the values it allows."""
    lists, tuples, dicts, optional = ANNOTATIONS
    shape = draw(st.sampled_from(["leaf", "list", "set", "tuple", "tuples", "dict", "optional", "union"]))
    if depth == 0 or shape == "leaf":
        return draw(st.sampled_from(LEAVES))
    if shape == "union":
        members = draw(st.lists(st.sampled_from(IN_UNIONS), min_size=2, max_size=4, unique_by=lambda each: each[0]))
        union: Any = typing.Union  # in a variable: to a type checker it is data here
        return union[tuple(annotation for annotation, _ in members)], st.one_of([values for _, values in members])
    if shape == "set":
        item = draw(st.sampled_from(HASHABLE))
        kind: Any = draw(st.sampled_from([set, frozenset]))
        return kind[item], st.frozensets(LEAF_OF[item], max_size=3).map(kind)
    inner, values = draw(annotated(depth - 1))
    if shape == "list":
        return lists[inner], st.lists(values, max_size=3)
    if shape == "tuples":
        return tuples[inner, ...], st.lists(values, max_size=3).map(tuple)
    if shape == "tuple":
        return tuples[int, inner], st.tuples(st.integers(), values)
    if shape == "dict":
        key = draw(st.sampled_from(KEYS))
        return dicts[key, inner], st.dictionaries(LEAF_OF[key], values, max_size=3)
    return optional[inner], st.none() | values


def same(left: Any, right: Any) -> bool:
    """Equal, and of the same types through and through."""
    if type(left) is not type(right):
        return False
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (set, frozenset)):
        return left == right and {type(each) for each in left} == {type(each) for each in right}
    if isinstance(left, Decimal):
        return left.as_tuple() == right.as_tuple()
    if isinstance(left, (Point, Address, Tree)):
        return all(same(getattr(left, each.name), getattr(right, each.name)) for each in fields(left))
    if isinstance(left, (datetime, time)):
        return left == right and left.utcoffset() == right.utcoffset()
    return bool(left == right)


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_generated_state_comes_back_exactly(data: st.DataObject) -> None:
    # Given: a dataclass with some fields, and values for them
    chosen = data.draw(st.lists(annotated(), min_size=1, max_size=4))
    state_class: Any = make_dataclass(
        "Generated", [(f"field_{number}", each) for number, (each, _) in enumerate(chosen)], bases=(BaseState,)
    )
    state = state_class(*(data.draw(values) for _, values in chosen))

    # When: it goes through text, as in a store
    stored = state.to_dict()
    back = state_class.from_dict(json.loads(json.dumps(stored, allow_nan=False)))

    # Then
    for each in fields(state):
        assert same(getattr(state, each.name), getattr(back, each.name)), (each, stored)
    assert back.to_dict() == stored
    assert same(vars(state.copy()), vars(back))


class Step(str, Enum):
    ASK = "ask"
    DONE = "done"


@dataclass
class Base(BaseJourneyState[Step]):
    step: Step = Step.ASK
    name: str | None = None
    seen_at: datetime = field(default_factory=lambda: datetime(2030, 1, 1, tzinfo=ZoneInfo("Europe/Paris")))


@dataclass
class Derived(Base):
    tags: list[str] = field(default_factory=list)
    _tries: int = 0


def test_a_derived_state_keeps_the_fields_of_both_and_private_ones() -> None:
    state = Derived(Step.DONE, "Ada", tags=["a"], _tries=2)

    assert state.to_dict() == {
        "step": "done",
        "name": "Ada",
        "seen_at": "2030-01-01T00:00:00+01:00",
        "tags": ["a"],
        "_tries": 2,
    }
    assert Derived.from_dict(state.to_dict()) == state
