"""Where the boxes and arrows of a journey's picture lie: in layers from top to bottom, no arrow through a box.

Arrows to the next layer go straight there. All others (back, across, over several layers) leave through the gap below
their box, run along a lane of their own at the right, and come back through the gap above the box they lead to.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import pairwise

from agent_runtime_framework.agents.graph_picture import Arrow, Box, Picture

__all__ = ["LINE", "Layout", "PlacedArrow", "PlacedBox", "Point", "laid_out"]

LINE = 16.0
"""Height of a line of text, in pixels, as all lengths here."""
_LETTER = 7.3
_BOLD = 1.15  # how much wider a heading is
_BETWEEN_BOXES = 36.0
_TRACK = 9.0  # between two arrows that run beside each other
_FALL = 34.0  # at least, between a box and the labels below it
_MARGIN = 20.0

Point = tuple[float, float]


@dataclass(slots=True)
class PlacedBox:
    """A box and where it lies."""

    box: Box
    """The box."""
    width: float
    """How wide it is."""
    height: float
    """How high it is."""
    x: float = 0.0
    """Its left edge."""
    y: float = 0.0
    """Its upper edge."""
    beside: float = 0.0
    """The room right of it that its own loop takes."""

    @property
    def middle(self) -> float:
        """Half way between its left and its right edge."""
        return self.x + self.width / 2


@dataclass(slots=True)
class PlacedArrow:
    """An arrow and its way."""

    arrow: Arrow
    """The arrow."""
    points: list[Point]
    """Where it goes along; corners are to be rounded."""
    label_at: Point
    """The middle of the first line of its label, or that line's beginning."""
    label_is_centred: bool = True
    """Whether `label_at` is the middle of the line."""
    is_curve: bool = False
    """Whether the way from the first point to the second is a curve, and its label stands between the next two."""


@dataclass(slots=True)
class Layout:
    """A picture with all its places."""

    boxes: list[PlacedBox]
    """The boxes."""
    arrows: list[PlacedArrow]
    """The arrows."""
    width: float = 0.0
    """Width of the whole."""
    height: float = 0.0
    """Height of the whole."""


@dataclass(slots=True)
class _Gap:
    """The room between two layers: arrows out of the upper one, labels, arrows into the lower one."""

    leaving: int = 0
    entering: int = 0
    label_lines: int = 0
    top: float = 0.0
    used_leaving: int = 0
    used_entering: int = 0

    @property
    def labels_at(self) -> float:
        return self.top + max(_FALL, 12 + self.leaving * _TRACK)

    @property
    def entries_at(self) -> float:
        return self.labels_at + self.label_lines * LINE + (4 if self.label_lines else 0)

    @property
    def bottom(self) -> float:
        return self.entries_at + 14 + self.entering * _TRACK

    def next_leaving(self) -> float:
        self.used_leaving += 1
        return self.top + 2 + self.used_leaving * _TRACK

    def next_entering(self) -> float:
        self.used_entering += 1
        return self.entries_at + (self.used_entering - 1) * _TRACK + 4


def laid_out(picture: Picture) -> Layout:
    """Find a place for everything."""
    layers = _layers(picture)
    return _Placement(picture, layers).done()


def _text_width(text: str) -> float:
    """About how wide a text is; the picture is drawn with whatever font there is."""
    return sum(_LETTER * (1.8 if unicodedata.east_asian_width(letter) in "WF" else 1) for letter in text)


