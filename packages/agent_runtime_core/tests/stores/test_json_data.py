"""What is no JSON data is refused in words that lead to it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runtime_core.stores import InMemoryCheckpointStore, SQLiteCheckpointStore, check_json_data, open_store

JSON_DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
# Also what is no Unicode: lone surrogates, as a model's stream cut in the middle of an emoji leaves them.
ANY_TEXT = st.text(st.characters(exclude_categories=()))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.binary(max_size=4) | st.decimals(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(ANY_TEXT | st.integers() | st.none(), inner, max_size=4)
        | st.tuples(inner)
        | st.frozensets(st.integers(), max_size=2)
    ),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"items": [{"price": Decimal(1)}]}, "state['items'][0]['price'] is of type Decimal, which is not JSON data"),
        ({"pair": (1, 2)}, "state['pair'] is of type tuple, which is not JSON data; give a list"),
        ({"seen": {1}}, "state['seen'] is of type set, which is not JSON data; give a list"),
        ({"n": [1, float("nan")]}, "state['n'][1] is nan; JSON data has finite numbers"),
        ({"by_id": {7: "x"}}, "state['by_id'] has a key of type int; JSON data has texts as keys"),
        (object(), "state is of type object, which is not JSON data"),
    ],
)
def test_the_error_leads_to_the_place(value: Any, sentence: str) -> None:
    with pytest.raises(TypeError) as caught:
        check_json_data(value, "state")

    assert str(caught.value) == sentence


def test_a_place_that_is_far_down_is_cut_short() -> None:
    value: Any = 1j
    for _ in range(50):
        value = [{"a long name": value}]

    with pytest.raises(TypeError, match=r"^state\[0\]\['a long name'\]\[0\].{0,60}\.\.\. is of type complex"):
        check_json_data(value, "state")


def test_data_that_contain_themselves_are_refused() -> None:
    value: list[Any] = []
    value.append(value)

    with pytest.raises(TypeError, match="is nested deeper than 200 levels, or contains itself"):
        check_json_data(value, "state")


def test_data_are_refused_where_the_call_stack_has_no_room_for_them() -> None:
    def deeper() -> None:
        try:
            deeper()
        except RecursionError:
            check_json_data([[[[[[[[[[1j]]]]]]]]]], "state")

    with pytest.raises(TypeError, match="state is nested too deeply for the present call stack"):
        deeper()


@pytest.mark.parametrize("url", ["memory://", "sqlite://"])
def test_a_store_refuses_data_for_which_the_call_stack_has_no_room(url: str) -> None:
    store = open_store(url)
    state: dict[str, Any] = {}
    for _ in range(150):
        state = {"in": state}

    def deeper() -> None:
        try:
            deeper()
        except RecursionError:  # of the store's own calls, too: one level up there is a little more room
            store.commit("c", "agent", expected_version=0, state=state).send(None)

    with pytest.raises(TypeError, match=r"state (is nested too deeply for the present call stack|cannot be copied)"):
        deeper()


class Amount(float):
    pass


class Names(list[str]):
    pass


async def test_subclasses_come_back_as_what_they_extend() -> None:
    for store in (InMemoryCheckpointStore(), SQLiteCheckpointStore(":memory:")):
        async with store:
            await store.commit("c", "agent", expected_version=0, state={"amount": Amount(1.5), "names": Names(["Ada"])})

            state = (await store.load("c", "agent")).state

            assert state == {"amount": 1.5, "names": ["Ada"]}
            assert state is not None
            assert [type(value) for value in state.values()] == [float, list]


async def test_a_number_with_too_many_digits_is_refused() -> None:
    async with SQLiteCheckpointStore(":memory:") as store:
        with pytest.raises(TypeError, match="state cannot be written as JSON: Exceeds the limit"):
            await store.commit("c", "agent", expected_version=0, state={"n": 10**5000})

        assert (await store.load("c", "agent")).version == 0


@given(value=JSON_DATA)
def test_json_data_are_accepted(value: Any) -> None:
    check_json_data(value, "value")


@given(state=st.dictionaries(ANY_TEXT, ANYTHING, max_size=4))
async def test_both_stores_refuse_or_return_the_same(state: dict[str, Any]) -> None:
    for store in (InMemoryCheckpointStore(), SQLiteCheckpointStore(":memory:")):
        async with store:
            try:
                await store.commit("c", "agent", expected_version=0, state=state, messages=[state])
            except TypeError:
                with pytest.raises(TypeError):
                    check_json_data(state, "state")
                assert (await store.load("c", "agent")).version == 0
                continue
            checkpoint = await store.load("c", "agent")
            assert checkpoint.state == state
            assert checkpoint.messages == [state]
            assert repr(checkpoint.state) == repr(json.loads(json.dumps(state))) or any_surrogate(state)


def any_surrogate(value: Any) -> bool:
    """Two lone surrogates side by side are one character to json, and two to us."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
