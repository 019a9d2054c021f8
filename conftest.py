"""What every test of every package gets: a guarded event loop, and one rule for missing services."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec, module_from_spec
from types import ModuleType

import hypothesis
import pytest
from blockbuster import BlockBuster

# `.ci/run` sets this: there, a test that cannot reach the service it needs fails instead of being skipped.
CI_FLAG = "AGENT_RUNTIME_CI"

# The shipped contract tests explain their failures like any test file.
pytest.register_assert_rewrite("agent_runtime_core.testing.contracts")

# No timed assertions: a slow machine is not a bug. The blob reproduces a failure seen in a log only.
hypothesis.settings.register_profile("workspace", deadline=None, print_blob=True)
hypothesis.settings.load_profile("workspace")


@pytest.fixture(scope="session")
def service_missing() -> Callable[[str, str], None]:
    """Call `service_missing("redis", "REDIS_URL is not set")` where a service cannot be reached.

    The test is skipped with that reason; where `AGENT_RUNTIME_CI` is 1 it fails, so that no service is
    forgotten there without anybody noticing.
    """

    def end_test(name: str, reason: str) -> None:
        if os.environ.get(CI_FLAG) == "1":
            pytest.fail(f"This test needs {name}, and {CI_FLAG}=1 forbids to skip it: {reason}", pytrace=False)
        pytest.skip(f"needs {name}: {reason}")

    return end_test


@pytest.fixture(scope="session")
def aimock(service_missing: Callable[[str, str], None]) -> Iterator[str]:
    """The address of a model server that is none of ours; its answers are in tests/aimock/fixtures."""
    from tests.aimock.server import ServerMissing, running_server

    try:
        with running_server() as address:
            yield address
    except ServerMissing as missing:
        service_missing("aimock", str(missing))


@pytest.fixture(scope="session")
def postgresql_database(service_missing: Callable[[str, str], None]) -> Iterator[str]:
    """The URL of a PostgreSQL database with our tables, for all tests of this process."""
    from tests.postgresql import ServerMissing, new_database

    try:
        with new_database() as url:
            yield url
    except ServerMissing as missing:
        service_missing("postgresql", str(missing))


@pytest.fixture
def postgresql_url(postgresql_database: str) -> str:
    """The URL of a PostgreSQL database in which nothing is stored."""
    from tests.postgresql import emptied

    return emptied(postgresql_database)


@pytest.fixture(scope="session")
def runs_database(service_missing: Callable[[str, str], None]) -> Iterator[str]:
    """The URL of a PostgreSQL database for a durable engine, for all tests of this process."""
    from tests.postgresql import ServerMissing, new_database

    try:
        with new_database(with_tables=False) as url:
            yield url
    except ServerMissing as missing:
        service_missing("postgresql", str(missing))


@pytest.fixture
def runs_url(runs_database: str) -> str:
    """The URL of a PostgreSQL database in which no run is stored."""
    from tests.postgresql import emptied_of_runs

    return emptied_of_runs(runs_database)


@pytest.fixture(scope="session")
def chromium(service_missing: Callable[[str, str], None]) -> str:
    """The path of a Chromium; `AGENT_RUNTIME_TEST_CHROMIUM` names another than the one that is found."""
    given = os.environ.get("AGENT_RUNTIME_TEST_CHROMIUM")
    path = given or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        service_missing("chromium", "there is none on the path (Debian: apt-get install chromium)")
    return str(path)


@pytest.fixture(scope="session")
def django_sqlite() -> Iterator[None]:
    """The database `default` of the tests' Django project, with its tables, for all tests of this process."""
    from tests.django_project.project import sqlite

    with sqlite():
        yield


@pytest.fixture(scope="session")
def django_postgresql(service_missing: Callable[[str, str], None]) -> Iterator[None]:
    """The database `postgresql` of the tests' Django project, with its tables, for all tests of this process."""
    from tests.django_project.project import postgresql
    from tests.postgresql import ServerMissing

    try:
        with postgresql():
            yield
    except ServerMissing as missing:
        service_missing("postgresql", str(missing))


@pytest.fixture
def redis_url(service_missing: Callable[[str, str], None]) -> Iterator[str]:
    """The URL of a Redis server, with a key prefix under which nothing is stored; what is, is deleted afterwards."""
    from tests.redis_server import ServerMissing, new_prefix

    try:
        with new_prefix() as url:
            yield url
    except ServerMissing as missing:
        service_missing("redis", str(missing))


def located(package: str) -> ModuleType:
    """The package as an empty module that knows its folder, so that guarding it does not import it."""
    spec = find_spec(package)
    assert spec is not None, f"{package} is not installed: make test"
    return module_from_spec(spec)


@pytest.fixture(scope="session")
def blocking_calls() -> Iterator[BlockBuster]:
    """The detector: our code raises `BlockingError` when it blocks a running event loop.

    Only calls that come through our packages count; a test may look into a file as it likes.
    """
    detector = BlockBuster(
        [located(name) for name in ("agent_runtime_core", "agent_runtime_framework", "django_agent_runtime")]
    )
    for name in ("os.getcwd", "os.path.abspath"):  # they ask where we are, and wait for nothing
        del detector.functions[name]
    for function in detector.functions.values():
        # A lazy import reads files once, wherever it happens.
        function.can_block_in("<frozen importlib._bootstrap>", "_find_and_load")
        # PostgreSQL's driver looks for certificates and a password file whenever it opens a connection.
        function.can_block_in("asyncpg/connect_utils.py", "_parse_connect_dsn_and_args")
    detector.activate()
    yield detector
    detector.deactivate()


@pytest.fixture(autouse=True)
def no_blocking_calls(request: pytest.FixtureRequest, blocking_calls: BlockBuster) -> Iterator[None]:
    """Guard every test with the detector, except those marked `allow_blocking(reason)`."""
    marker = request.node.get_closest_marker("allow_blocking")
    if marker is None:
        yield
        return
    if not (marker.args or marker.kwargs.get("reason")):
        pytest.fail("allow_blocking needs its reason: @pytest.mark.allow_blocking('why')", pytrace=False)
    blocking_calls.deactivate()
    yield
    blocking_calls.activate()