class _Placement:
    """The places of one picture.

    Args:
        picture: The boxes and arrows.
        layers: The layer of each box.
    """

    def __init__(self, picture: Picture, layers: list[int]) -> None:
        self._layer_of = layers
        self._arrows = picture.arrows
        self._boxes = [_sized(box) for box in picture.boxes]
        self._gaps = [_Gap() for _ in range(max(layers, default=0) + 2)]  # gap n lies above layer n
        self._straight = [arrow for arrow in self._arrows if layers[arrow.target] == layers[arrow.source] + 1]
        self._loops = [arrow for arrow in self._arrows if arrow.source == arrow.target]
        around = [arrow for arrow in self._arrows if arrow not in self._straight and arrow not in self._loops]
        self._around = sorted(around, key=lambda arrow: abs(layers[arrow.target] - layers[arrow.source]))
        self._rows = self._ordered()

    def done(self) -> Layout:
        """The layout."""
        self._measure()
        right = self._place_boxes()
        placed: list[PlacedArrow] = [*self._place_straight(), *self._place_loops()]
        lane = right + _MARGIN
        for arrow in self._around:
            placed.append(self._place_around(arrow, lane))
            lane += max([_text_width(label) for label in arrow.labels], default=0) + 26
        width = (lane if self._around else right) + _MARGIN
        last = self._gaps[-1]
        return Layout(self._boxes, placed, width, (last.bottom if last.leaving else last.top) + _MARGIN / 2)

    def _ordered(self) -> list[list[int]]:
        """The boxes of each layer from left to right: each near those it is reached from."""
        rows: list[list[int]] = [[] for _ in range(max(self._layer_of, default=0) + 1)]
        for number, layer in enumerate(self._layer_of):
            rows[layer].append(number)
        for _ in range(4):
            for above, row in pairwise(rows):
                place = {number: index / max(len(above) - 1, 1) for index, number in enumerate(above)}
                weights = {}
                for number in row:
                    sources = [place[each.source] for each in self._straight if each.target == number]
                    weights[number] = sum(sources) / len(sources) if sources else 0.5
                row.sort(key=lambda number: weights[number])
        return rows

    def _measure(self) -> None:
        """How much room the labels and the arrows in the gaps take."""
        for arrow in self._straight:
            gap = self._gaps[self._layer_of[arrow.target]]
            gap.label_lines = max(gap.label_lines, len(arrow.labels))
        for arrow in self._around:
            self._gaps[self._layer_of[arrow.source] + 1].leaving += 1
            self._gaps[self._layer_of[arrow.target]].entering += 1
        for number, placed in enumerate(self._boxes):
            entries = self._entries(number)
            placed.width = max(placed.width, sum(map(self._room, entries)))
        for arrow in self._loops:
            placed = self._boxes[arrow.source]
            placed.beside = 34 + max([_text_width(label) for label in arrow.labels], default=0)

    def _entries(self, number: int) -> list[Arrow]:
        """The arrows that come into a box from above, from left to right: those of the lanes last."""
        straight = [arrow for arrow in self._straight if arrow.target == number]
        straight.sort(key=lambda arrow: self._rows[self._layer_of[arrow.source]].index(arrow.source))
        return [*straight, *(arrow for arrow in self._around if arrow.target == number)]

    def _exits(self, number: int) -> list[Arrow]:
        straight = [arrow for arrow in self._straight if arrow.source == number]
        straight.sort(key=lambda arrow: self._rows[self._layer_of[arrow.target]].index(arrow.target))
        return [*straight, *(arrow for arrow in self._around if arrow.source == number)]

    def _place_boxes(self) -> float:
        """Give each box its place, each layer centred; returns where the widest one ends."""
        widths = [sum(self._boxes[n].width + self._boxes[n].beside for n in row) for row in self._rows]
        widths = [width + _BETWEEN_BOXES * (len(row) - 1) for width, row in zip(widths, self._rows, strict=True)]
        widest = max(widths, default=0)
        y = _MARGIN / 2
        for layer, row in enumerate(self._rows):
            gap = self._gaps[layer]
            gap.top = y
            y = gap.bottom if layer or gap.entering else y + 10
            x = _MARGIN + (widest - widths[layer]) / 2
            for number in row:
                placed = self._boxes[number]
                placed.x, placed.y = x, y
                x += placed.width + placed.beside + _BETWEEN_BOXES
            y += max(self._boxes[number].height for number in row)
        self._gaps[-1].top = y
        return _MARGIN + widest

    def _entry(self, arrow: Arrow) -> Point:
        target = self._boxes[arrow.target]
        entries = self._entries(arrow.target)
        rooms = [self._room(each) for each in entries]
        x = target.middle - sum(rooms) / 2
        for each, room in zip(entries, rooms, strict=True):
            if each is arrow:
                return x + room / 2, target.y
            x += room
        raise LookupError("an arrow that leads to no box")

    def _exit(self, arrow: Arrow) -> Point:
        source = self._boxes[arrow.source]
        exits = self._exits(arrow.source)
        share = source.width / (len(exits) + 1)
        return source.x + share * (exits.index(arrow) + 1), source.y + source.height

    def _room(self, arrow: Arrow) -> float:
        """How much of a box's upper edge an arrow takes: as much as its label, if that stands there."""
        labels = arrow.labels if arrow in self._straight else []
        return max([_text_width(label) for label in labels], default=0) + 14

    def _place_straight(self) -> list[PlacedArrow]:
        placed: list[PlacedArrow] = []
        for arrow in self._straight:
            start, end = self._exit(arrow), self._entry(arrow)
            labels_at = self._gaps[self._layer_of[arrow.target]].labels_at
            below = labels_at + LINE * len(arrow.labels)
            points = [start, (end[0], labels_at), (end[0], below), end]
            placed.append(PlacedArrow(arrow, points, (end[0], labels_at + LINE / 2), is_curve=True))
        return placed

    def _place_loops(self) -> list[PlacedArrow]:
        placed: list[PlacedArrow] = []
        for arrow in self._loops:
            box = self._boxes[arrow.source]
            x, y = box.x + box.width, box.y + box.height / 2
            points = [(x, y - 7), (x + 20, y - 7), (x + 20, y + 7), (x, y + 7)]
            first_line = y - (len(arrow.labels) - 1) * LINE / 2
            placed.append(PlacedArrow(arrow, points, (x + 26, first_line), label_is_centred=False))
        return placed

    def _place_around(self, arrow: Arrow, lane: float) -> PlacedArrow:
        start, end = self._exit(arrow), self._entry(arrow)
        out = self._gaps[self._layer_of[arrow.source] + 1].next_leaving()
        back = self._gaps[self._layer_of[arrow.target]].next_entering()
        points = [start, (start[0], out), (lane, out), (lane, back), (end[0], back), end]
        first_line = (out + back) / 2 - (len(arrow.labels) - 1) * LINE / 2
        return PlacedArrow(arrow, points, (lane + 6, first_line), label_is_centred=False)


