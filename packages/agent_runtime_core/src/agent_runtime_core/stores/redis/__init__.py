"""Conversations on a Redis server. Needs the extra `redis`."""

import agent_runtime_core.stores.redis.driver  # noqa: F401 - first: it says which extra is missing
from agent_runtime_core.stores.redis.store import RedisCheckpointStore

__all__ = ["RedisCheckpointStore"]
