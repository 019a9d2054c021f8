"""What an expression of a tool's source may come to, as far as it matters for moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

__all__ = ["ANYTHING", "Mark", "Table", "Thing", "Values", "union"]


class Mark(Enum):
    """What a name may stand for that is no step."""

    TOOLS = "the tools object"
    STATE = "the state"
    UNKNOWN = "anything"


Values = frozenset[Any]
"""What an expression may come to: steps, containers of steps, marks."""
ANYTHING: Values = frozenset({Mark.UNKNOWN})
"""What is known of an expression that nothing is known of."""


@dataclass(frozen=True, slots=True)
class Table:
    """A dict or a list, of which one entry is taken."""

    values: Values
    """What its entries may be."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A class or a module."""

    value: Any
    """It."""


def union(values: Iterable[Values]) -> Values:
    """All of them together."""
    return frozenset().union(*values)
