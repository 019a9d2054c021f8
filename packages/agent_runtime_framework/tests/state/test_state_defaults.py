"""What a state class gets without writing it, and what it is told when it says too little."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, NewType, TypeVar

import pydantic
import pytest

from agent_runtime_framework.state import BaseJourneyState, BaseState, StepT


class Step(str, Enum):
    ASK = "ask"
    DONE = "done"


@dataclass
class Address:
    city: str = ""
    since: date | None = None


@dataclass
class Order(BaseJourneyState[Step]):
    step: Step = Step.ASK
    customer: str = ""
    price: Decimal | None = None
    addresses: list[Address] = field(default_factory=list)
    by_day: dict[date, int] = field(default_factory=dict)
    ratio: float = 0


# The last step


def test_a_journey_is_complete_at_the_last_step() -> None:
    state = Order()
    assert not state.is_complete()
    assert not state.is_terminal()

    state.set_step(Step.DONE)

    assert state.is_complete()
    assert state.is_terminal()


def test_the_steps_may_be_named_by_the_field_alone() -> None:
    @dataclass
    class Untyped(BaseJourneyState):
        step: Step = Step.ASK

    assert not Untyped().is_complete()
    assert Untyped(Step.DONE).is_complete()


def test_the_steps_may_be_named_by_a_class_in_between() -> None:
    @dataclass
    class Common(BaseJourneyState[StepT]):
        note: str = ""

    @dataclass
    class Own(Common[Step]):
        step: Step = Step.ASK

    assert Own(step=Step.DONE).is_complete()
    assert Own.from_dict(Own("x").to_dict()) == Own("x")


def test_what_the_class_writes_itself_wins_and_the_rest_comes_by_default() -> None:
    @dataclass
    class Mixed(Order):
        def to_dict(self) -> dict[str, Any]:
            return {**super().to_dict(), "version": 2}

        def is_complete(self) -> bool:
            return self.customer == "Ada"

    state = Mixed(customer="Ada", addresses=[Address("Rome", date(2020, 1, 1))])

    assert state.to_dict()["version"] == 2
    assert Mixed.from_dict(state.to_dict()) == state
    assert state.is_complete()


def test_a_state_in_a_state_is_stored_as_it_stores_itself() -> None:
    @dataclass
    class Inner(BaseState):
        secret: str = ""

        def to_dict(self) -> dict[str, Any]:
            return {"reversed": self.secret[::-1]}

        @classmethod
        def from_dict(cls, data: dict[str, Any]) -> Inner:
            return cls(data["reversed"][::-1])

    @dataclass
    class Outer(BaseState):
        inner: Inner
        orders: list[Order] = field(default_factory=list)

    state = Outer(Inner("abc"), [Order(customer="Ada")])

    assert state.to_dict()["inner"] == {"reversed": "cba"}
    assert Outer.from_dict(state.to_dict()) == state
    with pytest.raises(ValueError, match=r"Outer\.inner: is not read by Inner\.from_dict\(\): KeyError"):
        Outer.from_dict({"inner": {}})


def test_a_subclass_in_a_field_is_refused_where_it_would_come_back_as_its_base() -> None:
    @dataclass
    class Express(Order):
        hours: int = 1

    @dataclass
    class Basket(BaseState):
        order: Order = field(default_factory=Order)
        address: Address = field(default_factory=Address)

    with pytest.raises(ValueError, match=r"Basket\.order: holds a value of type Express, expected Order"):
        Basket(Express()).to_dict()


# Shapes of classes


def test_fields_that_the_constructor_does_not_take_come_back() -> None:
    @dataclass(kw_only=True)
    class Counting(BaseState):
        start: InitVar[int] = 1
        count: int = field(init=False, default=0)
        late: str = field(init=False)
        total: ClassVar[int] = 7

        def __post_init__(self, start: int) -> None:
            self.count = start

    state = Counting(start=5)
    state.count = 9

    assert state.to_dict() == {"count": 9}  # `late` was never set
    assert Counting.from_dict(state.to_dict()).count == 9
    state.late = "now"
    assert Counting.from_dict(state.to_dict()) == state


def test_what_post_init_changes_is_not_changed_twice() -> None:
    @dataclass
    class Growing(BaseState):
        names: list[str] = field(default_factory=list)

        def __post_init__(self) -> None:
            self.names = [*self.names, "added"]
            self.size = len(self.names)

    state = Growing(["Ada"])

    back = Growing.from_dict(state.to_dict())

    assert back.names == ["Ada", "added"]
    assert hasattr(back, "size")


def test_slots_and_local_annotations_are_read() -> None:
    class Mood(Enum):
        GOOD = 1

    @dataclass
    class Part:
        mood: Mood = Mood.GOOD

    @dataclass(slots=True)
    class Slotted(BaseJourneyState[Step]):
        step: Step = Step.ASK
        part: Part | None = None
        mood: Mood = Mood.GOOD
        next: Slotted | None = None

    state = Slotted(part=Part(), next=Slotted())

    assert state.to_dict()["part"] == {"mood": 1}
    assert Slotted.from_dict(state.to_dict()) == state
    assert not state.is_complete()


Name = NewType("Name", str)
Item = TypeVar("Item")


@dataclass
class Rare(BaseState, Generic[Item]):
    name: Name = Name("x")
    path: Path = Path("a/b")
    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int, a=1))
    item: Item | None = None
    short: Annotated[str, pydantic.StringConstraints(max_length=3)] = "abc"


def test_rare_types_come_back() -> None:
    state: Rare[list[int]] = Rare(item=[1])

    assert Rare.from_dict(json.loads(json.dumps(state.to_dict()))) == state
    with pytest.raises(ValueError, match=r"Rare\.short: .*at most 3 characters"):
        Rare.from_dict({"short": "too long"})


def test_a_state_can_be_copied_pickled_and_looked_at_as_any_dataclass() -> None:
    state = Order(customer="Ada")

    assert copy.deepcopy(state) == pickle.loads(pickle.dumps(state)) == state
    assert list(inspect.signature(Order).parameters)[:2] == ["step", "customer"]


# Older and damaged data


def test_missing_keys_take_their_defaults_and_unknown_ones_are_left_out() -> None:
    assert Order.from_dict({"step": "done", "phone": "123"}) == Order(Step.DONE)


def test_a_missing_value_without_a_default_is_named() -> None:
    @dataclass
    class Strict(BaseState):
        name: str

    with pytest.raises(ValueError, match=r"Strict\.name: is missing and has no default"):
        Strict.from_dict({})


SECRET = "my secret " * 50


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"step": SECRET}, "Order.step"),
        ({"customer": [SECRET]}, "Order.customer"),
        ({"price": SECRET}, "Order.price"),
        ({"addresses": [{}, {"since": SECRET}]}, "Order.addresses[1].since"),
        ({"addresses": [SECRET]}, "Order.addresses[0]"),
        ({"by_day": {SECRET: 1}}, "Order.by_day (a key)"),
        ({"by_day": {"2020-01-01": SECRET}}, "Order.by_day[...]"),
        ({"ratio": float("nan")}, "Order.ratio"),
        ([SECRET], "Order"),
    ],
)
def test_a_wrong_value_is_named_by_its_place_and_not_shown(data: Any, place: str) -> None:
    with pytest.raises(ValueError, match=r"^Order") as caught:
        Order.from_dict(data)

    text = str(caught.value)
    assert text.startswith(f"{place}: ")
    assert "secret" not in text
    assert len(text) < 200
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("step", "ask", "Order.step"),
        ("customer", None, "Order.customer"),
        ("customer", 5, "Order.customer"),
        ("price", Decimal("NaN"), "Order.price"),
        ("price", 1.5, "Order.price"),
        ("addresses", None, "Order.addresses"),
        ("addresses", [Address(), Address(SECRET, datetime(2020, 1, 1))], "Order.addresses[1].since"),
        ("by_day", {"2020-01-01": 1}, "Order.by_day"),
        ("ratio", float("inf"), "Order.ratio"),
        ("ratio", 2**53 + 1, "Order.ratio"),
    ],
)
def test_a_field_that_holds_something_else_than_it_says_is_named(name: str, value: Any, place: str) -> None:
    state = Order()
    setattr(state, name, value)

    with pytest.raises(ValueError, match=r"^Order\.") as caught:
        state.to_dict()

    assert str(caught.value).startswith(place)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("value", [object(), (1,), {1: 2}, [float("nan")], date(2020, 1, 1)])
def test_a_field_for_anything_takes_json_data_only(value: Any) -> None:
    @dataclass
    class Loose(BaseState):
        data: Any = None
        items: list[dict[str, Any]] = field(default_factory=list)

    for state in (Loose(value), Loose(items=[{"x": value}])):
        with pytest.raises(ValueError, match=r"Loose\.(data|items)"):
            state.to_dict()


def test_data_within_itself_is_an_error_and_no_crash() -> None:
    @dataclass
    class Loose(BaseState):
        data: Any = None

    knot: list[Any] = []
    knot.append(knot)

    with pytest.raises(ValueError, match=r"Loose\.data: .*nested too deeply"):
        Loose(knot).to_dict()


class Contact(pydantic.BaseModel):
    age: int = 0
    ways: list[int] = []


@dataclass
class Person(BaseState):
    contact: Contact | None = None
    due: date | Decimal = date(2030, 1, 1)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"contact": {"age": SECRET}}, "Person.contact[...]: Input should be a valid integer"),
        ({"contact": {"ways": [1, SECRET]}}, "Person.contact[...][1]: Input should be a valid integer"),
        ({"due": {"$date": SECRET}}, "Person.due: is no date"),
        ({"due": {"$Decimal": SECRET}}, "Person.due: Input should be a valid decimal"),
    ],
)
def test_a_wrong_value_in_a_model_or_under_a_tag_is_not_shown_either(data: Any, place: str) -> None:
    with pytest.raises(ValueError, match="Person") as caught:
        Person.from_dict(data)

    assert str(caught.value).startswith(place)
    assert "secret" not in str(caught.value)


# Unions


def test_a_value_of_an_ambiguous_union_says_which_type_it_is() -> None:
    @dataclass
    class Event(BaseState):
        when: date | str | None = None

    assert Event("2020-01-01").to_dict() == {"when": "2020-01-01"}
    assert Event(date(2020, 1, 1)).to_dict() == {"when": {"$date": "2020-01-01"}}
    assert Event.from_dict({"when": {"$date": "2020-01-01"}}) == Event(date(2020, 1, 1))
    assert Event.from_dict({"when": None}) == Event()
    with pytest.raises(ValueError, match=r"Event\.when: is not date \| str \| None"):
        Event.from_dict({"when": [1]})


# Classes that say too little


@dataclass
class Base(BaseState):
    name: str = ""


def undecorated() -> type[BaseState]:
    class Forgotten(BaseState):
        name: str = ""

    return Forgotten


def undecorated_below() -> type[BaseState]:
    class Below(Base):
        more: str = ""

    return Below


def holding(annotation: Any) -> Callable[[], type[BaseState]]:
    def make() -> type[BaseState]:
        class Holder(BaseState):
            thing = None

        Holder.__annotations__ = {"thing": annotation}
        return dataclass(Holder)

    return make


def unnamed_steps() -> type[BaseState]:
    @dataclass
    class Steps(BaseJourneyState[str]):
        step: str = ""

    return Steps


def init_var() -> type[BaseState]:
    @dataclass
    class Needs(BaseState):
        start: InitVar[int]

    return Needs


def own_constructor() -> type[BaseState]:
    @dataclass
    class Own(BaseState):
        name: str

        def __init__(self, *, title: str = "") -> None:
            self.name = title

    return Own


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (undecorated, "Forgotten lacks to_dict and from_dict.*@dataclass above `class Forgotten`"),
        (undecorated_below, "Below lacks to_dict and from_dict.*@dataclass above `class Below`"),
        (unnamed_steps, r"Steps lacks is_complete.*BaseJourneyState\[MyStep\]"),
        (init_var, "Needs cannot be made from its stored fields: __init__ needs 'start'"),
        (own_constructor, "Own cannot be made from its stored fields: its own __init__ does not take 'name'"),
        (holding(threading.Event), "Holder.thing cannot be stored: nothing says how a Event"),
        (holding(list[threading.Event]), "Holder.thing cannot be stored: nothing says how a Event"),
        (holding(Callable[[], int]), "Holder.thing cannot be stored: .*no data"),
        (holding(Iterator[int]), "Holder.thing cannot be stored: .*no data"),
        (holding(dict[int | str, int]), "Holder.thing cannot be stored: keys of type int | str"),
        (holding(type[int]), "Holder.thing cannot be stored: .*no data"),
        (holding("Unheard"), "Holder cannot be stored: an annotation names 'Unheard'"),
    ],
)
def test_a_class_that_says_too_little_is_told_before_its_first_instance(
    make: Callable[[], type[BaseState]], told: str
) -> None:
    with pytest.raises(TypeError, match=told):
        make()()


def test_a_tuple_in_a_field_for_a_sequence_is_told() -> None:
    @dataclass
    class Listing(BaseState):
        names: Sequence[str] = ()

    with pytest.raises(ValueError, match=r"Listing\.names: .*type tuple, expected list\[str\]"):
        Listing().to_dict()


def test_a_subclass_may_have_abstract_methods_of_its_own() -> None:
    import abc

    @dataclass
    class Shape(BaseState):
        @abc.abstractmethod
        def area(self) -> int: ...

    with pytest.raises(TypeError, match="abstract"):
        Shape()  # type: ignore[abstract]
