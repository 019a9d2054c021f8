"""JSON text reads back exactly, and searchable columns take any text."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from hypothesis import given
from hypothesis import strategies as st

from django_agent_runtime.models import AgentEvent, AgentRun
from django_agent_runtime.models.documents import read_document, to_document

ANY_TEXT = st.text(st.characters(exclude_categories=()))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(ANY_TEXT, VALUES))
def test_a_document_reads_back_equal(value):
    text = to_document(value, "value")

    assert read_document(text) == value
    assert "\0" not in text
    text.encode()  # what every database takes


def test_a_document_can_be_searched_for_what_was_said():
    assert "Grüße 😀" in to_document({"content": "Grüße 😀"}, "message")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing in it"),
        (None, "nothing in it"),
        ("[]", "no JSON object"),
        ("{", "Expecting"),
        ('{"a": NaN}', "NaN is not JSON"),
        ("{} and more", "something behind"),
        ('"text"', "no JSON object"),
    ],
)
def test_what_is_damaged_is_no_document(text, words):
    with pytest.raises(ValueError, match=words):
        read_document(text)


async def test_searchable_columns_take_any_text(alias):
    @sync_to_async
    def stored() -> AgentEvent:
        run = AgentRun.objects.using(alias).create(agent_key="a", input={"messages": [{"content": "null \0 \ud83d"}]})
        payload = {"text\0": ["half \ud83d", {"deep": "\0"}], "n": 1}
        AgentEvent.objects.using(alias).create(run=run, seq=0, event_type="x", payload=payload)
        return AgentEvent.objects.using(alias).select_related("run").get(payload__n=1)

    event = await stored()

    assert event.payload == {"text\ufffd": ["half \ufffd", {"deep": "\ufffd"}], "n": 1}
    assert event.run.input == {"messages": [{"content": "null \ufffd \ufffd"}]}
