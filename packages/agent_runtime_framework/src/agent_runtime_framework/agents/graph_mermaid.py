"""A journey's graph as Mermaid, the notation that many sites and editors draw."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from agent_runtime_framework.agents.graph import JourneyGraph
from agent_runtime_framework.agents.graph_picture import Box, picture_of

__all__ = ["mermaid"]

_NOT_PLAIN = re.compile(r"[^\w .,!?()\[\]/+=-]")


def mermaid(graph: JourneyGraph, path: Iterable[Any] = ()) -> str:
    """The graph as a Mermaid flowchart; see `JourneyGraph.to_mermaid`."""
    picture = picture_of(graph, path)
    lines = ["flowchart TD"]
    for number, box in enumerate(picture.boxes):
        lines.append(f"    s{number}{_shape(box)}")
    taken: list[int] = []
    for number, arrow in enumerate(picture.arrows):
        label = "<br/>".join(map(_escaped, arrow.labels))
        label = f'|"{label}"|' if label else ""
        line = "-->" if arrow.is_known else "-.->"
        lines.append(f"    s{arrow.source} {line}{label} s{arrow.target}")
        if arrow.is_taken:
            taken.append(number)
    marked = [number for number, box in enumerate(picture.boxes) if box.is_taken]
    if marked:
        lines.append("    classDef taken fill:#d7ecff,stroke:#0b5cad,stroke-width:2px")
        lines.append(f"    class {','.join(f's{number}' for number in marked)} taken")
        last = next((number for number, box in enumerate(picture.boxes) if box.is_last), None)
        if last is not None:
            lines.append(f"    style s{last} stroke-width:4px")
    if taken:
        lines.append(f"    linkStyle {','.join(map(str, taken))} stroke:#0b5cad,stroke-width:3px")
    return "\n".join(lines) + "\n"


def _shape(box: Box) -> str:
    """A box with its text; the start is rounded, the end doubly framed, what is no step a circle or a lozenge."""
    text = "<br/>".join(map(_escaped, filter(None, [box.title, *box.lines]))) or " "
    if not box.is_real:
        return f'{{{{"{text}"}}}}'
    if box.is_terminal:
        return f'[["{text}"]]'
    return f'(["{text}"])' if box.is_start else f'["{text}"]'


def _escaped(text: str) -> str:
    """The text with all that Mermaid might take for its own as an entity."""
    return _NOT_PLAIN.sub(lambda found: f"#{ord(found.group())};", " ".join(text.split()))
