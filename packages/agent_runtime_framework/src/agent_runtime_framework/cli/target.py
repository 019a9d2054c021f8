"""From `module:Agent` or `path/to/file.py:Agent` to the module and the agent that is meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from types import ModuleType
from typing import Any

from agent_runtime_framework.agents.journey_agent import JourneyAgent
from agent_runtime_framework.agents.journey_router import JourneyRouter
from agent_runtime_framework.cli.failure import CommandError, located
from agent_runtime_framework.cli.user_module import load_module

__all__ = ["Agent", "called", "find_named", "load_agent", "load_journey", "only_agent", "split_target"]

Agent = JourneyAgent[Any, Any, Any]
"""Any journey agent, whatever its state, tools and steps."""


def load_agent(target: str) -> Agent:
    """The agent that a target names, built and ready to be given a client and a store.

    Args:
        target: `module`, `package.module:Agent`, `path/to/file.py` or `path/to/file.py:Agent`. What is named
            may be a class (it is constructed without arguments), an instance, or a function without
            arguments that returns one. Without a name, the module's one agent is meant.

    Raises:
        CommandError: The target leads to no agent; the text says at which point, and what there is instead.
    """
    found, shown = _named(target)
    return _build(found, shown)


def load_journey(target: str) -> Agent | type[Agent]:
    """The same without building a class, which may be unfinished.

    Raises:
        CommandError: See `load_agent`.
    """
    found, shown = _named(target)
    return found if inspect.isclass(found) and issubclass(found, JourneyAgent) else _build(found, shown)


def _named(target: str) -> tuple[object, str]:
    """What a target names, and how it is shown."""
    place, name = split_target(target)
    module = load_module(place)
    if name is None:
        name = only_agent(module, place)
    return find_named(module, place, name), f"{place}:{name}"


def find_named(module: ModuleType, place: str, name: str) -> object:
    """What has this name in a module.

    Raises:
        CommandError: Nothing has; the text lists the agents that there are.
    """
    try:
        return reduce(getattr, name.split("."), module)
    except AttributeError:
        raise CommandError(f"{place} has no name {name!r}. {_offer(module, place)}") from None


def split_target(target: str) -> tuple[str, str | None]:
    """Place and name; a colon that belongs to a path (a drive letter) stays in it."""
    place, colon, name = target.rpartition(":")
    if colon and place and all(part.isidentifier() for part in name.split(".")):
        return place, name
    return target.removesuffix(":"), None


@dataclass(frozen=True, kw_only=True)
class _Agents:
    """What a module offers to choose from, by name."""

    instances: dict[str, object]
    classes: dict[str, object]
    unfinished: dict[str, type]
    """Agent classes that lack abstract methods."""


def _agents_in(module: ModuleType) -> _Agents:
    """The agents of a module: its own classes, or those it imports when it defines none."""
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    instances = {name: value for name, value in public.items() if isinstance(value, JourneyAgent)}
    classes = {
        name: value
        for name, value in public.items()
        if inspect.isclass(value)
        and issubclass(value, JourneyAgent)
        and not value.__module__.startswith("agent_runtime_framework.")
    }
    own = {name: value for name, value in classes.items() if value.__module__ == module.__name__} or classes
    unfinished = {name: value for name, value in own.items() if inspect.isabstract(value)}
    return _Agents(
        instances=_once(instances),
        classes=_once({name: value for name, value in own.items() if name not in unfinished}),
        unfinished=unfinished,
    )


def _once(found: dict[str, Any]) -> dict[str, object]:
    """Each object under its first name only."""
    first: dict[int, str] = {}
    for name, value in found.items():
        first.setdefault(id(value), name)
    return {name: found[name] for name in first.values()}


def only_agent(module: ModuleType, place: str) -> str:
    """The name of the module's one agent; an instance goes before classes, as it is set up already.

    A router goes before the journeys that stand beside it.

    Raises:
        CommandError: There is none, or there are several.
    """
    agents = _agents_in(module)
    choice = agents.instances or agents.classes
    routers = {name: each for name, each in choice.items() if _is_router(each)}
    choice = routers if len(routers) == 1 else choice
    if len(choice) == 1:
        return next(iter(choice))
    if choice:
        raise CommandError(f"{place} has several agents; say which: {_names(place, choice)}.")
    if len(agents.unfinished) == 1:
        return next(iter(agents.unfinished))
    raise CommandError(f"there is no JourneyAgent in {place}.")


def _is_router(found: object) -> bool:
    return issubclass(found if inspect.isclass(found) else type(found), JourneyRouter)


def _offer(module: ModuleType, place: str) -> str:
    agents = _agents_in(module)
    names = {**agents.instances, **agents.classes}
    return f"Agents there: {_names(place, names)}." if names else "There is no agent in it."


def _names(place: str, names: dict[str, object]) -> str:
    return ", ".join(f"{place}:{name}" for name in names)


def _build(found: object, shown: str) -> Agent:
    """Make an agent of what a target names."""
    if isinstance(found, JourneyAgent):
        return found
    if inspect.isclass(found):
        if not issubclass(found, JourneyAgent):
            raise CommandError(f"{shown} is no agent: the class does not derive from JourneyAgent.")
        if inspect.isabstract(found):
            missing = ", ".join(sorted(found.__abstractmethods__))
            raise CommandError(f"{shown} cannot be built: it does not define {missing}.")
    elif not callable(found):
        raise CommandError(f"{shown} is no agent: it is a {type(found).__name__}.")
    agent = called(found, shown)
    if not isinstance(agent, JourneyAgent):
        raise CommandError(f"{shown} is no agent: it returns a {type(agent).__name__}.")
    return agent


def called(found: Callable[[], object], shown: str) -> object:
    """What the user's class or function makes.

    Raises:
        CommandError: It cannot be called without arguments, raises, or is an async function.
    """
    try:
        made = found()
    except Exception as error:  # the user's constructor or factory may raise anything
        raise CommandError(f"{shown} cannot be built without arguments: {located(error)}") from error
    if inspect.iscoroutine(made):
        made.close()
        raise CommandError(f"{shown} is no agent: it is an async function. Give a plain one that returns the agent.")
    return made
