"""What `manage.py check` tells of a project that cannot work."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.checks import run_checks
from django.test import override_settings

from django_agent_runtime.runtime import registry


def ids(**options) -> list[str]:
    return [each.id for each in run_checks(**options) if each.id and each.id.startswith("django_agent_runtime")]


def words(identity: str) -> str:
    (found,) = [each for each in run_checks() if each.id == f"django_agent_runtime.{identity}"]
    return f"{found.msg} {found.hint}"


def test_a_project_that_is_right_is_told_nothing():
    assert ids() == []


@pytest.mark.parametrize(
    ("settings", "identity", "said"),
    [
        ({"QUEUE": "postgres"}, "E001", "no key 'QUEUE'"),
        ({"LEASE_TTL_SECONDS": "x"}, "E001", "LEASE_TTL_SECONDS"),
        ({"AUTHZ_HOOK": "no.such.hook"}, "E002", "AUTHZ_HOOK: the hook 'no.such.hook'"),
        ({"RUNTIME_REGISTRY": ["no.such:register"]}, "E003", "'no.such:register' cannot be imported"),
        ({"RUNTIME_REGISTRY": ["django_agent_runtime.conf:SETTING"]}, "E003", "name a function"),
        ({"ANONYMOUS_SESSION_MODEL": "shop.Session"}, "E004", "shop"),
        ({"ANONYMOUS_SESSION_MODEL": "auth.Group"}, "E004", "no field 'token'"),
    ],
)
def test_what_cannot_work_is_an_error_that_names_it(settings, identity, said):
    with override_settings(DJANGO_AGENT_RUNTIME=settings):
        assert said in words(identity)


def test_sessions_are_named_by_uuids(monkeypatch):
    monkeypatch.setattr(Group, "token", "", raising=False)
    with override_settings(DJANGO_AGENT_RUNTIME={"ANONYMOUS_SESSION_MODEL": "auth.Group"}):
        assert "no UUID" in words("E004")
    with override_settings(DJANGO_AGENT_RUNTIME={"ANONYMOUS_SESSION_MODEL": "visitors.Visitor"}):
        assert ids() == []


def test_times_need_a_time_zone():
    with override_settings(USE_TZ=False):
        assert "USE_TZ" in words("E005")


def test_a_missing_key_is_told_before_deployment(monkeypatch):
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)

    assert "django_agent_runtime.W002" in ids(include_deployment_checks=True)
    with override_settings(DJANGO_AGENT_RUNTIME={"OPENAI_API_KEY": "sk"}):
        assert "django_agent_runtime.W002" not in ids(include_deployment_checks=True)
    with override_settings(DJANGO_AGENT_RUNTIME={"MODEL_PROVIDER": "offline"}):
        assert "django_agent_runtime.W002" not in ids(include_deployment_checks=True)


def test_the_databases_that_the_store_is_tested_on_are_told_nothing():
    assert ids(databases=["default", "postgresql"]) == []


def test_a_check_calls_no_function_that_registers(monkeypatch):
    called: list[str] = []
    monkeypatch.setattr(registry, "autodiscover_runtimes", lambda: called.append("called"))
    path = "django_agent_runtime.runtime.registry:autodiscover_runtimes"
    with override_settings(DJANGO_AGENT_RUNTIME={"RUNTIME_REGISTRY": [path]}):
        assert ids() == []
    assert called == []
