"""What the tests of the Django host share: a project that is set up, and databases in which nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from agent_runtime_core import config as core_config
from tests.django_project.project import emptied, set_up

set_up()


@pytest.fixture(scope="session", autouse=True)
def _sqlite(django_sqlite: None) -> None:
    """Test cases of Django's begin before any fixture of theirs."""


@pytest.fixture
def default_alias(django_sqlite: None) -> Iterator[str]:
    """The SQLite database, empty before and after."""
    yield emptied("default")
    emptied("default")


@pytest.fixture
def postgresql_alias(django_postgresql: None) -> Iterator[str]:
    """The PostgreSQL database, empty before and after."""
    yield emptied("postgresql")
    emptied("postgresql")


@pytest.fixture(params=["sqlite", "postgresql"])
def alias(request: pytest.FixtureRequest) -> str:
    """Each of the two databases, empty."""
    name = "default_alias" if request.param == "sqlite" else "postgresql_alias"
    return str(request.getfixturevalue(name))


@pytest.fixture(autouse=True)
def configured_anew() -> Iterator[None]:
    """What a test configures is forgotten after it."""
    from django_agent_runtime import conf

    conf.reset_settings()
    yield
    conf.reset_settings()
    core_config.reset_config()


class OneDatabase:
    """Sends everything to one database."""

    alias = "default"

    def db_for_read(self, model: object, **hints: object) -> str:
        return self.alias

    db_for_write = db_for_read

    def allow_relation(self, first: object, second: object, **hints: object) -> bool:
        return True


@pytest.fixture
def runs_alias(alias: str, runtime_setting: Callable[..., None]) -> Iterator[str]:
    """Each of the two databases, as the one that everything goes to; runs are over when it is left."""
    from django.test import override_settings

    from django_agent_runtime.runtime.desk import close_desk

    router = OneDatabase()
    router.alias = alias
    runtime_setting(AUTO_GENERATE_CONVERSATION_TITLE=False)
    with override_settings(DATABASE_ROUTERS=[router]):
        yield alias
        close_desk()


@pytest.fixture
def runtime_setting() -> Iterator[Callable[..., None]]:
    """Changes settings of the runtime for the test."""
    from django.conf import settings
    from django.test import override_settings

    changed: list[override_settings] = []

    def change(**keys: object) -> None:
        given = {**getattr(settings, "DJANGO_AGENT_RUNTIME", {}), **keys}
        changed.append(override_settings(DJANGO_AGENT_RUNTIME=given))
        changed[-1].enable()

    yield change
    for each in reversed(changed):
        each.disable()


@pytest.fixture
def quick_retries(runtime_setting: Callable[..., None]) -> None:
    """The next attempt comes at once."""
    runtime_setting(RETRY_BACKOFF_BASE=0.0)


@pytest.fixture
def registered() -> Iterator[Callable[..., object]]:
    """Registers agents for the test."""
    from django_agent_runtime.runtime.registry import clear_registry, register_runtime

    def register(agent: object) -> object:
        register_runtime(agent)
        return agent

    clear_registry()
    yield register
    clear_registry()
