"""The agents of a runtime by their keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agent_runtime_core.errors import ConfigError

__all__ = ["agents_by_key"]


def agents_by_key(agents: Any) -> dict[str, Any]:
    """The agents by their keys.

    Raises:
        ConfigError: There is none, one is no agent, or two have one key.
    """
    several = agents if isinstance(agents, Iterable) and not hasattr(agents, "run") else [agents]
    found: dict[str, Any] = {}
    for agent in several:
        if isinstance(agent, type) or not callable(getattr(agent, "run", None)) or not getattr(agent, "key", ""):
            raise ConfigError(f"{agent!r:.100} is no agent: give an object with a `key` and a method `run`.")
        if found.setdefault(agent.key, agent) is not agent:
            raise ConfigError(f"two agents have the key {agent.key!r}; give each its own.")
    if not found:
        raise ConfigError("a runtime needs an agent: Runtime(MyJourney(), 'sqlite:///journeys.db').")
    return found
