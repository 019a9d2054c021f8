"""Who asks in the tests of the API, and what there is to ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from django_agent_runtime.models import AgentConversation, AgentRun, RunStatus
from tests.django_project.visitors.models import Visitor


class Caller:
    """Asks in JSON, as somebody."""

    def __init__(self, owner: Any = None) -> None:
        self.owner = owner
        self.client = Client(raise_request_exception=False)
        self.headers: dict[str, str] = {}
        if isinstance(owner, Visitor):
            self.headers = {"X-Anonymous-Token": owner.token}
        elif owner is not None:
            self.client.force_login(owner)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The response to one request."""
        return self.client.generic(
            method,
            path if path.startswith("/") else f"/agent/{path}",
            body if isinstance(body, (str, bytes)) else "" if body is None else _json(body),
            content_type="application/json",
            headers={**self.headers, **headers},
        )

    def conversation(self, **columns: Any) -> AgentConversation:
        """A conversation of theirs."""
        of = {"anonymous_session_id": self.owner.pk} if isinstance(self.owner, Visitor) else {"user": self.owner}
        return AgentConversation.objects.create(**{"agent_key": "agent", **of, **columns})

    def run(self, **columns: Any) -> AgentRun:
        """A run of theirs that has ended."""
        given = {"agent_key": "agent", "status": RunStatus.SUCCEEDED, "conversation": self.conversation(), **columns}
        return AgentRun.objects.create(**given)


def _json(body: Any) -> str:
    import json

    return json.dumps(body)


@pytest.fixture
def visitors(runtime_setting: Callable[..., None]) -> None:
    """People without a user may come."""
    runtime_setting(ANONYMOUS_SESSION_MODEL="visitors.Visitor")


@pytest.fixture
def callers(runs_alias: str, visitors: None) -> dict[str, Caller]:
    """One of each kind."""
    users = get_user_model().objects
    return {
        "owner": Caller(users.create_user("ada")),
        "other user": Caller(users.create_user("bob")),
        "staff": Caller(users.create_superuser("root")),
        "anonymous owner": Caller(Visitor.objects.create()),
        "other anonymous": Caller(Visitor.objects.create()),
        "nobody": Caller(),
    }


@pytest.fixture
def owner(callers: dict[str, Caller]) -> Caller:
    """A user."""
    return callers["owner"]


@pytest.fixture
def new_run() -> dict[str, Any]:
    """What a run begins with."""
    return {"agent_key": "agent", "messages": [{"role": "user", "content": "Hi"}]}
