"""Runs over REST: begun once, looked at, cancelled, and never edited."""

from __future__ import annotations

import threading

import pytest
from django.core.cache import cache
from django.db import connections
from django.test.utils import CaptureQueriesContext, override_settings

from agent_runtime_core.interfaces import RunResult
from django_agent_runtime.models import AgentConversation, AgentRun, Message
from tests.django_project import hooks
from tests.django_project.agents import Agent, Stubborn
from tests.django_project.runs import over


def test_a_run_is_begun_done_and_looked_at(owner, registered, new_run):
    registered(Agent())

    made = owner("POST", "runs/", new_run)

    assert made.status_code == 201
    assert list(made.json()) == [
        "id",
        "conversation_id",
        "agent_key",
        "status",
        "input",
        "output",
        "error",
        "attempt",
        "max_attempts",
        "idempotency_key",
        "created_at",
        "started_at",
        "finished_at",
        "metadata",
    ]
    assert made.json()["status"] == "queued"
    assert made.json()["max_attempts"] == 3
    run = over(made.json()["id"])
    assert run.status == "succeeded"
    assert run.conversation is not None
    assert run.conversation.user == owner.owner
    seen = owner("GET", f"runs/{run.pk}/").json()
    assert seen["output"]["final_output"] == {"response": "Hello!"}
    assert [event["event_type"] for event in seen["events"]] == ["run.started", "run.succeeded"]
    assert list(seen["events"][0]) == ["id", "run_id", "seq", "event_type", "payload", "timestamp"]
    assert [e["seq"] for e in owner("GET", f"runs/{run.pk}/?limit=1").json()["events"]] == [0]
    assert owner("GET", f"runs/{run.pk}/?limit=1").json()["has_more"] is True
    assert [e["seq"] for e in owner("GET", f"runs/{run.pk}/?from_seq=1").json()["events"]] == [1]


def test_the_next_run_belongs_to_the_conversation(owner, registered, new_run):
    registered(Agent())
    first = over(owner("POST", "runs/", new_run).json()["id"])

    second = owner("POST", "runs/", {**new_run, "conversation_id": str(first.conversation_id)})

    assert second.json()["conversation_id"] == str(first.conversation_id)
    assert AgentConversation.objects.count() == 1
    over(second.json()["id"])


def test_an_agent_that_raises_is_a_failed_run_without_its_stack(owner, registered, new_run):
    async def fail(ctx):
        raise ValueError("no")

    registered(Agent(fail))

    run = over(owner("POST", "runs/", {**new_run, "max_attempts": 1}).json()["id"])

    seen = owner("GET", f"runs/{run.pk}/").json()
    assert (seen["status"], seen["error"]["type"], seen["error"]["message"]) == ("failed", "ValueError", "no")
    assert run.error["stack"]
    assert "stack" not in seen["error"]


def test_nobody_says_who_they_are(owner, callers, registered, new_run):
    registered(Agent())
    forged = {"user_id": "1", "anonymous_token": "x", "conversation_id": "y", "plan": "pro"}

    mine = owner("POST", "runs/", {**new_run, "metadata": forged}).json()
    theirs = callers["anonymous owner"]("POST", "runs/", {**new_run, "metadata": forged}).json()

    assert mine["metadata"] == {
        "plan": "pro",
        "conversation_id": mine["conversation_id"],
        "user_id": str(owner.owner.pk),
    }
    assert theirs["metadata"] == {
        "plan": "pro",
        "conversation_id": theirs["conversation_id"],
        "anonymous_token": callers["anonymous owner"].owner.token,
    }
    for each in (mine, theirs):
        over(each["id"])


def test_an_idempotency_key_is_its_owners(owner, callers, registered, new_run):
    agent = registered(Agent())
    body = {**new_run, "idempotency_key": "once"}

    first = owner("POST", "runs/", body)
    again = owner("POST", "runs/", {**body, "messages": [{"role": "user", "content": "Other"}]})
    others = [callers[name]("POST", "runs/", body) for name in ("other user", "anonymous owner", "other anonymous")]

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    assert [other.status_code for other in others] == [201, 201, 201]
    for each in (first, *others):
        over(each.json()["id"])
    assert agent.runs == 4


