"""`JourneyGraph`: a journey's steps, tools and moves as data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["GraphStep", "JourneyGraph", "Move", "step_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphStep:
    """A step of a journey."""

    step: Any
    """The member of the enum."""
    tools: tuple[str, ...] = ()
    """The tools that may be offered at it, by name."""
    is_start: bool = False
    """Whether a journey begins here."""
    is_terminal: bool = False
    """Whether the journey is over here."""
    talks: bool = False
    """Whether it is a talking step: no tools, and the journey moves on once something was said."""
    says: str | None = None
    """Its fixed text, templates not filled in; None when the model is asked."""

    @property
    def name(self) -> str:
        """The step's name in its enum."""
        return step_name(self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A way from one step to another, or back to the same."""

    source: Any
    """The step that is left."""
    target: Any
    """The step that is reached; None when nobody knows which."""
    tool: str | None = None
    """The tool that makes the move; None for what a talking step does when it has spoken."""
    origin: Literal["declared", "source", "talk", "unknown"] = "declared"
    """How it is known: by `@tool(to=...)`, from the tool's source, by `next_step()`, or not at all."""
    requires: tuple[str, ...] = ()
    """What has to hold for the tool to be offered: names of fields, and of functions."""
    everywhere: bool = False
    """Whether the tool belongs to every step (`step=ANY`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyGraph:
    """What a journey's class says about where it may stand and how it gets from there to elsewhere."""

    name: str
    """The class's name."""
    steps: tuple[GraphStep, ...]
    """All steps, in the order of their enum."""
    moves: tuple[Move, ...]
    """All moves, in the order of the steps they leave."""
    start: Any
    """The step that a journey begins at."""
    tools_everywhere: tuple[str, ...] = ()
    """The tools that belong to every step at which the journey is not over (`step=ANY`)."""
    _by_step: dict[Any, GraphStep] = field(init=False, repr=False, compare=False, default_factory=dict)
    _leaving: dict[Any, list[Move]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_step.update({each.step: each for each in self.steps})
        for move in self.moves:
            self._leaving.setdefault(move.source, []).append(move)

    @classmethod
    def of(cls, agent: JourneyAgent[Any, Any, Any] | type[JourneyAgent[Any, Any, Any]]) -> JourneyGraph:
        """The graph of a journey.

        Tools declared with `@tool` say where they belong and lead. Where a class has methods of its own, these are
        asked for each step, with the initial state and with one whose empty fields are filled; the moves of tools that
        are not declared are read from their source.

        Args:
            agent: The journey's class or an agent of it. A class is constructed without arguments when it has to be
                asked.

        Raises:
            ConfigError: The journey has no steps, or no start.
        """
        from agent_runtime_framework.agents.graph_reader import read_graph  # here, because few programs need it

        return read_graph(agent)

    @property
    def terminal_steps(self) -> tuple[Any, ...]:
        """The steps at which the journey is over."""
        return tuple(each.step for each in self.steps if each.is_terminal)

    def step(self, step: Any) -> GraphStep:
        """What is known of a step.

        Raises:
            KeyError: It is none of this journey.
        """
        return self._by_step[step]

    def moves_from(self, step: Any) -> Sequence[Move]:
        """The moves that leave a step, or stay there."""
        return self._leaving.get(step, ())

    def reachable(self, start: Any = None) -> frozenset[Any]:
        """The steps that known moves lead to, the one to begin with included (None: the journey's start)."""
        found = {self.start if start is None else start}
        waiting = list(found)
        while waiting:
            for move in self.moves_from(waiting.pop()):
                if move.target is not None and move.target not in found:
                    found.add(move.target)
                    waiting.append(move.target)
        return frozenset(found)

    def to_mermaid(self, path: Iterable[Any] = ()) -> str:
        """The graph as a Mermaid flowchart; the steps of a path and the moves between them are marked."""
        from agent_runtime_framework.agents.graph_mermaid import mermaid

        return mermaid(self, path)

    def to_svg(self, path: Iterable[Any] = ()) -> str:
        """The graph as a picture: an SVG document that needs nothing else. A path is marked as in `to_mermaid`."""
        from agent_runtime_framework.agents.graph_svg import svg

        return svg(self, path)

    def to_dict(self, path: Iterable[Any] = ()) -> dict[str, Any]:
        """The graph as JSON data, steps by name; with `path`, the steps taken, when one is given."""
        data: dict[str, Any] = {
            "name": self.name,
            "start": step_name(self.start),
            "steps": [
                {
                    "name": each.name,
                    "tools": list(each.tools),
                    "is_terminal": each.is_terminal,
                    "talks": each.talks,
                    "says": each.says,
                }
                for each in self.steps
            ],
            "moves": [
                {
                    "from": step_name(move.source),
                    "to": None if move.target is None else step_name(move.target),
                    "tool": move.tool,
                    "origin": move.origin,
                    "requires": list(move.requires),
                    "everywhere": move.everywhere,
                }
                for move in self.moves
            ],
        }
        taken = [step_name(step) for step in path]
        if taken:
            data["path"] = taken
        return data


def step_name(step: Any) -> str:
    """A step as people read it: its name in the enum."""
    name = getattr(step, "name", None)
    return name if isinstance(name, str) else str(step)
