"""Declarations that cannot all be true, found when the class of a journey is made."""

from __future__ import annotations

import dataclasses
import inspect
from enum import Enum
from typing import TYPE_CHECKING, Any

from agent_runtime_core.errors import ConfigError
from agent_runtime_framework.agents.defaults import is_default
from agent_runtime_framework.tools import ToolSpec

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey import Journey

__all__ = ["check_moves"]


def check_moves(agent_class: type[Journey[Any, Any, Any]]) -> None:
    """Make sure that a journey has a start, and that its tools' moves can be made.

    Raises:
        ConfigError: It has none, a tool leads only to where it stands, or it leaves a terminal step; the text names
            class, method and line.
    """
    declared = agent_class.declared
    if declared.step_class is None or not declared.tools:
        return  # moves are not declared, and nothing contradicts itself
    if not list(declared.step_class):
        raise ConfigError(
            f"{agent_class.__name__} has no start: {declared.step_class.__name__} has no members; give it the steps."
        )
    _check_start(agent_class, declared.state_class, declared.step_class)
    for spec in declared.tools.values():
        leaves = tuple(step for step in spec.steps or () if any(target != step for target in spec.to))
        if spec.to and spec.steps is not None and len(spec.steps) == 1 and not leaves:
            raise ConfigError(
                f"{_place(agent_class, spec)} has step={spec.steps[0]!s} and to={spec.to[0]!s}: it leads to where it "
                f"stands. Leave out to= for a tool that stays, or name the step it leads to."
            )
        for step in leaves:
            if _is_terminal(agent_class, step):
                raise ConfigError(
                    f"{_place(agent_class, spec)} leads from {step!s} to {', '.join(map(str, spec.to))}, and the "
                    f"journey is over at {step!s} ({_who_says(agent_class)}): take the step out of step=, or let the "
                    f"journey go on there."
                )


def _check_start(agent_class: type[Journey[Any, Any, Any]], state_class: Any, step_class: type[Enum]) -> None:
    """Make sure that a state made without arguments stands at a step of this journey."""
    if not is_default(agent_class.get_initial_state) or not inspect.isclass(state_class):
        return  # its own code makes it
    if not dataclasses.is_dataclass(state_class):
        return  # its constructor says it
    field = next((each for each in dataclasses.fields(state_class) if each.name == "step"), None)
    if field is None or not field.init:
        return  # set by the class's own code
    if field.default is dataclasses.MISSING:
        if field.default_factory is dataclasses.MISSING and not _will_be_overridden(agent_class):
            raise ConfigError(
                f"{agent_class.__name__} has no start: {_class_place(state_class)} has a field 'step' without a "
                f"default. Write step: {step_class.__name__} = {step_class.__name__}.{next(iter(step_class)).name}, "
                f"or define get_initial_state()."
            )
    elif not isinstance(field.default, step_class):
        raise ConfigError(
            f"{agent_class.__name__} has no start: {_class_place(state_class)} begins at {field.default!r}, which is "
            f"no step of it: give a member of {step_class.__name__} ({', '.join(each.name for each in step_class)})."
        )


def _will_be_overridden(agent_class: type[Journey[Any, Any, Any]]) -> bool:
    """Whether the class is unfinished: then a subclass may still say where it starts."""
    return any(
        getattr(getattr(agent_class, name), "__isabstractmethod__", False)
        for name in ("get_system_prompt", "get_tool_schemas", "create_tools", "execute_tool")
    )


def _is_terminal(agent_class: type[Journey[Any, Any, Any]], step: Any) -> bool:
    """Whether the journey is over at a step, as far as a state tells that holds nothing else yet."""
    state_class = agent_class.declared.state_class
    if state_class is None:
        return False
    try:
        state = state_class()
        state.set_step(step)
        answer: bool = agent_class.is_terminal_state(agent_class.__new__(agent_class), state)
    except Exception:  # the user's code, asked this early, may raise anything: then it is not known
        return False
    return bool(answer)


def _who_says(agent_class: type[Journey[Any, Any, Any]]) -> str:
    owner = next(each for each in agent_class.__mro__ if "is_terminal_state" in vars(each))
    if not owner.__module__.startswith("agent_runtime_framework."):
        return f"says {owner.__name__}.is_terminal_state()"
    state_class: Any = agent_class.declared.state_class
    return f"says {state_class.__name__}"


def _place(agent_class: type[Journey[Any, Any, Any]], spec: ToolSpec) -> str:
    tools_class: Any = agent_class.declared.tools_class
    return f"{tools_class.__name__}.{spec.name} ({spec.file}:{spec.line})"


def _class_place(made: type) -> str:
    try:
        return f"{made.__name__} ({inspect.getsourcefile(made)}:{inspect.getsourcelines(made)[1]})"
    except (OSError, TypeError):  # its source is not there
        return made.__name__
