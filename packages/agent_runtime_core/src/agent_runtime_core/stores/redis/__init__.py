"""Conversations on a Redis server. Needs the extra `redis`."""

from agent_runtime_core.errors import MissingDependency

try:
    import redis as _redis  # noqa: F401
except ImportError as error:
    raise MissingDependency(
        "redis is required for conversations on a Redis server. Install it: pip install 'agent_runtime_core[redis]'."
    ) from error

from agent_runtime_core.stores.redis.store import RedisCheckpointStore

__all__ = ["RedisCheckpointStore"]
