"""`@on_enter` and `@on_exit`: what happens when a journey comes to a step or leaves it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from inspect import isawaitable
from types import FunctionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from agent_runtime_core.errors import ConfigError
from agent_runtime_framework.agents.context import AgentContext
from agent_runtime_framework.config import should_swallow_exceptions
from agent_runtime_framework.state.snapshot import StateSnapshot
from agent_runtime_framework.tools import ANY
from agent_runtime_framework.tools.dispatch import UndeclaredMove

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["StepHook", "declared_hooks", "moved_on", "on_enter", "on_exit", "with_hooks"]

_LOGGER = logging.getLogger("agent_runtime_framework.agents.step_hooks")

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

_DECLARED = "__step_hooks__"


def on_enter(*steps: Any) -> Callable[[FunctionT], FunctionT]:
    """Declare a method of a `JourneyAgent` class that runs when the journey comes to one of these steps.

    It is called with the state and the `AgentContext`, may be async, and belongs to what has moved the journey: when
    it raises, the tool has failed and all is as it was before. It may change the state's fields, not its step. The
    step that a journey starts in is not come to.

    Args:
        steps: The steps; `ANY` for every one.

    Raises:
        ConfigError: No step is given. What is wrong with the method is told when the class is made.
    """
    return _declare("enter", steps)


def on_exit(*steps: Any) -> Callable[[FunctionT], FunctionT]:
    """The same as `on_enter`, for the moment when the journey has left one of these steps.

    The state stands at the next step already. Exit hooks run before the enter hooks of that step.

    Args:
        steps: The steps; `ANY` for every one.

    Raises:
        ConfigError: No step is given. What is wrong with the method is told when the class is made.
    """
    return _declare("exit", steps)


@dataclass(frozen=True, slots=True)
class StepHook:
    """One method and the steps at which it runs."""

    name: str
    """The method's name."""
    moment: Literal["enter", "exit"]
    """Whether it runs when the journey comes or when it goes."""
    steps: tuple[Any, ...]
    """The steps; one that is `ANY` stands for all."""

    def belongs_to(self, step: Any) -> bool:
        """Whether it runs at this step."""
        return step in self.steps or ANY in self.steps


def declared_hooks(agent_class: type, step_class: type[Enum] | None) -> tuple[StepHook, ...]:
    """The hooks that a journey's class and its bases declare, those of the bases first.

    Raises:
        ConfigError: One names something that is no step, or does not take a state and a context; the text names
            class, method and line.
    """
    found: dict[str, list[StepHook]] = {}
    for owner in reversed(agent_class.__mro__):
        for name, method in vars(owner).items():
            hooks = getattr(method, _DECLARED, None) if isinstance(method, FunctionType) else None
            if hooks is not None:
                _check(agent_class, owner, method, hooks, step_class)
                found[name] = [StepHook(name, moment, steps) for moment, steps in hooks]
            elif name in found:
                del found[name]  # a subclass has put something else in its place
    return tuple(hook for hooks in found.values() for hook in hooks)


async def with_hooks(
    agent: JourneyAgent[Any, Any, Any], state: Any, ctx: AgentContext, work: Callable[[], Awaitable[Any]]
) -> Any:
    """Do something that may move the journey, then run the hooks of the steps left and entered.

    Raises:
        UndeclaredMove: A hook has moved the journey.
        Exception: What the work or a hook raises; undoing is the caller's.
    """
    before = state.get_step()
    result = await work()
    if result.__class__ is not str and isawaitable(result):  # an `await` was forgotten: what was meant is clear
        result = await result
    now = state.get_step()
    if now != before:
        moments = (("exit", before), ("enter", now))
        for moment, step in moments:
            for hook in agent.step_hooks:
                if hook.moment == moment and hook.belongs_to(step):
                    await _run(agent, hook, state, ctx)
    return result


async def moved_on(agent: JourneyAgent[Any, Any, Any], state: Any, ctx: AgentContext, target: Any) -> None:
    """Let a talking step that has spoken move on, with its hooks.

    When a hook raises, the journey stays where it is, with the state as it was: what was said is said, and the next
    run says it again and tries again. The failure is logged.

    Raises:
        Exception: What a hook raised, when `should_swallow_exceptions()` is False (debug mode).
    """
    if not agent.step_hooks:
        state.set_step(target)
        return
    snapshot = StateSnapshot(state)

    async def move() -> None:
        state.set_step(target)

    try:
        await with_hooks(agent, state, ctx, move)
    except BaseException as error:
        snapshot.restore()
        if not isinstance(error, Exception) or not should_swallow_exceptions():
            raise
        _LOGGER.error(
            "A hook raised %s when %s moved on from a talking step; the journey stays there",
            type(error).__name__,
            type(agent).__name__,
        )
        _LOGGER.debug("Hook raised", exc_info=error)


async def _run(agent: JourneyAgent[Any, Any, Any], hook: StepHook, state: Any, ctx: AgentContext) -> None:
    step = state.get_step()
    answer = getattr(agent, hook.name)(state, ctx)
    if isawaitable(answer):
        await answer
    if state.get_step() != step:
        raise UndeclaredMove(
            f"{type(agent).__name__}.{hook.name} (on_{hook.moment}) has moved the journey from {step!s} to "
            f"{state.get_step()!s}. A hook may change the fields of the state, not its step: tools do that."
        )


def _declare(moment: str, steps: tuple[Any, ...]) -> Callable[[FunctionT], FunctionT]:
    if not steps or (len(steps) == 1 and inspect.isfunction(steps[0])):
        raise ConfigError(f"@on_{moment} names no step: write @on_{moment}(Step.X), or @on_{moment}(ANY) for all.")

    def declare(method: FunctionT) -> FunctionT:
        if not inspect.isfunction(method):
            raise ConfigError(f"@on_{moment} stands on {method!r:.80}; it takes a method of a class.")
        setattr(method, _DECLARED, [(moment, steps), *getattr(method, _DECLARED, ())])
        return method

    return declare


def _check(
    agent_class: type,
    owner: type,
    method: FunctionType,
    hooks: list[tuple[str, tuple[Any, ...]]],
    step_class: type[Enum] | None,
) -> None:
    code = method.__code__
    place = f"{owner.__name__}.{method.__name__} ({code.co_filename}:{code.co_firstlineno})"
    for moment, steps in hooks:
        for step in steps:
            if step is not ANY and step_class is not None and not isinstance(step, step_class):
                raise ConfigError(
                    f"{place} stands under @on_{moment}({step!r}), which is no step of {agent_class.__name__}: give a "
                    f"member of {step_class.__name__} ({', '.join(member.name for member in step_class)}), or ANY."
                )
    try:
        inspect.signature(method).bind(None, None, None)
    except TypeError as error:
        raise ConfigError(
            f"{place} cannot be a hook: it is called with the state and the context ({error})."
        ) from error
