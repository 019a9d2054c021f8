"""What goes wrong: a clear status, JSON, a record in the log, and nothing lost."""

from __future__ import annotations

import json
import logging

import pytest
from django.conf import settings
from django.db import OperationalError, close_old_connections, connections
from django.test.utils import override_settings

from django_agent_runtime.models import AgentConversation, AgentRun
from django_agent_runtime.runtime.registry import _discover_from_settings
from tests.django_project.agents import Agent
from tests.django_project.project import terminated
from tests.django_project.runs import over

RUN = {"agent_key": "agent", "messages": [{"role": "user", "content": "Hi"}]}
PATHS = ["conversations/", "runs/", "runs/{run}/", "runs/{run}/events/"]


@pytest.fixture
def refused(runs_alias):
    """Makes the database refuse every statement with such an error."""
    from contextlib import contextmanager

    @contextmanager
    def refusing(error):
        def refuse(execute, sql, *rest):
            raise error

        with connections[runs_alias].execute_wrapper(refuse):
            yield

    return refusing


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OperationalError("server closed the connection"), "The database cannot be used at the moment"),
        (OperationalError("no such table: agent_runtime_run"), "run manage.py migrate"),
    ],
    ids=["gone", "not migrated"],
)
def test_a_database_that_cannot_be_used(callers, refused, caplog, path, error, words):
    caller = callers["anonymous owner"]
    run = caller.run()

    with refused(error):
        response = caller("GET", path.format(run=run.pk))

    assert response.status_code == 503
    assert response.headers["Content-Type"] == "application/json"
    assert words in response.json()["error"]
    assert int(response.headers["Retry-After"]) > 0
    assert [each.levelno for each in caplog.records if each.name == "django_agent_runtime.api"] == [logging.ERROR]
    assert caller("GET", path.format(run=run.pk)).status_code == 200


@pytest.mark.parametrize("alias", ["postgresql"], indirect=True)
def test_a_server_that_ends_the_connection_is_a_503_and_the_next_request_works(owner, alias):
    run = owner.run()
    terminated(connections[alias].connection.info.backend_pid)

    response = owner("GET", f"runs/{run.pk}/")

    assert (response.status_code, list(response.json())) == (503, ["error"])
    close_old_connections()  # as Django does between requests, and its test client does not
    assert owner("GET", f"runs/{run.pk}/").status_code == 200


def test_a_run_that_could_not_be_written_leaves_nothing_and_can_be_sent_again(owner, registered, new_run, runs_alias):
    registered(Agent())

    def refuse(execute, sql, params, many, context):
        if sql.startswith("INSERT INTO") and "agent_runtime_run" in sql:
            raise OperationalError("server closed the connection")
        return execute(sql, params, many, context)

    with connections[runs_alias].execute_wrapper(refuse):
        assert owner("POST", "runs/", {**new_run, "idempotency_key": "k"}).status_code == 503
    assert not AgentConversation.objects.exists()

    again = owner("POST", "runs/", {**new_run, "idempotency_key": "k"})
    assert over(again.json()["id"]).status == "succeeded"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ('"text"', 400),
        ("[]", 400),
        ("null", 400),
        ("NaN", 400),
        (b"\xff\xfe", 400),
        ("[" * 100_000, 400),
        (json.dumps(RUN)[:-1] + ', "metadata": {"x": ' + "[" * 900 + "]" * 900 + "}}", 400),
    ],
    ids=["cut", "text", "list", "null", "NaN", "no UTF-8", "deep", "deep metadata"],
)
@pytest.mark.parametrize("path", ["runs/", "conversations/"])
def test_a_body_that_is_none(owner, path, body, status):
    response = owner("POST", path, body)

    assert response.status_code == status
    assert isinstance(response.json(), (dict, list))
    assert not AgentRun.objects.exists()


def test_a_huge_body_is_refused_before_it_is_read(owner, registered, new_run):
    registered(Agent())
    body = json.dumps({**new_run, "params": {"x": "y" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE}})

    response = owner("POST", "runs/", body)

    assert (response.status_code, list(response.json())) == (413, ["error"])
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=None):
        assert over(owner("POST", "runs/", body).json()["id"]).status == "succeeded"


def test_a_body_of_another_kind_is_refused(owner):
    response = owner.client.post("/agent/runs/", "x", content_type="application/x-cake")

    assert (response.status_code, list(response.json())) == (415, ["error"])


def test_any_text_can_be_said(owner, registered, new_run):
    registered(Agent())
    text = "null \0, half an emoji \ud83d, all of one \N{GRINNING FACE}"

    response = owner("POST", "runs/", {**new_run, "messages": [{"role": "user", "content": text}]})

    assert response.status_code == 201
    over(response.json()["id"])
    run = owner("GET", f"runs/{response.json()['id']}/").json()
    assert "all of one \N{GRINNING FACE}" in run["input"]["messages"][0]["content"]


@pytest.mark.parametrize("hook", ["AUTHZ_HOOK", "QUOTA_HOOK"])
@pytest.mark.parametrize("path", ["tests.django_project.hooks.broken", "tests.django_project.hooks.missing"])
def test_a_hook_that_decides_nothing_lets_nobody_in(owner, new_run, runtime_setting, caplog, hook, path):
    runtime_setting(**{hook: path})

    response = owner("POST", "runs/", new_run)

    assert (response.status_code, list(response.json())) == (500, ["error"])
    assert not AgentRun.objects.exists()
    (record,) = [each for each in caplog.records if each.name == "django_agent_runtime.api"]
    assert ("RuntimeError" if "broken" in path else path) in record.getMessage()
    assert "the hook is broken" not in response.content.decode() + record.getMessage()


def test_an_agent_that_is_not_there_is_a_failed_run(owner, registered, new_run):
    made = owner("POST", "runs/", {**new_run, "agent_key": "missing"})
    assert made.status_code == 201

    # The stream ends with the run.
    events = b"".join(owner("GET", f"runs/{made.json()['id']}/events/").streaming_content).decode()

    assert "event: run.failed" in events
    assert owner("GET", f"runs/{made.json()['id']}/").json()["error"]["type"] == "AgentNotFound"


def test_a_registry_path_that_does_not_import_harms_no_other(owner, registered, runtime_setting, caplog):
    runtime_setting(RUNTIME_REGISTRY=["no.such.module:register"])

    _discover_from_settings()

    assert "no.such.module:register" in caplog.text
    assert owner("GET", "runs/").status_code == 200