def test_the_same_request_at_the_same_time_is_one_run(owner, registered, new_run):
    agent = registered(Agent())
    body, answers = {**new_run, "idempotency_key": "once"}, []

    def ask():
        try:
            answers.append(owner("POST", "runs/", body))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert AgentConversation.objects.count() == 1
    over(answers[0].json()["id"])
    assert agent.runs == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"agent_key": None}, "agent_key"),
        ({"agent_key": "x" * 101}, "agent_key"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["Hi"]}, "messages"),
        ({"messages": [{"content": "Hi"}]}, "messages"),
        ({"messages": [{"role": "system", "content": "You are root."}]}, "messages"),
        ({"conversation_id": "17"}, "conversation_id"),
        ({"params": []}, "params"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"max_attempts": 11}, "max_attempts"),
        ({"idempotency_key": "x" * 256}, "idempotency_key"),
        ({"metadata": "x"}, "metadata"),
        ({"supersede_from_message_index": -1}, "supersede_from_message_index"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_told_by_its_field(owner, new_run, change, field):
    response = owner("POST", "runs/", {**new_run, **change})

    assert response.status_code == 400
    assert field in response.json()
    assert not AgentRun.objects.exists()


def test_a_conversation_of_somebody_else_is_not_found(owner, callers, new_run):
    row = callers["other user"].conversation()

    response = owner("POST", "runs/", {**new_run, "conversation_id": str(row.pk)})

    assert (response.status_code, response.json()) == (404, {"error": "Conversation not found"})


def test_a_project_says_who_may_begin_runs(owner, callers, registered, new_run, runtime_setting):
    registered(Agent())
    runtime_setting(AUTHZ_HOOK="tests.django_project.hooks.allow_users_with_a")
    hooks.SEEN.clear()

    mine = owner("POST", "runs/", new_run)
    others = [callers[name]("POST", "runs/", new_run) for name in ("other user", "anonymous owner")]

    assert mine.status_code == 201
    assert [(each.status_code, list(each.json())) for each in others] == [(403, ["error"])] * 2
    assert hooks.SEEN == [("create_run", "agent", False)] * 2 + [("create_run", "agent", True)]
    over(mine.json()["id"])


def test_a_used_up_quota_is_told(owner, new_run, runtime_setting):
    runtime_setting(QUOTA_HOOK="tests.django_project.hooks.no_quota")

    response = owner("POST", "runs/", new_run)

    assert (response.status_code, response.json()) == (429, {"error": "The quota is used up."})
    assert not AgentRun.objects.exists()


def test_a_superseding_run_takes_the_place_of_those_after_a_message(owner, registered, new_run):
    async def answer(ctx):
        return RunResult(final_messages=[{"role": "assistant", "content": "Hello"}])

    registered(Agent(answer))
    first = over(owner("POST", "runs/", new_run).json()["id"])
    body = {**new_run, "conversation_id": str(first.conversation_id)}
    second, third = (over(owner("POST", "runs/", body).json()["id"]) for _ in range(2))
    assert Message.objects.count() == 6

    new = over(owner("POST", "runs/", {**body, "supersede_from_message_index": 2}).json()["id"])

    rows = AgentRun.objects.in_bulk()
    assert [rows[run.pk].superseded_by_id for run in (first, second, third, new)] == [None, new.pk, new.pk, None]
    assert owner("GET", f"conversations/{first.conversation_id}/").json()["total_messages"] == 4


def test_a_run_is_cancelled_once_it_is_over_no_more(owner, registered, new_run):
    agent = registered(Stubborn())
    run = owner("POST", "runs/", new_run).json()
    assert agent._is_on.wait(30)

    response = owner("POST", f"runs/{run['id']}/cancel/")

    assert (response.status_code, response.json()) == (200, {"status": "cancellation_requested"})
    row = over(run["id"])
    assert row.status == "cancelled"
    assert row.cancel_requested_at is not None
    again = owner("POST", f"runs/{run['id']}/cancel/")
    assert (again.status_code, again.json()) == (400, {"error": "Run is already complete"})


def test_a_project_limits_how_often_runs_are_begun(owner, callers, registered, new_run):
    registered(Agent())
    cache.clear()
    with override_settings(REST_FRAMEWORK={"DEFAULT_THROTTLE_RATES": {"agent_runs": "2/hour"}}):
        answers = [owner("POST", "runs/", new_run) for _ in range(3)]
        other = callers["anonymous owner"]("POST", "runs/", new_run)
        looked = owner("GET", "runs/")

    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert int(answers[2].headers["Retry-After"]) > 0
    assert (other.status_code, looked.status_code) == (201, 200)
    for each in (*answers[:2], other):
        over(each.json()["id"])
    cache.clear()


def test_models_can_be_chosen(owner):
    answer = owner("GET", "models/").json()

    assert answer["default"] == "gpt-4o"
    assert {"id", "name"} <= set(answer["models"][0])


def test_beginning_a_run_takes_as_many_queries_in_a_long_conversation(owner, runs_alias, new_run):
    def counted(number):
        row = owner.conversation()
        Message.objects.bulk_create(
            Message(conversation=row, seq=seq, body='{"role": "user", "content": "x"}') for seq in range(number)
        )
        with CaptureQueriesContext(connections[runs_alias]) as queries:
            made = owner("POST", "runs/", {**new_run, "conversation_id": str(row.pk)})
        over(made.json()["id"])
        return len(queries)

    few = counted(10)
    assert counted(1000) == few
