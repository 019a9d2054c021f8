"""The agents that this process can run, by key."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from agent_runtime_core.errors import ConfigError

__all__ = ["clear_registry", "get_runtime", "list_runtimes", "register_runtime", "unregister_runtime"]

_lock = threading.RLock()  # a factory may look up other agents
_runtimes: dict[str, Any] = {}
_factories: dict[str, Callable[[], Any]] = {}


def register_runtime(runtime: Any, key: str | None = None) -> None:
    """Make an agent known under a key; whatever had the key before is replaced.

    Args:
        runtime: An agent, which is anything with a `key` and a method `run` (an `AgentRuntime` or an object of
            that shape); a class of agents, which is called without arguments at once; or a function that makes
            an agent, which is called once, at the first `get_runtime`.
        key: The key; the agent's own when None. A function needs one.

    Raises:
        ConfigError: A function without a key, or a key that is empty or no text.
        TypeError: It is none of the three.
    """
    if isinstance(runtime, type) and callable(getattr(runtime, "run", None)):
        runtime = runtime()
    if _is_runtime(runtime):
        name = _checked(runtime.key if key is None else key)
        with _lock:
            _factories.pop(name, None)
            _runtimes[name] = runtime
    elif callable(runtime) and not isinstance(runtime, type):
        if key is None:
            raise ConfigError("key is required when registering a factory function")
        name = _checked(key)
        with _lock:
            _runtimes.pop(name, None)
            _factories[name] = runtime
    else:
        raise TypeError(f"cannot register {_described(runtime)}: an agent has a `key` and a method `run`")


def get_runtime(key: str) -> Any:
    """The agent under this key; one that was registered as a function is made now and kept.

    Raises:
        KeyError: There is none; the text lists the keys that there are.
        TypeError: The function did not make an agent.
    """
    with _lock:
        if key in _runtimes:
            return _runtimes[key]
        factory = _factories.get(key)
        if factory is None:
            available = ", ".join(list_runtimes()) or "none is registered"
            raise KeyError(f"Agent runtime not found: {key}. Available: {available}")
        runtime = factory()
        if not _is_runtime(runtime):
            raise TypeError(f"the factory for {key!r} gave {_described(runtime)}, which has no `key` and `run`")
        if _factories.pop(key, None) is not None:  # the factory may have registered something else meanwhile
            _runtimes[key] = runtime
        return runtime


def list_runtimes() -> list[str]:
    """The keys of all agents, in alphabetical order."""
    with _lock:
        return sorted({*_runtimes, *_factories})


def unregister_runtime(key: str) -> bool:
    """Forget the agent under this key, and say whether there was one."""
    with _lock:
        found = (_runtimes.pop(key, None), _factories.pop(key, None))
    return found != (None, None)


def clear_registry() -> None:
    """Forget all agents."""
    with _lock:
        _runtimes.clear()
        _factories.clear()


def _is_runtime(value: Any) -> bool:
    return not isinstance(value, type) and callable(getattr(value, "run", None)) and hasattr(value, "key")


def _checked(key: Any) -> str:
    if not isinstance(key, str) or not key:
        raise ConfigError(f"the key of an agent must be a text that is not empty, not {key!r}")
    return key


def _described(value: Any) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"
