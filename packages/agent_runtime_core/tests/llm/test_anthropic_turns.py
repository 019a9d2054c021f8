"""Whatever a history looks like, Anthropic gets one that it takes."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent_runtime_core.llm.anthropic_wire import request_fields

IDS = st.sampled_from(["a", "b", "c:1", "", None])
TEXTS = st.one_of(st.none(), st.sampled_from(["", "  ", "Hello ", "Hi"]))
PARTS = st.lists(
    st.one_of(
        st.fixed_dictionaries({"type": st.just("text"), "text": st.sampled_from(["", "Hello"])}),
        st.just({"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}),
        st.just("Hello"),
    ),
    max_size=2,
)
CALLS = st.lists(
    st.builds(
        lambda call_id, arguments: {"id": call_id, "function": {"name": "save", "arguments": arguments}},
        IDS,
        st.sampled_from(['{"x": 1}', "{", "", None]),
    ),
    max_size=2,
)
MESSAGES = st.lists(
    st.one_of(
        st.builds(lambda text: {"role": "system", "content": text}, TEXTS),
        st.builds(lambda content: {"role": "user", "content": content}, st.one_of(TEXTS, PARTS)),
        st.builds(lambda text, calls: {"role": "assistant", "content": text, "tool_calls": calls}, TEXTS, CALLS),
        st.builds(lambda call_id, text: {"role": "tool", "tool_call_id": call_id, "content": text}, IDS, TEXTS),
    ),
    max_size=9,
)


def blocks_of(turn: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [block for block in turn["content"] if block["type"] == kind]


def as_blocks(turn: dict[str, Any]) -> dict[str, Any]:
    """The turn with its text, which is short for a block, as that block."""
    content = turn["content"]
    return {**turn, "content": [{"type": "text", "text": content}]} if isinstance(content, str) else turn


@given(MESSAGES, st.booleans())
def test_any_history_becomes_one_that_anthropic_takes(messages: list[dict[str, Any]], thinking: bool) -> None:
    # When
    request = request_fields(messages, model="m", tools=None, prompt_cache=True, thinking=thinking)

    # Then roles alternate from the user on, and no turn is empty
    turns = [as_blocks(turn) for turn in request["messages"]]
    assert [turn["role"] for turn in turns] == [("user", "assistant")[number % 2] for number in range(len(turns))]
    assert all(turn["content"] for turn in turns)

    # And every call has an id of its own and its one result at the beginning of the next turn
    calls = [call["id"] for turn in turns for call in blocks_of(turn, "tool_use")]
    assert len(set(calls)) == len(calls)
    for before, after in zip(turns, [*turns[1:], {"content": []}], strict=True):
        asked = sorted(call["id"] for call in blocks_of(before, "tool_use"))
        results = blocks_of(after, "tool_result")
        assert sorted(result["tool_use_id"] for result in results) == asked
        assert after["content"][: len(results)] == results

    # And no text is empty, nothing ends in white space, tools are there for calls, and breakpoints are few
    everything = [*request.get("system", ()), *(block for turn in turns for block in turn["content"])]
    assert all(block["text"].strip() for block in everything if block["type"] == "text")
    if turns[-1]["role"] == "assistant":
        assert all(block["text"] == block["text"].rstrip() for block in blocks_of(turns[-1], "text")[-1:])
    assert bool(calls) == ("tools" in request)
    assert sum("cache_control" in block for block in [*everything, *request.get("tools", ())]) <= 4


@given(MESSAGES)
def test_the_same_history_always_becomes_the_same_request(messages: list[dict[str, Any]]) -> None:
    before = repr(messages)

    first, second = (request_fields(messages, model="m", tools=None, prompt_cache=True) for _ in range(2))

    assert first == second
    assert repr(messages) == before
