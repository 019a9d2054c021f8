"""From `module:app` to what a worker works for: a runtime of the user's, or agents."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from agent_runtime_core.errors import ConfigError
from agent_runtime_framework.cli.failure import CommandError, sentence
from agent_runtime_framework.cli.target import called, find_named, only_agent, split_target
from agent_runtime_framework.cli.user_module import load_module
from agent_runtime_framework.runtime import Runtime
from agent_runtime_framework.runtime.agents import agents_by_key

__all__ = ["load_app"]


def load_app(target: str) -> Runtime | list[Any]:
    """What a target names: a runtime, or agents that are ready to be given a store.

    Args:
        target: `module:app` or `path/to/file.py:app`. What is named may be a `Runtime`, an agent, a class of one, a
            function without arguments that returns one of these, or a list or tuple of agents and classes. Without a
            name the module's one runtime is meant, else its one agent.

    Raises:
        CommandError: The target leads to none of these; the text says at which point.
    """
    place, name = split_target(target)
    module = load_module(place)
    if name is None:
        name = _only_runtime(module) or only_agent(module, place)
    shown = f"{place}:{name}"
    found = find_named(module, place, name)
    if callable(found) and not hasattr(found, "run") and not inspect.isclass(found):
        found = called(found, shown)
    if isinstance(found, Runtime):
        return found
    several = list(found) if isinstance(found, Sequence) and not isinstance(found, str) else [found]
    agents = [_built(each, shown) for each in several]
    try:
        agents_by_key(agents)
    except ConfigError as error:
        raise CommandError(f"{shown}: {sentence(error)}") from error
    return agents


def _only_runtime(module: ModuleType) -> str | None:
    """The name of the module's one runtime."""
    names = [name for name, value in vars(module).items() if isinstance(value, Runtime)]
    return names[0] if len(names) == 1 else None


def _built(found: object, shown: str) -> object:
    if not inspect.isclass(found):
        return found
    if inspect.isabstract(found):
        missing = ", ".join(sorted(getattr(found, "__abstractmethods__", ())))
        raise CommandError(f"{shown} cannot be built: {found.__name__} does not define {missing}.")
    return called(found, shown)
