"""A journey as lint sees it: what its methods answer at each step, and what its tools' source does."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from enum import Enum
from functools import cached_property
from types import FunctionType
from typing import Any

from agent_runtime_core.errors import ConfigError
from agent_runtime_framework.agents.defaults import is_default
from agent_runtime_framework.agents.journey_agent import JourneyAgent
from agent_runtime_framework.agents.lint.dispatch import Dispatch
from agent_runtime_framework.agents.lint.sample_states import sample_states
from agent_runtime_framework.agents.lint.source_places import SourcePlaces, own_functions
from agent_runtime_framework.agents.lint.step_view import CannotLook, StepView, ToolView
from agent_runtime_framework.agents.source_moves import moves_in_source

__all__ = ["JourneyView", "made"]

Agent = JourneyAgent[Any, Any, Any]

_LONGEST_CONSTANT = 40


class JourneyView:
    """A journey that has been looked at.

    Run of the user's code are the constructor, when the class has one, and `get_initial_state`, `set_step`,
    `is_terminal_state`, `get_tool_schemas`, `get_system_prompt` and `next_step` with what they call.

    Args:
        agent: The agent, or its class, which is then made without arguments.

    Raises:
        CannotLook: There is no agent to be made, or no state to begin with.
    """

    def __init__(self, agent: Agent | type[Agent]) -> None:
        self.agent_class: type[Agent] = agent if inspect.isclass(agent) else type(agent)
        self.agent = agent if isinstance(agent, JourneyAgent) else made(self.agent_class)
        declared = self.agent_class.declared
        initial = self._initial_state()
        self.state_class: type = type(initial)
        """The class of the state."""
        self.start: Any = initial.get_step()
        """Where the journey begins."""
        if declared.step_class is None and not isinstance(self.start, Enum):
            why = f"The journey begins at {self.start!r}, which is no member of an enum: its other steps are not known"
            raise CannotLook("J006", "get_initial_state", why)
        if declared.step_class is not None and not isinstance(self.start, declared.step_class):
            why = f"The journey begins at {self.start!r}, which is no member of {declared.step_class.__name__}"
            raise CannotLook("J002", "get_initial_state", why)
        self.step_class: type[Enum] = type(self.start)
        """The steps."""
        self.tools_class = declared.tools_class
        """The class of the tools, when the journey names it."""
        self.places = SourcePlaces(self.agent_class, [self.tools_class, self.state_class, self.step_class])
        """Where things are written."""
        self.offers_declared = is_default(self.agent_class.get_tool_schemas)
        """Whether the tools offered are those declared with `@tool`."""
        self.tools: dict[str, ToolView] = {}
        """All tools that are declared, or offered somewhere, by name."""
        self.variants: list[ToolView] = []
        """Every schema that is offered, each once."""
        for spec in declared.tools.values():
            self._tool(spec.to_openai_format()["function"])
        self.state_fields = frozenset(getattr(initial, "__dict__", ()))
        """The names of the state's fields."""
        self._samples = sample_states(initial, self._constants())
        self.steps: dict[Any, StepView] = {step: self._look(step) for step in self.step_class}
        """The steps in their order."""

    def _initial_state(self) -> Any:
        try:
            state = self.agent.get_initial_state()
            state.get_step()
        except (Exception, SystemExit) as error:  # the user's method may raise anything
            _close(locals().get("state"))
            raise CannotLook("J002", "get_initial_state", f"get_initial_state() raises {_said(error)}") from error
        return state

    def _constants(self) -> list[Any]:
        """Texts and numbers that the methods which decide on the offer and the end compare with."""
        functions = {**own_functions(self.state_class), **own_functions(self.agent_class)}
        deciding = ("get_tool_schemas", "is_complete", "is_terminal", "is_terminal_state")
        return list(
            dict.fromkeys(each for name in deciding if name in functions for each in _known_to(functions[name]))
        )

    @cached_property
    def dispatch(self) -> Dispatch:
        """How a call finds its method."""
        return Dispatch(own_functions(self.agent_class).get("execute_tool"))

    def _look(self, step: Any) -> StepView:
        view = StepView(step)
        states = [state for each in self._samples if (state := _standing_at(each, step)) is not None]
        view.may_end, view.is_terminal = self._ends(view, states)
        empty = self._offers(view, states)
        view.may_talk = not view.is_terminal and any(empty)
        view.always_talks = not view.may_end and bool(empty) and all(empty)
        if view.may_talk:
            view.next = self._next(view, states[:1])
        view.prompt = self._prompt(view, states)
        return view

    def _next(self, view: StepView, states: list[Any]) -> Any:
        """Where a talking step leads."""
        answer: Any = self._ask(view, "next_step", states, self.agent.next_step)
        if answer is None or isinstance(answer, self.step_class):
            return answer
        _close(answer)
        reason = f"next_step() gives {type(answer).__name__}, which is no step"
        view.failures.append(CannotLook("J004", "next_step", reason))
        return None

    def _is_over(self, state: Any) -> bool:
        answer: Any = self.agent.is_terminal_state(state)
        if inspect.iscoroutine(answer):
            answer.close()
            raise CannotLook("J004", "is_terminal_state", "is_terminal_state() gives a coroutine: it is not awaited")
        return bool(answer)

    def _ends(self, view: StepView, states: list[Any]) -> tuple[bool, bool]:
        """Whether the journey may be over at a step, and whether it is whatever its data."""
        answers = self._ask_all(view, "is_terminal_state", states, self._is_over)
        return any(answers), bool(answers) and all(answers)

    def _offers(self, view: StepView, states: list[Any]) -> list[bool]:
        """Note the tools of a step; for each state that was answered for, whether it has none of its own."""
        if self.offers_declared:
            self._ask_all(view, "get_tool_schemas", states, self.agent.get_tool_schemas)
            specs = self.agent_class.declared.tools.values()
            offered = [spec for spec in specs if spec.belongs_to(view.step) and (spec.steps or not view.is_terminal)]
            view.tools = {spec.name: self.tools[spec.name] for spec in offered}
            return [not any(spec.steps is not None for spec in offered)]
        answers = self._ask_all(view, "get_tool_schemas", states, self._schemas)
        for functions in answers:
            names: set[str] = set()
            for function in functions:
                tool = self._tool(function)
                if tool.name in names:
                    view.twice.add(tool.name)
                names.add(tool.name)
                view.tools[tool.name] = tool
        return [not functions for functions in answers]

    def _schemas(self, state: Any) -> list[dict[str, Any]]:
        given: Any = self.agent.get_tool_schemas(state)
        try:
            functions = [schema.to_openai_format()["function"] for schema in given]
            return [{**each, "name": str(each["name"])} for each in functions]
        except (AttributeError, TypeError, KeyError) as error:
            _close(given)
            raise CannotLook(
                "J004", "get_tool_schemas", f"get_tool_schemas() gives {given!r:.60}, which is no list of ToolSchema"
            ) from error

    def _tool(self, function: dict[str, Any]) -> ToolView:
        """The tool of an offered schema."""
        name = str(function["name"])
        parameters, description = function.get("parameters"), str(function.get("description") or "")
        if not isinstance(parameters, dict):
            parameters = {}
        for known in self.variants:
            if (known.name, known.description, known.parameters) == (name, description, parameters):
                return known
        spec = self.agent_class.declared.tools.get(name)
        method = getattr(self.tools_class, name, None) if self.tools_class is not None else None
        tool = ToolView(name, description, parameters, spec, method if callable(method) else None)
        if tool.function is not None and self.tools_class is not None:
            tool.moves = moves_in_source(tool.function, self.tools_class, self.step_class, self.state_class)
        self.variants.append(tool)
        self.tools.setdefault(name, tool)
        return tool

    def _prompt(self, view: StepView, states: list[Any]) -> str | None:
        prompt = self._ask(view, "get_system_prompt", states, self.agent.get_system_prompt)
        if prompt is None or isinstance(prompt, str):
            return prompt
        _close(prompt)
        reason = f"get_system_prompt() gives {type(prompt).__name__}, which is no text"
        view.failures.append(CannotLook("J004", "get_system_prompt", reason))
        return None

    def _ask(self, view: StepView, method: str, states: list[Any], ask: Callable[[Any], Any]) -> Any:
        """What the first state that a method answers for gets; None when it answers for none."""
        for number in range(len(states)):
            last = number == len(states) - 1
            answers = self._ask_all(
                view, method, states[: number + 1] if last else states[number : number + 1], ask, last
            )
            if answers:
                return answers[0]
        return None

    def _ask_all(
        self, view: StepView, method: str, states: list[Any], ask: Callable[[Any], Any], tell: bool = True
    ) -> list[Any]:
        """The answers for the states that a method answers for; a failure when it answers for none."""
        answers: list[Any] = []
        failure: CannotLook | None = None
        for state in states:
            try:
                answers.append(ask(copy.copy(state)))
            except CannotLook as error:
                failure = failure or error
            except (Exception, SystemExit) as error:  # the user's method may raise anything
                is_missing = method == "get_system_prompt" and isinstance(error, KeyError) and view.step in error.args
                code = "J401" if is_missing else "J003"
                failure = failure or CannotLook(code, method, f"{method}() raises {_said(error)}")
        if not answers and failure is not None and tell:
            view.failures.append(failure)
        return answers


