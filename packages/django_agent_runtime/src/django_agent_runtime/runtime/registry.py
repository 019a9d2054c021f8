"""The agents of this process, and how a project's are found at start-up."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from asgiref.sync import sync_to_async
from django.utils.module_loading import import_string

from agent_runtime_core.registry import (
    clear_registry,
    get_runtime,
    list_runtimes,
    register_runtime,
    unregister_runtime,
)
from django_agent_runtime.conf import runtime_settings, should_swallow_exceptions

__all__ = [
    "ENTRY_POINTS",
    "autodiscover_runtimes",
    "clear_registry",
    "get_runtime",
    "get_runtime_async",
    "list_runtimes",
    "list_runtimes_async",
    "register_runtime",
    "registering_function",
    "unregister_runtime",
]

ENTRY_POINTS = "django_agent_runtime.runtimes"
"""The group under which an installed package offers a function that registers its agents."""

_LOGGER = logging.getLogger(__name__)
_discovered = False


async def get_runtime_async(key: str) -> Any:
    """As `get_runtime`; a function that makes the agent is called where it may use the ORM."""
    return await sync_to_async(get_runtime)(key)


async def list_runtimes_async() -> list[str]:
    """As `list_runtimes`."""
    return list_runtimes()


def autodiscover_runtimes() -> None:
    """Call every function of `RUNTIME_REGISTRY` and of the entry points, once per process.

    Raises:
        Exception: In debug mode, what a function raises; else it is logged, and the others are called.
    """
    global _discovered
    if _discovered:
        return
    _discovered = True
    _discover_from_settings()
    _discover_from_entry_points()


def registering_function(path: str) -> Callable[[], Any]:
    """The function that an entry of `RUNTIME_REGISTRY` names.

    Raises:
        ImportError: There is none.
        TypeError: It is no function.
    """
    function = import_string(path.replace(":", "."))
    if not callable(function):
        raise TypeError(f"{path!r} is a {type(function).__name__}; name a function that calls register_runtime")
    return function  # type: ignore[no-any-return]  # found by its name


def _discover_from_settings() -> None:
    for path in runtime_settings().RUNTIME_REGISTRY:
        _call(f"RUNTIME_REGISTRY entry {path!r}", lambda path=path: registering_function(path)())  # type: ignore[misc]


def _discover_from_entry_points() -> None:
    for each in entry_points(group=ENTRY_POINTS):
        _call(f"entry point {each.name!r}", lambda each=each: each.load()())  # type: ignore[misc]


def _call(place: str, register: Callable[[], Any]) -> None:
    try:
        register()
    except Exception:  # one broken agent must not take the others' process down
        if not should_swallow_exceptions():
            raise
        _LOGGER.exception("no agents come from %s", place)
