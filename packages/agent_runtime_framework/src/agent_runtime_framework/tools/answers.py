"""Which tools of a journey set which fields of its state: what its class alone tells of the answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from agent_runtime_framework.tools.named_fields import declared_depends
from agent_runtime_framework.tools.spec import ToolSpec
from agent_runtime_framework.tools.written_fields import written_fields

__all__ = ["Answers"]


class Answers:
    """The fields of a state as answers: who sets them, where, and what is made of them.

    Args:
        specs: The journey's tools, by name.
        tools_class: The class that declares them; None when there is none.
        state_class: The class of the state; None when it is not known.
        steps: The journey's steps.
    """

    def __init__(
        self,
        specs: Mapping[str, ToolSpec],
        tools_class: type | None,
        state_class: type | None,
        steps: type[Enum],
    ) -> None:
        self.steps = steps
        self.specs = specs
        self.depends = declared_depends(state_class)
        """The fields that a field is made of, by its name."""
        self.watched = tuple({*self.depends, *(each for sources in self.depends.values() for each in sources)})
        """The fields that others are made of, and those."""
        self.set_by: dict[str, tuple[str, ...]] = {}
        """The fields that each tool sets, by the tool's name."""
        for name, spec in specs.items():
            if spec.sets is not None:
                self.set_by[name] = spec.sets
            elif tools_class is not None:
                self.set_by[name] = written_fields(spec.function, tools_class, state_class)
        self.setters: dict[str, list[ToolSpec]] = {}
        """The tools that set each field, by the field's name."""
        for name, names in self.set_by.items():
            for each in names:
                self.setters.setdefault(each, []).append(specs[name])
        self.once = tuple(name for name, spec in specs.items() if spec.once)
        """The tools that run only once."""
        known = [each.name for each in fields(state_class)] if state_class and is_dataclass(state_class) else []
        self.changeable = tuple(
            name for name in known if any(spec.steps is not None for spec in self.setters.get(name, ()))
        )
        """The fields whose answers can be changed, in the order of the state."""
        self._set_at: dict[Any, tuple[str, ...]] = {}
        self._changeable_at: dict[Any, tuple[str, ...]] = {}
        for step in steps:
            declared_here = [name for name in self.set_by if step in (specs[name].steps or ())]
            self._set_at[step] = _each_once(field for name in declared_here for field in self.set_by[name])
            self._changeable_at[step] = tuple(
                name for name in self.changeable if not any(spec.belongs_to(step) for spec in self.setters[name])
            )

    def set_at(self, step: Any) -> tuple[str, ...]:
        """The fields that the tools of a step set."""
        return self._set_at.get(step, ())

    def changeable_at(self, step: Any) -> tuple[str, ...]:
        """The fields that can be changed from a step, as no tool at hand sets them."""
        return self._changeable_at.get(step, ())

    def dependents(self, names: Iterable[str]) -> list[str]:
        """The fields that are made of these, directly or not; none of these themselves."""
        found = list(names)
        given = len(found)
        for name in found:  # grows while it is read
            found += [each for each, sources in self.depends.items() if name in sources and each not in found]
        return found[given:]


def _each_once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
