"""The tables are made and brought up to date by a command, and a database without the right ones says what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from agent_runtime_core.errors import ConfigError, StoreUnavailable
from agent_runtime_core.stores import open_store, postgresql
from agent_runtime_core.stores.postgresql import PostgreSQLCheckpointStore, SchemaChange, upgrade
from agent_runtime_core.stores.postgresql.revision import REVISION, REVISIONS
from tests.postgresql import ServerMissing, execute, in_thread, new_database

COMMAND = "run `agent-runtime store upgrade --store URL`"


@pytest.fixture
def empty_database(service_missing: Callable[[str, str], None]) -> Iterator[str]:
    """The URL of a database without our tables."""
    try:
        with new_database(with_tables=False) as url:
            yield url
    except ServerMissing as missing:
        service_missing("postgresql", str(missing))


def refusal(url: str) -> str:
    """What a store says that cannot use its database."""

    async def ask() -> str:
        async with PostgreSQLCheckpointStore(url) as store:
            with pytest.raises(StoreUnavailable) as checked:
                await store.check()
            with pytest.raises(StoreUnavailable) as loaded:
                await store.load("c", "agent")
            assert str(checked.value) == str(loaded.value)
        return str(loaded.value)

    return in_thread(ask())


def test_a_database_without_tables_says_which_command_makes_them(empty_database: str) -> None:
    text = refusal(empty_database)

    assert "has no tables of ours yet" in text
    assert COMMAND in text


def test_an_upgrade_makes_the_tables_and_a_second_one_changes_nothing(empty_database: str) -> None:
    execute(empty_database, "CREATE TABLE alembic_version (version_num text)", "CREATE TABLE message (id int)")

    assert in_thread(upgrade(empty_database)) == SchemaChange(before="", after=REVISION)
    assert in_thread(upgrade(empty_database)) == SchemaChange(before=REVISION, after=REVISION)

    async def use() -> int:
        async with PostgreSQLCheckpointStore(empty_database) as store:
            return await store.commit("c", "agent", expected_version=0)

    assert in_thread(use()) == 1
    assert execute(empty_database, "SELECT * FROM alembic_version") == []  # that of the application around us


def test_two_upgrades_at_once_are_one(empty_database: str) -> None:
    async def both() -> set[str]:
        changes = await asyncio.gather(upgrade(empty_database), upgrade(empty_database))
        return {change.before for change in changes}

    assert in_thread(both()) == {"", REVISION}


def test_a_store_that_was_refused_works_after_the_upgrade(empty_database: str) -> None:
    async def use() -> int:
        async with PostgreSQLCheckpointStore(empty_database) as store:
            with pytest.raises(StoreUnavailable):
                await store.commit("c", "agent", expected_version=0)
            await upgrade(empty_database)
            return await store.commit("c", "agent", expected_version=0)

    assert in_thread(use()) == 1


def test_tables_of_a_newer_program_are_left_alone(empty_database: str) -> None:
    in_thread(upgrade(empty_database))
    execute(empty_database, "UPDATE agent_runtime_schema SET version_num = '9999'")

    assert "has tables of version 9999" in refusal(empty_database)
    assert "newer agent_runtime_core; install that one here" in refusal(empty_database)
    with pytest.raises(StoreUnavailable, match="made by a newer agent_runtime_core"):
        in_thread(upgrade(empty_database))
    assert execute(empty_database, "SELECT version_num FROM agent_runtime_schema")[0][0] == "9999"


def test_tables_that_went_away_under_an_open_store_are_named(empty_database: str) -> None:
    in_thread(upgrade(empty_database))

    async def use() -> str:
        async with PostgreSQLCheckpointStore(empty_database) as store:
            await store.commit("c", "agent", expected_version=0)
            await asyncio.to_thread(execute, empty_database, "DROP TABLE agent_runtime_messages")
            with pytest.raises(StoreUnavailable) as caught:
                await store.history("c")
        return str(caught.value)

    assert COMMAND in in_thread(use())


def test_the_revisions_that_are_known_are_those_that_are_there() -> None:
    folder = Path(postgresql.__file__).parent / "migrations"

    script = ScriptDirectory(folder, version_locations=[folder])

    assert [each.revision for each in script.walk_revisions()] == [*reversed(REVISIONS)]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://ada:secret@localhost:1/db", "postgresql://localhost:1/db cannot be reached"),
        ("postgresql://ada:secret@nowhere.invalid/db", "postgresql://nowhere.invalid/db cannot be reached"),
    ],
)
async def test_a_server_that_is_not_there_is_named_without_the_password(url: str, sentence: str) -> None:
    store = open_store(url)

    with pytest.raises(StoreUnavailable) as caught:
        await store.load("c", "agent")

    assert sentence in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(caught.value.__cause__)
    await store.close()


async def test_a_database_that_does_not_exist_is_named(postgresql_url: str) -> None:
    store = PostgreSQLCheckpointStore(postgresql_url.rpartition("/")[0] + "/there_is_none")

    with pytest.raises(StoreUnavailable, match="/there_is_none does not exist: create it"):
        await store.load("c", "agent")

    await store.close()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql:///db?host=/nowhere&user=ada", "has no option 'user'"),
        ("postgresql://ada:secret@host/db?pool=3", "has no option 'pool'; known are application_name, host, keep_"),
        ("postgresql://ada:secret@host/db?keep_versions=x", "keep_versions is 'x'; give a whole number, or 'all'"),
        ("postgresql://ada:secret@host/db?pool_size=many", "pool_size is 'many'; give a whole number"),
        ("postgresql://ada:secret@host/db?pool_size=0", "pool_size is 0; give 1 or more"),
        ("postgresql://ada:secret@host/db?max_overflow=-1", "max_overflow is -1; give 0 or more"),
        ("postgresql://ada:secret@host/db?pool_timeout_s=soon", "pool_timeout_s is 'soon'; give seconds"),
        ("postgresql://ada:secret@host/db?pool_timeout_s=nan", "pool_timeout_s is nan; give seconds, more than 0"),
        ("postgresql://ada:secret@host/db?keep_versions=0", "keep_versions is 0"),
        ("postgresql://ada:secret@host/db?sslmode=maybe", "sslmode is 'maybe'; give one of disable, allow, prefer"),
        ("postgresql://ada:se#secret@host/db", "cannot be read; write it as postgresql://user:password@host:5432"),
        ("postgresql://ada:se@secret@host/db", "cannot be read"),
        ("postgresql://ada:secret@host:port/db", "cannot be read"),
        ("postgresql://ada:secret@[::1/db", "cannot be read"),
    ],
)
def test_a_wrong_url_is_explained(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_store(url)

    assert sentence in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "PostgreSQL"])
def test_a_url_may_hold_options_of_the_store(scheme: str) -> None:
    store = open_store(f"{scheme}://a:b%40c@host/db?pool_size=2&max_overflow=1&pool_timeout_s=0.5&keep_versions=all")

    assert isinstance(store, PostgreSQLCheckpointStore)
