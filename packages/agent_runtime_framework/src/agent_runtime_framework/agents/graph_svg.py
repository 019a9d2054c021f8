"""A journey's graph as SVG, drawn without a browser or another program."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

from agent_runtime_framework.agents.graph import JourneyGraph
from agent_runtime_framework.agents.graph_layout import LINE, PlacedArrow, PlacedBox, Point, laid_out
from agent_runtime_framework.agents.graph_picture import picture_of

__all__ = ["svg"]

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_RADIUS = 6.0

_STYLE = """
text { font: 13px ui-sans-serif, system-ui, "DejaVu Sans", sans-serif; fill: #1f2328; dominant-baseline: central; }
.title { font-weight: 600; }
.line { fill: #57606a; }
.label { paint-order: stroke; stroke: #ffffff; stroke-width: 5px; stroke-linejoin: round; }
.box { fill: #f6f8fa; stroke: #57606a; stroke-width: 1.2; }
.inner { fill: none; stroke: #57606a; stroke-width: 1.2; }
.aside { fill: #ffffff; stroke-dasharray: 4 3; }
.arrow { fill: none; stroke: #57606a; stroke-width: 1.3; }
.guess { stroke-dasharray: 5 4; }
.box.taken { fill: #d7ecff; stroke: #0b5cad; stroke-width: 2; }
.box.last { stroke-width: 4; }
.arrow.taken { stroke: #0b5cad; stroke-width: 2.6; }
.label.taken { fill: #0b5cad; }
"""


def svg(graph: JourneyGraph, path: Iterable[Any] = ()) -> str:
    """The graph as an SVG document; see `JourneyGraph.to_svg`."""
    layout = laid_out(picture_of(graph, path))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{layout.width:.0f}" height="{layout.height:.0f}" '
        f'viewBox="0 0 {layout.width:.0f} {layout.height:.0f}" role="img">',
        f"<title>{_text(graph.name)}</title>",
        f"<style>{_STYLE}</style>",
        "<defs>",
        _head("head", "#57606a"),
        _head("head-taken", "#0b5cad"),
        "</defs>",
        f'<rect width="{layout.width:.0f}" height="{layout.height:.0f}" fill="#ffffff"/>',
        *map(_arrow, sorted(layout.arrows, key=lambda placed: placed.arrow.is_taken)),
        *map(_box, layout.boxes),
        *map(_label, layout.arrows),
        "</svg>",
    ]
    return "\n".join(filter(None, parts)) + "\n"


def _head(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0 L10,5 L0,10 z" fill="{colour}"/></marker>'
    )


def _box(placed: PlacedBox) -> str:
    box = placed.box
    names = ["box", "" if box.is_real else "aside", "taken" if box.is_taken else "", "last" if box.is_last else ""]
    radius = placed.height / 2 if box.is_start else 5
    parts = [_rectangle(placed, " ".join(filter(None, names)), radius, 0)]
    if box.is_terminal:
        parts.append(_rectangle(placed, "inner", max(radius - 3, 2), 3))
    for number, text in enumerate([box.title, *box.lines]):
        y = placed.y + 8 + LINE * (number + 0.5)
        kind = "line" if number else "title"
        parts.append(
            f'<text class="{kind}" x="{placed.middle:.1f}" y="{y:.1f}" text-anchor="middle">{_text(text)}</text>'
        )
    return "\n".join(parts)


def _rectangle(placed: PlacedBox, names: str, radius: float, inset: float) -> str:
    return (
        f'<rect class="{names}" x="{placed.x + inset:.1f}" y="{placed.y + inset:.1f}" '
        f'width="{placed.width - 2 * inset:.1f}" height="{placed.height - 2 * inset:.1f}" rx="{radius:.1f}"/>'
    )


def _arrow(placed: PlacedArrow) -> str:
    arrow = placed.arrow
    names = ["arrow", "" if arrow.is_known else "guess", "taken" if arrow.is_taken else ""]
    head = "head-taken" if arrow.is_taken else "head"
    way = _curve(placed.points) if placed.is_curve else _corners(placed.points)
    return f'<path class="{" ".join(filter(None, names))}" d="{way}" marker-end="url(#{head})"/>'


def _curve(points: list[Point]) -> str:
    """From the first point down to the second in a curve, and from below the label on."""
    (x, y), (to_x, to_y), (_, below), (_, end) = points
    half = (y + to_y) / 2
    curve = f"M{x:.1f},{y:.1f} C{x:.1f},{half:.1f} {to_x:.1f},{half:.1f} {to_x:.1f},{to_y:.1f}"
    return f"{curve} {'L' if below == to_y else 'M'}{to_x:.1f},{below:.1f} L{to_x:.1f},{end:.1f}"


def _corners(points: list[Point]) -> str:
    """Along the points, with rounded corners."""
    way = f"M{points[0][0]:.1f},{points[0][1]:.1f}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        start, end = _towards(corner, before), _towards(corner, after)
        way += f" L{start[0]:.1f},{start[1]:.1f} Q{corner[0]:.1f},{corner[1]:.1f} {end[0]:.1f},{end[1]:.1f}"
    return f"{way} L{points[-1][0]:.1f},{points[-1][1]:.1f}"


def _towards(corner: Point, other: Point) -> Point:
    """A little way from a corner to another point; at most half of it."""
    across, down = other[0] - corner[0], other[1] - corner[1]
    length = max(abs(across), abs(down))
    share = min(_RADIUS, length / 2) / length if length else 0
    return corner[0] + across * share, corner[1] + down * share


def _label(placed: PlacedArrow) -> str:
    x, y = placed.label_at
    anchor = "middle" if placed.label_is_centred else "start"
    names = "label taken" if placed.arrow.is_taken else "label"
    return "\n".join(
        f'<text class="{names}" x="{x:.1f}" y="{y + LINE * number:.1f}" text-anchor="{anchor}">{_text(label)}</text>'
        for number, label in enumerate(placed.arrow.labels)
    )


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text))