def _sized(box: Box) -> PlacedBox:
    widest = max([_text_width(box.title) * _BOLD, *map(_text_width, box.lines)])
    return PlacedBox(box, width=widest + 28, height=LINE * (1 + len(box.lines)) + 16)


def _layers(picture: Picture) -> list[int]:
    """The layer of each box: below all those that lead to it, those aside that only lead back."""
    count = len(picture.boxes)
    leaving: list[list[int]] = [[] for _ in range(count)]
    for arrow in picture.arrows:
        if arrow.source != arrow.target:
            leaving[arrow.source].append(arrow.target)
    order = _downwards(leaving, picture)
    place = {number: index for index, number in enumerate(order)}
    layers = [0] * count
    for number in order:
        for target in leaving[number]:
            if place[target] > place[number]:
                layers[target] = max(layers[target], layers[number] + 1)
    for number, box in enumerate(picture.boxes):
        if not box.is_real and leaving[number]:  # "any step" stands close to what it leads to
            layers[number] = max(0, min(layers[target] for target in leaving[number]) - 1)
    return layers


def _downwards(leaving: list[list[int]], picture: Picture) -> list[int]:
    """The boxes so that each comes after those it is reached from, ways back left aside (depth first, reversed)."""
    seen: set[int] = set()
    finished: list[int] = []
    roots = sorted(range(len(leaving)), key=lambda number: not picture.boxes[number].is_start)
    for root in roots:
        if root in seen:
            continue
        seen.add(root)
        way = [(root, iter(sorted(leaving[root], reverse=True)))]
        while way:
            number, targets = way[-1]
            target = next((each for each in targets if each not in seen), None)
            if target is None:
                finished.append(number)
                way.pop()
            else:
                seen.add(target)
                way.append((target, iter(sorted(leaving[target], reverse=True))))
    return finished[::-1]
