"""Checks the names of fields in declarations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass

from agent_runtime_core.errors import ConfigError
from agent_runtime_framework.tools.spec import ToolSpec

__all__ = ["check_fields"]


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
            raise ConfigError(
                f"{place} names {name!r}, which is no field that {journey} could ask for: give one of "
                f"{', '.join(known) or 'none'}."
            )

    for spec in specs:
        for name in spec.sets or ():
            check(name, f"{spec.function.__qualname__} ({spec.file}:{spec.line}): sets=")
    depends = getattr(state_class, "depends", None)
    if depends is None or "depends" in known:
        return
    if not isinstance(depends, Mapping) or any(isinstance(each, str) for each in depends.values()):
        raise ConfigError(f'{state_class.__name__}.depends must be a dict such as {{"quote": ("age", "car")}}.')
    for name, sources in depends.items():
        for each in (name, *sources):
            check(each, f"{state_class.__name__}.depends")
