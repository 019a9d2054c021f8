"""Reads a journey's graph off its class: from declarations, from what its methods answer, from its tools' source."""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

from agent_runtime_core.errors import ConfigError
from agent_runtime_framework.agents.context import AgentContext
from agent_runtime_framework.agents.defaults import is_default
from agent_runtime_framework.agents.graph import GraphStep, JourneyGraph, Move
from agent_runtime_framework.agents.journey_agent import JourneyAgent
from agent_runtime_framework.agents.journey_router import JourneyRouter
from agent_runtime_framework.prompts import PromptTemplate

__all__ = ["read_graph"]

T = TypeVar("T")
Agent = JourneyAgent[Any, Any, Any]

_FILLING: dict[type, Any] = {bool: True, int: 1, float: 1.0, str: "x", list: ["x"], dict: {"x": "x"}, set: {"x"}}


def read_graph(agent: Agent | type[Agent]) -> JourneyGraph:
    """See `JourneyGraph.of`."""
    if isinstance(agent, JourneyRouter):
        names = ", ".join(type(each.agent).__name__ for each in agent.journeys.values())
        raise ConfigError(
            f"{type(agent).__name__} is a router, which has no steps of its own: draw one of its journeys"
            f"{f' ({names})' if names else ''}."
        )
    reader = _GraphReader(agent)
    steps: list[GraphStep] = []
    moves: list[Move] = []
    for step in reader.step_class:
        known, leaving = reader.read(step)
        steps.append(known)
        moves.extend(leaving)
    return JourneyGraph(
        name=reader.name,
        steps=tuple(steps),
        moves=tuple(moves),
        start=reader.start,
        tools_everywhere=tuple(filter(reader.is_everywhere, agent.declared.tools)),
    )


