"""The PostgreSQL store keeps the contract: alone, beside another store on the same database, and in a small pool."""

from __future__ import annotations

import pytest

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
