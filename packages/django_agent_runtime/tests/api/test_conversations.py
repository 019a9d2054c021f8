"""Conversations over REST."""

from __future__ import annotations

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from django_agent_runtime.models import AgentConversation, AgentRun, Message


def spoken(conversation, number, **columns):
    Message.objects.bulk_create(
        Message(
            conversation=conversation,
            seq=seq,
            body=Message.body_of({"role": "user" if seq % 2 == 0 else "assistant", "content": f"line {seq}"}),
            **columns,
        )
        for seq in range(number)
    )
    return conversation


def test_a_conversation_is_begun_renamed_and_removed(owner):
    made = owner("POST", "conversations/", {"agent_key": "agent", "title": "First", "metadata": {"plan": "pro"}})
    assert made.status_code == 201
    assert list(made.json()) == ["id", "agent_key", "title", "metadata", "created_at", "updated_at"]

    path = f"conversations/{made.json()['id']}/"
    changed = owner("PATCH", path, {"title": "Second", "id": "17", "created_at": None})
    assert changed.json() | {"updated_at": ""} == made.json() | {"title": "Second", "updated_at": ""}
    assert owner("DELETE", path).status_code == 204
    assert owner("GET", path).status_code == 404


def test_the_list_begins_with_the_latest_update_and_can_be_of_one_agent(owner):
    first, second = owner.conversation(), owner.conversation(agent_key="other")
    owner("PATCH", f"conversations/{first.pk}/", {"title": "x"})

    assert [row["id"] for row in owner("GET", "conversations/").json()] == [str(first.pk), str(second.pk)]
    assert [row["id"] for row in owner("GET", "conversations/?agent_key=other").json()] == [str(second.pk)]


@pytest.mark.parametrize("what", ["conversations", "runs"])
def test_lists_come_in_pages_that_are_linked(owner, what):
    rows = [owner.run() for _ in range(5)] if what == "runs" else [owner.conversation() for _ in range(5)]
    seen, path = [], f"/agent/{what}/?limit=2"

    while path:
        response = owner("GET", path)
        assert len(response.json()) <= 2
        seen += [row["id"] for row in response.json()]
        links = {
            part.split('rel="')[1][:-1]: part[part.index("<") + 1 : part.index(">")]
            for part in response.headers.get("Link", "").split(", ")
            if part
        }
        path = links.get("next", "").removeprefix("http://testserver")

    assert seen == [str(row.pk) for row in reversed(rows)]
    assert len(owner("GET", f"{what}/").json()) == 5


def test_messages_are_counted_from_the_newest(owner):
    row = spoken(owner.conversation(), 5)
    path = f"conversations/{row.pk}/"

    def page(query):
        data = owner("GET", path + query).json()
        return [message["content"][5:] for message in data["messages"]], data["total_messages"], data["has_more"]

    assert page("") == (["0", "1", "2", "3", "4"], 5, False)
    assert page("?limit=2") == (["3", "4"], 5, True)
    assert page("?limit=2&offset=2") == (["1", "2"], 5, True)
    assert page("?limit=2&offset=4") == (["0"], 5, False)
    assert page("?limit=2&offset=900000000000000000") == ([], 5, False)


def test_what_was_superseded_is_not_shown(owner):
    row = owner.conversation()
    later = AgentRun.objects.create(agent_key="agent", conversation=row)
    run = AgentRun.objects.create(agent_key="agent", conversation=row, superseded_by=later)
    spoken(row, 2, run=run)

    assert owner("GET", f"conversations/{row.pk}/").json()["total_messages"] == 0


def test_a_damaged_message_does_not_hide_the_others(owner):
    row = spoken(owner.conversation(), 3)
    Message.objects.filter(conversation=row, seq=1).update(body="{")

    messages = owner("GET", f"conversations/{row.pk}/").json()["messages"]

    assert [message.get("is_damaged", False) for message in messages] == [False, True, False]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "limit=-1", "offset=-1", "offset=1.5", "limit=9e9", "offset=²"]
)
def test_a_limit_or_offset_that_is_no_number_is_refused(owner, query):
    row = owner.conversation()

    response = owner("GET", f"conversations/{row.pk}/?{query}")

    assert response.status_code == 400
    assert query.split("=")[0] in response.json()


@pytest.mark.parametrize("path", ["conversations/17/", "conversations/%00/", "runs/../", "runs/17/", "runs/x/cancel/"])
def test_an_id_that_is_none_is_not_found(owner, path):
    assert owner("POST" if "cancel" in path else "GET", path).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "agent_key"),
        ({"agent_key": ""}, "agent_key"),
        ({"agent_key": "x" * 101}, "agent_key"),
        ({"agent_key": "a\0"}, "agent_key"),
        ({"agent_key": "a", "title": "x" * 256}, "title"),
        ({"agent_key": "a", "title": "\ud800"}, "title"),
        ({"agent_key": "a", "metadata": []}, "metadata"),
    ],
)
def test_what_does_not_fit_is_told_by_its_field(owner, body, field):
    response = owner("POST", "conversations/", body)

    assert response.status_code == 400
    assert field in response.json()
    assert not AgentConversation.objects.exists()


@pytest.mark.parametrize(
    "query", ["agent_key=%00", "cursor=x", "cursor=cD14", "cursor=cD0A", "limit=x", f"agent_key={'x' * 101}"]
)
def test_garbage_in_the_query_of_a_list_is_refused(owner, query):
    assert owner("GET", f"conversations/?{query}").status_code in (400, 404)


@pytest.mark.parametrize("path", ["conversations/{row}/", "conversations/", "runs/", "runs/{run}/"])
def test_queries_do_not_grow_with_what_is_there(owner, runs_alias, path):
    def counted(number):
        row = spoken(owner.conversation(), number)
        runs = [AgentRun(agent_key="agent", conversation=row, status="succeeded") for _ in range(number // 10)]
        AgentRun.objects.bulk_create(runs)
        run = runs[0]
        run.events.bulk_create(
            run.events.model(run=run, seq=seq, event_type="assistant.delta", payload={}) for seq in range(number)
        )
        with CaptureQueriesContext(connections[runs_alias]) as queries:
            assert owner("GET", path.format(row=row.pk, run=run.pk)).status_code == 200
        return len(queries)

    few = counted(10)
    assert counted(1000) == few <= 5
