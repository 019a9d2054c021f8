"""What the tests of the Django host share: a project that is set up, and databases in which nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator

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