def made(agent_class: type[Agent]) -> Agent:
    """An agent of this class, made without arguments.

    Raises:
        CannotLook: It cannot be.
    """
    if inspect.isabstract(agent_class):
        missing = ", ".join(f"{name}()" for name in sorted(agent_class.__abstractmethods__))
        raise CannotLook("J001", "", f"{agent_class.__name__} lacks {missing}")
    try:
        return agent_class()
    except (Exception, SystemExit) as error:  # the user's constructor may raise anything
        said = str(error).rstrip(".") if isinstance(error, ConfigError) else _said(error)
        raise CannotLook("J005", "__init__", f"{agent_class.__name__} cannot be made: {said}") from error


def _standing_at(state: Any, step: Any) -> Any:
    """A copy of the state at a step; None when it does not go there."""
    try:
        own = copy.copy(state)
        own.set_step(step)
    except (Exception, SystemExit):  # the user's set_step() may raise anything
        return None
    return own


def _known_to(function: FunctionType) -> Iterator[Any]:
    """The constants in a function, and those of its module that it names."""
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        codes += [each for each in code.co_consts if inspect.iscode(each)]
        for each in (*code.co_consts, *(function.__globals__.get(name) for name in code.co_names)):
            if each.__class__ in {int, float} or (each.__class__ is str and len(each) <= _LONGEST_CONSTANT):
                yield each
            if each.__class__ is int:
                yield each + 1


def _close(given: object) -> None:
    if inspect.iscoroutine(given):
        given.close()


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())[:120].rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
