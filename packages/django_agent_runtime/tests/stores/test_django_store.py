"""The store in Django's database keeps the contract, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest

from agent_runtime_core.testing import CheckpointStoreContract
from django_agent_runtime.stores import DjangoCheckpointStore


class TestSQLite(CheckpointStoreContract):
    @pytest.fixture
    async def store(self, default_alias):
        async with DjangoCheckpointStore(default_alias) as store:
            yield store


class TestPostgreSQL(CheckpointStoreContract):
    @pytest.fixture
    async def store(self, postgresql_alias):
        async with DjangoCheckpointStore(postgresql_alias) as store:
            yield store
