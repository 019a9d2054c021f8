"""What the tests of the Django host share: a project that is set up, and databases in which nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from agent_runtime_core import config as core_config
from tests.django_project.project import emptied, postgresql, set_up, sqlite
from tests.postgresql import ServerMissing

set_up()


@pytest.fixture(scope="session", autouse=True)
def sqlite_database() -> Iterator[None]:
    """The database `default` with our tables, for all tests of this process."""
    with sqlite():
        yield


@pytest.fixture(scope="session")
def postgresql_django_database(service_missing: Callable[[str, str], None]) -> Iterator[None]:
    """The database `postgresql` with our tables, for all tests of this process."""
    try:
        with postgresql():
            yield
    except ServerMissing as missing:
        service_missing("postgresql", str(missing))


@pytest.fixture
def default_alias() -> Iterator[str]:
    """The SQLite database, empty before and after."""
    yield emptied("default")
    emptied("default")


@pytest.fixture
def postgresql_alias(postgresql_django_database: None) -> Iterator[str]:
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
