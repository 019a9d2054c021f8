"""Who may do what: every endpoint, asked by everybody."""

from __future__ import annotations

import pytest

from django_agent_runtime.models import AgentConversation, AgentRun
from tests.django_project.runs import over

RUN = {"agent_key": "agent", "messages": [{"role": "user", "content": "Hi"}]}

PEOPLE = ["owner", "other user", "staff", "anonymous owner", "other anonymous", "nobody"]
OWNERS = ["owner", "anonymous owner"]

# Endpoint, body, and the status for whoever owns the conversation and the run; others, and nobody.
ENDPOINTS = [
    ("GET", "conversations/{conversation}/", None, 200, 404, 401),
    ("PUT", "conversations/{conversation}/", {"agent_key": "agent", "title": "Mine"}, 200, 404, 401),
    ("PATCH", "conversations/{conversation}/", {"title": "Mine"}, 200, 404, 401),
    ("DELETE", "conversations/{conversation}/", None, 204, 404, 401),
    ("GET", "conversations/{conversation}/approvals/", None, 200, 404, 401),
    ("POST", "conversations/{conversation}/approvals/never-asked/", {"granted": True}, 404, 404, 401),
    ("POST", "runs/", {**RUN, "conversation_id": "{conversation}"}, 201, 404, 401),
    ("GET", "runs/{run}/", None, 200, 404, 401),
    ("POST", "runs/{run}/cancel/", None, 400, 404, 401),
    ("GET", "runs/{run}/events/", None, 200, 403, 403),
    ("PUT", "runs/{run}/", RUN, 405, 405, 401),
    ("PATCH", "runs/{run}/", {"status": "succeeded"}, 405, 405, 401),
    ("DELETE", "runs/{run}/", None, 405, 405, 401),
]
# What belongs to nobody yet, or to whoever asks: for people, and nobody.
OPEN = [
    ("GET", "conversations/", None, 200, 200),
    ("POST", "conversations/", {"agent_key": "agent"}, 201, 401),
    ("GET", "runs/", None, 200, 200),
    ("POST", "runs/", RUN, 201, 401),
    ("GET", "models/", None, 200, 401),
]


@pytest.fixture
def alias(default_alias: str) -> str:
    """One database: who may what is no matter of it."""
    return default_alias


@pytest.mark.parametrize("asks", PEOPLE)
@pytest.mark.parametrize("whose", OWNERS)
@pytest.mark.parametrize(("method", "path", "body", "own", "others", "nobodys"), ENDPOINTS, ids=str)
def test_only_owners_reach_what_they_own(callers, method, path, body, own, others, nobodys, whose, asks):
    run = callers[whose].run()
    names = {"run": run.pk, "conversation": run.conversation_id}
    if body and "conversation_id" in body:
        body = {**body, "conversation_id": str(run.conversation_id)}
    before = AgentConversation.objects.filter(pk=run.conversation_id).values().get()

    response = callers[asks](method, path.format(**names), body)

    assert response.status_code == (own if asks == whose else nobodys if asks == "nobody" else others)
    if response.status_code == 201:
        over(response.json()["id"])
    if asks != whose:
        assert str(run.conversation_id) not in response.content.decode()
        assert AgentConversation.objects.filter(pk=run.conversation_id).values().get() == before
        assert AgentRun.objects.filter(conversation=run.conversation_id).count() == 1


@pytest.mark.parametrize("asks", PEOPLE)
@pytest.mark.parametrize(("method", "path", "body", "peoples", "nobodys"), OPEN, ids=str)
def test_people_begin_and_list_their_own(callers, method, path, body, peoples, nobodys, asks):
    for each in OWNERS:
        callers[each].run()

    response = callers[asks](method, path, body)

    assert response.status_code == (nobodys if asks == "nobody" else peoples)
    if path == "runs/" and response.status_code == 201:
        over(response.json()["id"])
    if method == "GET" and path != "models/":
        assert len(response.json()) == (1 if asks in OWNERS else 0)
    if response.status_code == 401:
        assert response.headers["WWW-Authenticate"]
        assert list(response.json()) == ["error"]


@pytest.mark.parametrize("whose", OWNERS)
def test_runs_without_a_conversation_are_their_owners(callers, whose):
    identity = {"user_id": str(callers["owner"].owner.pk)}
    if whose == "anonymous owner":
        identity = {"anonymous_token": callers[whose].owner.token}
    run = AgentRun.objects.create(agent_key="agent", metadata=identity, status="succeeded")

    seen = [name for name in PEOPLE if callers[name]("GET", f"runs/{run.pk}/").status_code == 200]

    assert seen == [whose]


def test_a_conversation_with_a_user_is_not_that_of_its_session(callers):
    visitor = callers["anonymous owner"]
    row = visitor.conversation(user=callers["owner"].owner)

    assert visitor("GET", f"conversations/{row.pk}/").status_code == 404
    assert callers["owner"]("GET", f"conversations/{row.pk}/").status_code == 200


def test_an_expired_session_is_nobody(callers):
    visitor = callers["anonymous owner"]
    run = visitor.run()
    type(visitor.owner).objects.update(is_expired=True)

    assert visitor("GET", f"runs/{run.pk}/").status_code == 401
    assert visitor("GET", f"runs/{run.pk}/events/").status_code == 403
    assert visitor("GET", "runs/").json() == []


def test_a_session_is_known_by_the_query_too(callers):
    run = callers["anonymous owner"].run()
    token = callers["anonymous owner"].owner.token

    assert callers["nobody"]("GET", f"runs/{run.pk}/?anonymous_token={token}").status_code == 200
    assert callers["nobody"]("GET", f"runs/{run.pk}/events/?anonymous_token={token}").status_code == 200
    assert callers["nobody"]("GET", f"runs/{run.pk}/?anonymous_token=%00").status_code == 401


def test_a_user_goes_before_a_session(callers):
    token = callers["anonymous owner"].owner.token
    response = callers["owner"]("POST", "conversations/", {"agent_key": "agent"}, **{"X-Anonymous-Token": token})

    row = AgentConversation.objects.get(pk=response.json()["id"])
    assert (row.user, row.anonymous_session_id) == (callers["owner"].owner, None)
