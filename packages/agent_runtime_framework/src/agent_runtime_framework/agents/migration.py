"""`@migrate`: functions that bring a stored state from one version of its journey to a later one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from inspect import isasyncgenfunction, iscoroutinefunction, isfunction
from itertools import pairwise
from typing import Any, TypeVar

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.stores import check_json_data

__all__ = ["Migration", "MigrationFailed", "migrate", "migrations_of"]

StateData = dict[str, Any]
"""A state as its `to_dict()` gives it."""
FunctionT = TypeVar("FunctionT", bound=Callable[[StateData], StateData])

_MARK = "__migrates__"


class MigrationFailed(Exception):
    """A migration raised, or gave something that is no state; the cause is kept."""


class Migration:
    """One function that brings states on.

    Args:
        function: Takes a state's dict and returns the new one.
        source: The version it takes.
        target: The version it gives.
    """

    __slots__ = ("_function", "name", "source", "target")

    def __init__(self, function: Callable[[StateData], StateData], source: int, target: int) -> None:
        self._function = function
        self.source = source
        """The version it takes."""
        self.target = target
        """The version it gives."""
        self.name = function.__name__
        """The function's name."""

    def __call__(self, state: StateData) -> StateData:
        """The state in its new form; the function gets a copy.

        Raises:
            MigrationFailed: It raised, or gave no JSON data.
        """
        try:
            new = self._function(deepcopy(state))
        except Exception as error:  # the author's function may raise anything on data it does not know
            raise MigrationFailed(f"{self.name}() raised {type(error).__name__}: {error}") from error
        if not isinstance(new, dict):
            raise MigrationFailed(f"{self.name}() gave a {type(new).__name__}; it must return the new state, a dict")
        try:
            check_json_data(new, "state")
        except TypeError as error:
            raise MigrationFailed(f"{self.name}() gave what is not JSON data: {error}") from error
        return new


def migrate(from_version: int, to_version: int) -> Callable[[FunctionT], FunctionT]:
    """Mark a static method of a journey that brings its stored states from one version to a later one.

    The method gets a copy of the stored dict and returns the new one. It must not wait, and should do the same
    whenever it is called: a state that was read is stored in its new form by the next commit of a run only.

    Args:
        from_version: The version that it takes, 1 or more; states from before versions were told are of version 1.
        to_version: The version that it gives.

    Raises:
        ConfigError: The versions are no whole numbers, or do not go up.
        TypeError: What is marked is no static method or function.
    """
    for version in (from_version, to_version):
        if type(version) is not int or version < 1:
            raise ConfigError(f"@migrate({from_version!r}, {to_version!r}): versions are whole numbers from 1 on.")

    def mark(method: FunctionT) -> FunctionT:
        function = _function_of(method)
        if function is None:
            raise TypeError(
                f"@migrate({from_version}, {to_version}) marks {method!r:.100}; it marks static methods that are not "
                f"async: put it above @staticmethod."
            )
        if from_version >= to_version:
            raise ConfigError(
                f"@migrate({from_version}, {to_version}) of {function.__qualname__} does not go up; "
                f"the earlier version comes first."
            )
        if hasattr(function, _MARK):
            raise ConfigError(f"{function.__qualname__} has two @migrate; write one function for each.")
        setattr(function, _MARK, (from_version, to_version))
        return method if isinstance(method, staticmethod) else staticmethod(method)  # type: ignore[return-value]

    return mark


def migrations_of(agent_class: type, version: Any) -> Mapping[int, Migration]:
    """The migrations of a class, its own and inherited ones, by the version they take.

    Args:
        agent_class: The class.
        version: Its version.

    Raises:
        ConfigError: The version is no whole number from 1 on, or the migrations do not lead to it one after the other.
    """
    name = agent_class.__name__
    if type(version) is not int or version < 1:
        raise ConfigError(f"{name}.version is {version!r}; give a whole number from 1 on: the version of its states.")
    found: dict[int, Migration] = {}
    for migration in sorted(_marked(agent_class), key=lambda each: each.source):
        shown = f"{name}.{migration.name}: @migrate({migration.source}, {migration.target})"
        if migration.target > version:
            raise ConfigError(f"{shown} leads beyond {name}.version, which is {version}; raise that with it.")
        if migration.source in found:
            raise ConfigError(f"{shown} begins where {found[migration.source].name} does; one of them is too many.")
        found[migration.source] = migration
    steps = list(found.values())
    for before, after in pairwise(steps):
        if before.target != after.source:
            what = "skips over it" if before.target > after.source else f"leads to {before.target} only"
            raise ConfigError(
                f"{name}.{after.name}: @migrate({after.source}, {after.target}) does not follow: {before.name}, "
                f"@migrate({before.source}, {before.target}), {what}. Each begins where the one before ends."
            )
    if steps and steps[-1].target != version:
        last = steps[-1]
        raise ConfigError(
            f"{name}.version is {version}, and its last migration, {last.name}, leads to {last.target} only; "
            f"add one that is marked @migrate({last.target}, {version})."
        )
    return found


def _function_of(method: object) -> Any:
    """The plain function that is marked, or None."""
    while isinstance(method, staticmethod):
        method = method.__func__
    return method if isfunction(method) and not (iscoroutinefunction(method) or isasyncgenfunction(method)) else None


def _marked(agent_class: type) -> list[Migration]:
    """The marked functions that the class has, an overriding one instead of the one it overrides."""
    names: dict[str, object] = {}
    for owner in reversed(agent_class.__mro__):
        names.update(vars(owner))
    functions = [_function_of(value) for value in names.values()]
    return [Migration(each, *getattr(each, _MARK)) for each in functions if each is not None and hasattr(each, _MARK)]
