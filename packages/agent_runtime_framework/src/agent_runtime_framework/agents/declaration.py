"""What the class of a journey says about it: its state, its tools, its steps."""

from __future__ import annotations

import inspect
import typing
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from agent_runtime_core.errors import ConfigError
from agent_runtime_framework.state import BaseJourneyState
from agent_runtime_framework.tools import BaseJourneyTools, ToolSpec
from agent_runtime_framework.tools.named_fields import check_fields

__all__ = ["Declaration", "declaration_of"]


@dataclass(frozen=True, slots=True)
class Declaration:
    """The type arguments of a journey's class, and the tools that they bring; what is not said is None or empty."""

    state_class: type[Any] | None
    """What is remembered."""
    tools_class: type[Any] | None
    """What the model may do."""
    step_class: type[Enum] | None
    """Where the journey may stand."""
    tools: dict[str, ToolSpec]
    """The tools declared with `@tool`, by name."""
    _tools_at: dict[tuple[Enum, bool], tuple[ToolSpec, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def tools_at(self, step: Any, *, over: bool) -> tuple[ToolSpec, ...]:
        """The tools declared for a step, those included that require what does not hold.

        Args:
            step: The step.
            over: Whether the journey has arrived: then only tools declared for this very step count.
        """
        known = self._tools_at.get((step, over)) if isinstance(step, Enum) else None
        if known is not None:
            return known
        found = tuple(
            spec for spec in self.tools.values() if (spec.steps is not None or not over) and spec.belongs_to(step)
        )
        if isinstance(step, Enum):  # of other steps there may be any number
            self._tools_at[step, over] = found
        return found


def declaration_of(agent_class: type, base: type) -> Declaration:
    """Read the type arguments of a journey's class, its own or a base's, and check that they fit together.

    Args:
        agent_class: The class.
        base: The generic class whose arguments they are: state, tools, steps.

    Raises:
        ConfigError: A tool names a step that the journey does not have, or a field that the state does not; the text
            names class, method and line.
    """
    arguments = _arguments(agent_class, base)
    state_class = _class(arguments, 0, BaseJourneyState)
    tools_class = _class(arguments, 1, BaseJourneyTools)
    step_class = _class(arguments, 2, Enum)
    declared = Declaration(
        state_class, tools_class, step_class, {} if tools_class is None else dict(tools_class.tool_specs)
    )
    if step_class is not None:
        for spec in declared.tools.values():
            _check_steps(spec, step_class, tools_class, agent_class)
    check_fields(declared.tools.values(), state_class, agent_class.__name__)
    return declared


def _arguments(agent_class: type, base: type) -> tuple[Any, ...]:
    """The type arguments given to `base` by the class or the nearest of its bases that gives any."""
    for owner in agent_class.__mro__:
        for generic in vars(owner).get("__orig_bases__", ()):
            origin = typing.get_origin(generic)
            if inspect.isclass(origin) and issubclass(origin, base):
                return typing.get_args(generic)
    return ()


def _class(arguments: tuple[Any, ...], place: int, kind: type) -> type[Any] | None:
    given = arguments[place] if place < len(arguments) else None
    given = typing.get_origin(given) or given
    return given if inspect.isclass(given) and issubclass(given, kind) else None


def _check_steps(spec: ToolSpec, step_class: type[Enum], tools_class: Any, agent_class: type) -> None:
    for option, steps in (("step", spec.steps or ()), ("to", spec.to)):
        for step in steps:
            if not isinstance(step, step_class):
                raise ConfigError(
                    f"{tools_class.__name__}.{spec.name} ({spec.file}:{spec.line}) has {option}={step!r}, which is no "
                    f"step of {agent_class.__name__}: give a member of {step_class.__name__} "
                    f"({', '.join(member.name for member in step_class)})."
                )
