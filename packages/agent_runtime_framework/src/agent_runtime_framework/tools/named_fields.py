"""Checks the names of fields in declarations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass

from agent_runtime_core.errors import ConfigError
from agent_runtime_framework.tools.spec import ToolSpec

__all__ = ["check_fields", "declared_depends"]


def check_fields(specs: Iterable[ToolSpec], state_class: type | None, journey: str) -> None:
    """Make sure that the fields named by `@tool(sets=...)` and by the state's `depends` are fields.

    Raises:
        ConfigError: One of them is none; the text says where it is written.
    """
    if state_class is None or not is_dataclass(state_class):
        return
    known = [each.name for each in fields(state_class) if each.name != "step"]

    def check(name: object, place: str) -> None:
        if name not in known:
            advice = f"give one of {', '.join(known)}" if known else f"write @dataclass above {state_class.__name__}"
            raise ConfigError(f"{place} names {name!r}, which is no field that {journey} could ask for: {advice}.")

    for spec in specs:
        for name in spec.sets or ():
            check(name, f"{spec.function.__qualname__} ({spec.file}:{spec.line}): sets=")
    for name, sources in declared_depends(state_class).items():
        for each in (name, *sources):
            check(each, f"{state_class.__name__}.depends")


def declared_depends(state_class: type | None) -> dict[str, tuple[str, ...]]:
    """Which fields of a state are made of which others, as its class attribute `depends` says.

    A field, property or method of that name says nothing.

    Raises:
        ConfigError: The attribute is no such table.
    """
    depends = getattr(state_class, "depends", None)
    is_field = is_dataclass(state_class) and any(each.name == "depends" for each in fields(state_class))
    if depends is None or is_field or callable(depends) or isinstance(depends, property):
        return {}
    assert state_class is not None  # or there was no attribute
    if not isinstance(depends, Mapping) or not all(isinstance(each, (tuple, list)) for each in depends.values()):
        raise ConfigError(f'{state_class.__name__}.depends must be a dict such as {{"quote": ("age", "car")}}.')
    return {name: tuple(sources) for name, sources in depends.items()}
