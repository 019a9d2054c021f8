"""The PostgreSQL store keeps the contract: alone, beside another store on the same database, and in a small pool."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from agent_runtime_core.errors import StoreConflict, VersionNotFound
from agent_runtime_core.interfaces import Begun
from agent_runtime_core.stores.postgresql import PostgreSQLCheckpointStore
from agent_runtime_core.testing.contracts import CheckpointStoreContract


class TestPostgreSQLStore(CheckpointStoreContract):
    @pytest.fixture
    async def store(self, postgresql_url: str):
        async with PostgreSQLCheckpointStore(postgresql_url) as store:
            yield store


class TestPostgreSQLStoreWithOneConnection(CheckpointStoreContract):
    @pytest.fixture
    async def store(self, postgresql_url: str):
        async with PostgreSQLCheckpointStore(postgresql_url, pool_size=1) as store:
            yield store


HELLO = {"role": "user", "content": "hello"}


async def test_names_may_be_longer_than_what_an_index_takes(postgresql_url: str) -> None:
    # Random digits, so that nothing is won by packing them
    digits = "".join(f"{n * n:x}" for n in range(2000))
    names = [digits[:length] + end for length in (990, 998, 999, 1000, 5000) for end in ("", "\ud83d", "ä")]
    async with PostgreSQLCheckpointStore(postgresql_url) as store:
        for name in names:
            how: dict[str, Any] = {
                "message": HELLO,
                "message_id": name,
                "remember": True,
                "lease_seconds": 60.0,
                "owner": name,
            }
            begun = await store.begin(name, name, **how)
            assert isinstance(begun, Begun)
            await store.commit(name, name, expected_version=1, state={"of": name}, lease=begun.lease, owner=name)

        for name in names:
            assert (await store.load(name, name, owner=name)).state == {"of": name}
        found = await store.conversations()
        assert {(each.owner, each.conversation_id, each.agent_keys) for each in found} == {
            (name, name, (name,)) for name in names
        }
        pages = []
        after = None
        while page := await store.conversations(after=after, limit=2):
            pages += page
            after = (page[-1].owner, page[-1].conversation_id)
        assert pages == found


async def test_numbers_beyond_those_of_the_database_are_no_version(postgresql_url: str) -> None:
    async with PostgreSQLCheckpointStore(postgresql_url) as store:
        await store.commit("c", "agent", expected_version=0, messages=[HELLO])

        for number in (2**62, 2**63, 10**30, -1):
            with pytest.raises(StoreConflict):
                await store.commit("c", "agent", expected_version=number)
            with pytest.raises(VersionNotFound):
                await store.load("c", "agent", at_version=number)
            with pytest.raises(VersionNotFound):
                await store.rewind("c", number)


async def test_many_commits_leave_as_many_versions_as_are_kept(postgresql_url: str) -> None:
    async with PostgreSQLCheckpointStore(postgresql_url, keep_versions=3) as store:
        for n in range(100):
            await store.commit("c", "agent" if n % 50 else "rare", expected_version=n, state={"n": n})

        assert [each.version for each in await store.versions("c")] == [98, 99, 100]
        assert (await store.load("c", "rare", at_version=98)).state == {"n": 50}
        with pytest.raises(VersionNotFound):
            await store.load("c", "agent", at_version=97)
        assert await store.rewind("c", 98) == 101
        assert [each.version for each in await store.versions("c")] == [98, 101]


@pytest.mark.parametrize("package", ["asyncpg", "sqlalchemy"])
def test_a_missing_package_names_the_extra(package: str) -> None:
    program = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from agent_runtime_core.stores import open_store\n"
        "from agent_runtime_core.errors import MissingDependency\n"
        "try:\n    open_store('postgresql://localhost/db')\n"
        "except MissingDependency as error:\n    print(error)"
    )

    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert f"{package} is required for conversations in PostgreSQL" in finished.stdout
    assert "pip install 'agent_runtime_core[postgresql]'" in finished.stdout
