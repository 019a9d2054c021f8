"""What a picture of a journey shows: boxes and arrows, before anybody says how they are drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from agent_runtime_framework.agents.graph import GraphStep, JourneyGraph, Move, step_name

__all__ = ["ANYWHERE", "NOBODY_KNOWS", "Arrow", "Box", "Picture", "picture_of"]

ANYWHERE = "any step"
"""The box that stands for every step at which the journey is not over."""
NOBODY_KNOWS = "?"
"""The box that a move leads to when nobody knows where."""

_LONGEST_SAYING = 32


@dataclass(slots=True)
class Box:
    """A step, or what stands for several."""

    title: str
    """Its heading: the step's name."""
    lines: list[str] = field(default_factory=list)
    """What stands below: fixed words, and the tools that stay."""
    is_start: bool = False
    """Whether the journey begins here."""
    is_terminal: bool = False
    """Whether it is over here."""
    is_real: bool = True
    """Whether it is a step."""
    is_taken: bool = False
    """Whether the path has been here."""
    is_last: bool = False
    """Whether the path ends here."""


@dataclass(slots=True)
class Arrow:
    """All moves from one box to another."""

    source: int
    """Number of the box it leaves."""
    target: int
    """Number of the box it leads to."""
    labels: list[str] = field(default_factory=list)
    """The tools that make the move."""
    is_taken: bool = False
    """Whether the path has gone this way."""
    is_known: bool = True
    """Whether the journey says that there is this way."""


@dataclass(slots=True)
class Picture:
    """Boxes in the order of the steps, and arrows between them."""

    boxes: list[Box]
    """The boxes."""
    arrows: list[Arrow]
    """The arrows, at most one from one box to another."""


def picture_of(graph: JourneyGraph, path: Iterable[Any] = ()) -> Picture:
    """The picture of a graph with the steps of a path, and the ways between them, marked.

    A way that the path has gone and the graph does not know is there, too, as one that is not known.
    """
    taken = list(path)
    boxes = [_box(graph, each) for each in graph.steps]
    numbers: dict[Any, int] = {each.step: number for number, each in enumerate(graph.steps)}
    arrows: dict[tuple[int, int], Arrow] = {}

    def number_of(key: str) -> int:
        if key not in numbers:
            numbers[key] = len(boxes)
            boxes.append(Box(key, is_real=False))
        return numbers[key]

    def arrow(source: int, target: int, label: str | None, *, is_known: bool = True) -> Arrow:
        found = arrows.get((source, target))
        if found is None:
            found = arrows[source, target] = Arrow(source, target, is_known=is_known)
        if label is not None and label not in found.labels:
            found.labels.append(label)
        return found

    for move in graph.moves:
        source = number_of(ANYWHERE) if move.everywhere else numbers[move.source]
        target = number_of(NOBODY_KNOWS) if move.target is None else numbers[move.target]
        arrow(source, target, _label(move), is_known=move.target is not None)
    moving = {move.tool for move in graph.moves if move.everywhere}
    staying = [name for name in graph.tools_everywhere if name not in moving]
    if staying:
        boxes[number_of(ANYWHERE)].lines.extend(staying)
    for step in taken:
        if step in numbers:
            boxes[numbers[step]].is_taken = True
    if taken and taken[-1] in numbers:
        boxes[numbers[taken[-1]]].is_last = True
    for before, after in pairwise(taken):
        if before in numbers and after in numbers:
            _take(graph, before, after, numbers, arrows, arrow)
    return Picture(boxes, list(arrows.values()))


def _take(graph: JourneyGraph, before: Any, after: Any, numbers: Any, arrows: Any, arrow: Any) -> None:
    """Mark the way from one step to the next of a path."""
    source, target = numbers[before], numbers[after]
    if (source, target) in arrows:
        arrows[source, target].is_taken = True
        return
    if any(move.everywhere and move.target == after for move in graph.moves_from(before)):
        arrows[numbers[ANYWHERE], target].is_taken = True
        return
    arrow(source, target, None, is_known=False).is_taken = True


def _box(graph: JourneyGraph, known: GraphStep) -> Box:
    moving = {move.tool for move in graph.moves_from(known.step)}
    staying = [name for name in known.tools if name not in moving and name not in graph.tools_everywhere]
    lines = [f"\N{LEFT DOUBLE QUOTATION MARK}{_shortened(known.says)}\N{RIGHT DOUBLE QUOTATION MARK}"] * bool(
        known.says
    )
    return Box(step_name(known.step), [*lines, *staying], is_start=known.is_start, is_terminal=known.is_terminal)


def _label(move: Move) -> str:
    if move.tool is None:
        return "speaks"
    return f"{move.tool} [{', '.join(move.requires)}]" if move.requires else move.tool


def _shortened(text: str | None) -> str:
    words = " ".join((text or "").split())
    return words if len(words) <= _LONGEST_SAYING else f"{words[: _LONGEST_SAYING - 1]}\N{HORIZONTAL ELLIPSIS}"
