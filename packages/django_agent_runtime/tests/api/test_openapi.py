"""The description of the API."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command


@pytest.fixture(scope="module")
def described():
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out)
    return json.loads(out.getvalue())


def test_every_endpoint_is_described_and_nothing_else(described):
    paths = {path.removeprefix("/agent/"): sorted(methods) for path, methods in described["paths"].items()}

    assert paths == {
        "conversations/": ["get", "post"],
        "conversations/{id}/": ["delete", "get", "patch", "put"],
        "conversations/{id}/approvals/": ["get"],
        "conversations/{id}/approvals/{approval_id}/": ["post"],
        "models/": ["get"],
        "runs/": ["get", "post"],
        "runs/{id}/": ["get"],
        "runs/{id}/cancel/": ["post"],
        "runs/{run_id}/events/": ["get"],
    }


def test_what_is_taken_and_given_is_described(described):
    run = described["paths"]["/agent/runs/"]["post"]
    assert run["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/NewRun"}
    assert set(run["responses"]) == {"200", "201", "403", "404", "429"}
    lists = described["paths"]["/agent/conversations/"]["get"]
    assert {each["name"] for each in lists["parameters"]} == {"agent_key", "cursor", "limit"}
    items = lists["responses"]["200"]["content"]["application/json"]["schema"]
    assert json.dumps(described["components"]["schemas"][items["$ref"].rsplit("/")[-1]]["type"]) == '"array"'
    stream = described["paths"]["/agent/runs/{run_id}/events/"]["get"]
    assert "text/event-stream" in stream["responses"]["200"]["content"]
    assert {"Last-Event-ID", "from_seq", "include_all"} <= {each["name"] for each in stream["parameters"]}


def test_answers_are_described(described):
    schemas = described["components"]["schemas"]
    waiting = described["paths"]["/agent/conversations/{id}/approvals/"]["get"]
    assert [each["name"] for each in waiting["parameters"]] == ["id"]
    found = waiting["responses"]["200"]["content"]["application/json"]["schema"]
    found = schemas[found["$ref"].rsplit("/")[-1]] if "$ref" in found else found
    assert (found["type"], found["items"]) == ("array", {"$ref": "#/components/schemas/Approval"})
    fields = {"approval_id", "tool", "question", "arguments", "asked_at", "expires_at"}
    assert set(schemas["Approval"]["properties"]) == fields
    answer = described["paths"]["/agent/conversations/{id}/approvals/{approval_id}/"]["post"]
    assert answer["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Answer"}
    assert schemas["Answer"]["properties"] == {"granted": {"type": "boolean"}}
    assert set(answer["responses"]) == {"200", "201", "403", "404", "429"}


def test_visitors_tokens_are_described(described):
    assert described["components"]["securitySchemes"]["anonymousToken"]["name"] == "X-Anonymous-Token"
