"""Whatever was cut: a history can be sent to a provider."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runtime_core.history import is_sendable, sendable


def user(text="hi"):
    return {"role": "user", "content": text}


def calls(*ids):
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": each, "function": {"name": "note", "arguments": "{}"}} for each in ids],
    }


def result(call_id, content="Noted."):
    return {"role": "tool", "content": content, "tool_call_id": call_id, "name": "note"}


def text(words="Hello"):
    return {"role": "assistant", "content": words}


WHOLE = [{"role": "system", "content": "Be kind."}, user(), calls("a", "b"), result("a"), result("b"), text()]


def test_a_whole_history_stays_as_it_is():
    assert sendable(WHOLE) == WHOLE
    assert is_sendable(WHOLE)


def test_results_may_come_in_another_order_than_their_calls():
    history = [user(), calls("a", "b"), result("b"), result("a")]

    assert sendable(history) == history


def test_a_result_whose_call_was_cut_off_is_left_out():
    assert sendable([result("a"), text(), user()]) == [text(), user()]


@pytest.mark.parametrize("after", [[], [user("and now?")], [text("and now?")], [calls("c"), result("c")]])
def test_a_call_whose_result_is_missing_gets_one_that_says_so_right_behind_it(after):
    history = [user(), calls("a", "b"), result("a"), *after]

    mended = sendable(history)

    assert mended[:3] == history[:3]
    assert mended[3]["tool_call_id"] == "b"
    assert mended[3]["name"] == "note"
    assert mended[3]["content"].startswith("Error: this call was interrupted")
    assert mended[4:] == after
    assert is_sendable(mended)
    assert not is_sendable(history)


def test_a_second_result_of_one_call_is_left_out():
    history = [user(), calls("a"), result("a"), result("a", "again")]

    assert sendable(history) == history[:3]


def test_a_result_far_from_its_call_is_left_out_and_the_call_gets_one():
    history = [user(), calls("a"), user("hello?"), result("a")]

    mended = sendable(history)

    assert [message["role"] for message in mended] == ["user", "assistant", "tool", "user"]


@pytest.mark.parametrize("odd", [None, 5, "", ["a"]])
def test_a_result_without_a_usable_id_is_left_out(odd):
    assert sendable([user(), {"role": "tool", "content": "x", "tool_call_id": odd}]) == [user()]


def test_calls_without_an_id_are_paired_with_the_id_that_the_run_gave_them():
    history = [user(), {"role": "assistant", "tool_calls": [{"name": "note"}]}, result("call_note")]

    assert sendable(history) == history


def test_the_given_messages_are_not_changed():
    history = [result("x"), *WHOLE, calls("c")]
    before = copy.deepcopy(history)

    sendable(history)

    assert history == before


def test_nothing_is_sendable():
    assert sendable([]) == []
    assert is_sendable([])


MESSAGES = st.one_of(
    st.builds(user),
    st.builds(text),
    st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True).map(lambda ids: calls(*ids)),
    st.sampled_from("abc").map(result),
)


@given(st.lists(MESSAGES, max_size=12))
def test_whatever_is_cut_out_of_whatever_history_the_rest_can_be_sent(history: list[dict[str, Any]]):
    mended = sendable(history)

    assert is_sendable(mended)
    assert [message for message in mended if message["role"] != "tool"] == [
        message for message in history if message["role"] != "tool"
    ]
    open_calls: list[str] = []
    for message in mended:
        if message["role"] == "tool":
            open_calls.remove(message["tool_call_id"])
            continue
        assert not open_calls
        open_calls = [call["id"] for call in message.get("tool_calls", ())]
    assert not open_calls


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "text",
        {},
        {"role": "bot", "content": "hi"},
        {"role": ["user"], "content": "hi"},
        {"role": "user"},
        {"role": "user", "content": 7},
        {"role": "assistant", "content": None},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "assistant", "content": None, "tool_calls": "save_name"},
        {"role": "assistant", "content": None, "tool_calls": [None, "x"]},
    ],
)
def test_what_no_vendor_takes_for_a_message_is_left_out(odd: Any):
    assert sendable([user(), odd, text()]) == [user(), text()]


def test_a_damaged_call_is_left_out_and_the_others_keep_their_results():
    history = [user(), {**calls("a"), "tool_calls": [7, *calls("a")["tool_calls"]]}, result("a")]

    assert sendable(history) == [user(), calls("a"), result("a")]


def test_an_assistant_whose_calls_are_damaged_keeps_its_words():
    assert sendable([{**text(), "tool_calls": "save_name"}]) == [text()]


_CALLS = st.lists(
    st.sampled_from(
        [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            {"name": "f"},
            "no call",
        ]
    ),
    max_size=2,
)
_ANY_MESSAGES = st.lists(
    st.one_of(
        st.builds(
            lambda role, content, calls: {"role": role, "content": content, "tool_calls": calls},
            st.sampled_from(["user", "assistant", "system", "nobody", None]),
            st.sampled_from(["text", [], None, 3]),
            _CALLS,
        ),
        st.builds(lambda call: {"role": "tool", "content": "x", "tool_call_id": call}, st.sampled_from("abc")),
        st.sampled_from([{"role": "user", "content": "hi"}, "no message", {}]),
    ),
    max_size=5,
)


@given(_ANY_MESSAGES)
def test_messages_are_sendable_when_there_is_nothing_to_mend(messages: list[Any]) -> None:
    assert is_sendable(messages) == (sendable(messages) == messages)
