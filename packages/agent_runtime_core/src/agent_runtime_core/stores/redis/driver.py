"""Redis' driver, or words that say which extra brings it; imported before anything else here."""

from __future__ import annotations

from agent_runtime_core.errors import MissingDependency

try:
    import redis
except ImportError as error:
    raise MissingDependency(
        "redis is required for conversations on a Redis server. Install it: pip install 'agent_runtime_core[redis]'."
    ) from error

__all__ = ["redis"]
