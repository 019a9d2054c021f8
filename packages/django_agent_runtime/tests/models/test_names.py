"""Any text is a name: kept apart, given back, and in the order of code points."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from django_agent_runtime.models.names import KEY_LENGTH, key_of, long_name, name_of

SPECIAL = st.sampled_from(["\0", "\x01", "\x02", "\ud7ff", "\ud800", "\udfff", "\ue000", "a", "😀", "é"])
TEXTS = st.lists(st.one_of(SPECIAL, st.characters(exclude_categories=())), max_size=40).map("".join)


@given(TEXTS)
def test_a_name_is_given_back(text):
    assert name_of(key_of(text), long_name(text)) == text


@given(TEXTS)
def test_a_key_can_be_stored_as_text(text):
    key = key_of(text)

    assert "\0" not in key
    assert key.encode().decode() == key
    assert len(key) <= KEY_LENGTH


@given(TEXTS, TEXTS)
def test_keys_have_the_order_of_their_texts(first, second):
    assert (key_of(first) < key_of(second)) == (first < second)


@given(TEXTS, st.integers(300, 3000))
def test_long_texts_have_keys_of_their_own(text, length):
    first, second = text + "x" * length, text + "x" * length + "y"

    assert key_of(first) != key_of(second)
    assert name_of(key_of(first), long_name(first)) == first
    assert len(key_of(first).encode()) <= 4 * KEY_LENGTH
