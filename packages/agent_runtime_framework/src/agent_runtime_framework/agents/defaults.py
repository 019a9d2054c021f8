"""What a journey does unless it says otherwise: its prompt, its offer of tools, and what it cannot do without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar

from agent_runtime_framework.agents.declaration import Declaration
from agent_runtime_framework.prompts import PromptManager, PromptTemplate, StepPromptMapping
from agent_runtime_framework.state.template_variables import template_variables
from agent_runtime_framework.tools import ToolSpec

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey import Journey

__all__ = ["default_when_declared", "is_default", "offered_tools", "step_prompt", "take_defaults"]

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def step_prompt(prompts: Any, state: Any) -> str:
    """The prompt of the state's step; templates are filled in with the state's fields."""
    if isinstance(prompts, PromptManager):
        return prompts.get_prompt(state, **template_variables(state))
    if isinstance(prompts, StepPromptMapping):
        return prompts.get(state.get_step(), **template_variables(state))
    if isinstance(prompts, Mapping):
        prompt = prompts.get(state.get_step(), "")
        return prompt.render(**template_variables(state)) if isinstance(prompt, PromptTemplate) else prompt
    return ""


def offered_tools(declared: Declaration, state: Any, *, over: bool) -> list[ToolSpec]:
    """The declared tools that may run now.

    Args:
        declared: What the journey's class says.
        state: The state.
        over: Whether the journey has arrived: then only tools declared for this very step are offered.
    """
    at_step = declared.tools_at(state.get_step(), over=over)
    return [spec for spec in at_step if not spec.requires or spec.is_ready(state)]


def default_when_declared(method: FunctionT) -> FunctionT:
    """Mark a method that a class has to write, unless it says enough for this one to work.

    To Python it is abstract; to type checkers it is an ordinary method, as they cannot see what a class declares.
    """
    method.__isabstractmethod__ = True  # type: ignore[attr-defined]
    return method


def is_default(method: Any) -> bool:
    """Whether a class has this method by default."""
    return getattr(method, "__is_default__", False)


def take_defaults(agent_class: type[Journey[Any, Any, Any]]) -> None:
    """Give the class the methods that it has not written and says enough for; the others stay abstract."""
    declared = agent_class.declared
    said = {
        "get_initial_state": declared.state_class is not None,
        "get_system_prompt": agent_class.prompts is not None or agent_class.instructions is not None,
        "get_tool_schemas": bool(declared.tools),
        "create_tools": declared.tools_class is not None,
        "execute_tool": bool(declared.tools),
    }
    for name, is_enough in said.items():
        method = getattr(agent_class, name)
        if is_enough and getattr(method, "__isabstractmethod__", False):
            setattr(agent_class, name, _concrete(method))


@cache
def _concrete(method: FunctionType) -> FunctionType:
    """The same function, without the mark."""
    own = FunctionType(method.__code__, method.__globals__, method.__name__, method.__defaults__, method.__closure__)
    own.__doc__, own.__qualname__, own.__kwdefaults__ = method.__doc__, method.__qualname__, method.__kwdefaults__
    own.__annotations__, own.__module__ = method.__annotations__, method.__module__
    own.__is_default__ = True  # type: ignore[attr-defined]
    return own
