"""The Redis store keeps the contract: alone, beside another on the same keys, and with one connection."""

from __future__ import annotations

import pytest

from agent_runtime_core.stores.redis import RedisCheckpointStore
from agent_runtime_core.testing.contracts import CheckpointStoreContract


class TestRedisStore(CheckpointStoreContract):
    @pytest.fixture
    async def store(self, redis_url: str):
        async with RedisCheckpointStore(redis_url) as store:
            yield store


class TestRedisStoreWithOneConnection(CheckpointStoreContract):
    @pytest.fixture
    async def store(self, redis_url: str):
        async with RedisCheckpointStore(redis_url, max_connections=1) as store:
            yield store