class _GraphReader:
    """Asks one journey, step by step. What its methods raise counts as no answer."""

    def __init__(self, agent: Agent | type[Agent]) -> None:
        self.agent_class = agent if inspect.isclass(agent) else type(agent)
        self.name = self.agent_class.__name__
        self._agent = agent if isinstance(agent, JourneyAgent) else _made(self.agent_class)
        initial = self._initial_state()
        self.start = initial.get_step()
        declared = self.agent_class.declared
        self.step_class: type[Enum] = declared.step_class or type(self.start)
        if not isinstance(self.start, self.step_class) or not issubclass(self.step_class, Enum):
            raise ConfigError(
                f"{self.name} starts at {self.start!r}, which is no step of it: let get_initial_state() give a state "
                f"that stands at a member of an enum{_members(declared.step_class)}."
            )
        self._states = [initial, *_filled(initial)]
        self._specs = declared.tools
        self._declared_for: dict[Any, list[str]] = {step: [] for step in self.step_class}
        for name, spec in self._specs.items():
            for step in self.step_class if spec.steps is None else dict.fromkeys(spec.steps):
                self._declared_for[step].append(name)
        self._offers_declared = is_default(self.agent_class.get_tool_schemas)
        self._tools_class = declared.tools_class or self._tools_class_of(initial)
        self._in_source: dict[str, tuple[Any, ...]] = {}  # by tool: the steps its source moves to; None for unknown

    def read(self, step: Any) -> tuple[GraphStep, list[Move]]:
        """One step, and the moves that leave it."""
        state = self._at(self._states[0], step)
        over = bool(_answer(lambda: self._agent.is_terminal_state(state)))
        tools = self._tools(step, over)
        own = [name for name in tools if not self.is_everywhere(name)]
        talks = not own and not over
        moves = [move for name in tools for move in self._moves(step, name)]
        if talks:
            target = _answer(lambda: self._agent.next_step(state))
            if target is not None and target != step:
                moves.insert(0, Move(source=step, target=target, origin="talk"))
        says = (self.agent_class.says or {}).get(step)
        known = GraphStep(
            step=step,
            tools=tuple(tools),
            is_start=step == self.start,
            is_terminal=over,
            talks=talks,
            says=says.template if isinstance(says, PromptTemplate) else says,
        )
        return known, moves

    def _initial_state(self) -> Any:
        try:
            return self._agent.get_initial_state()
        except Exception as error:  # the user's method may raise anything
            raise ConfigError(
                f"{self.name} has no start: get_initial_state() raised {type(error).__name__}: {error}."
            ) from error

    def _tools_class_of(self, state: Any) -> type | None:
        ctx = AgentContext(UUID(int=0), None, [])
        tools = _answer(lambda: self._agent._make_tools(state, ctx))
        return None if tools is None else type(tools)

    def _at(self, state: Any, step: Any) -> Any:
        state.set_step(step)
        return state

    def _tools(self, step: Any, over: bool) -> list[str]:
        """The names of the tools that may be offered at a step."""
        if self._offers_declared:
            names = self._declared_for[step]
            return [name for name in names if self._specs[name].steps is not None] if over else names
        found: dict[str, None] = {}
        for state in self._states:
            self._at(state, step)
            schemas = _answer(lambda state=state: list(self._agent.get_tool_schemas(state)))  # type: ignore[misc]
            for schema in schemas or ():
                name = _answer(lambda schema=schema: schema.to_openai_format()["function"]["name"])  # type: ignore[misc]
                if isinstance(name, str):
                    found[name] = None
        return list(found)

    def is_everywhere(self, name: str) -> bool:
        """Whether a tool belongs to every step."""
        spec = self._specs.get(name)
        return self._offers_declared and spec is not None and spec.steps is None

    def _moves(self, step: Any, name: str) -> Iterator[Move]:
        """The moves that a tool makes from a step."""
        spec = self._specs.get(name)
        if spec is not None:
            requires = tuple(map(_requirement, spec.requires))
            everywhere = spec.steps is None
            for target in dict.fromkeys(spec.to):
                if not (everywhere and target == step):
                    yield Move(source=step, target=target, tool=name, requires=requires, everywhere=everywhere)
            return
        if name not in self._in_source:
            self._in_source[name] = tuple(self._read_source(name))
        for target in self._in_source[name]:
            yield Move(source=step, target=target, tool=name, origin="unknown" if target is None else "source")

    def _read_source(self, name: str) -> Iterable[Any]:
        method = getattr(self._tools_class, name, None)
        if self._tools_class is None or not callable(method):
            return (None,)
        from agent_runtime_framework.agents.source_moves import moves_in_source

        moves = moves_in_source(method, self._tools_class, self.step_class, type(self._states[0]))
        return moves.steps if moves.is_complete else (*moves.steps, None)


def _made(agent_class: type[Agent]) -> Agent:
    """An agent to be asked; one that takes arguments is left as it is before its constructor."""
    try:
        return agent_class()
    except Exception as error:  # the user's constructor may raise anything
        if inspect.isabstract(agent_class):
            missing = ", ".join(sorted(agent_class.__abstractmethods__))
            raise ConfigError(f"{agent_class.__name__} has no graph yet: it does not define {missing}.") from error
        return agent_class.__new__(agent_class)


def _filled(state: Any) -> list[Any]:
    """The same state with something in each of its empty fields: what is offered may depend on the data."""
    if not dataclasses.is_dataclass(state):
        return []
    full = copy.copy(state)
    for each in dataclasses.fields(state):
        value = getattr(full, each.name, None)
        if each.name != "step" and not value:
            _answer(lambda name=each.name, value=value: setattr(full, name, _FILLING.get(type(value), "x")))  # type: ignore[misc]
    return [full]


def _answer(ask: Callable[[], T]) -> T | None:
    """What the user's code answers; None when it raises."""
    try:
        return ask()
    except Exception:  # on a state that is made up, the user's code may raise anything: then nothing is known
        return None


def _requirement(requirement: Any) -> str:
    if isinstance(requirement, str):
        return requirement
    return str(getattr(requirement, "__name__", None) or type(requirement).__name__)


def _members(step_class: type[Enum] | None) -> str:
    return "" if step_class is None else f", {step_class.__name__} ({', '.join(each.name for each in step_class)})"
