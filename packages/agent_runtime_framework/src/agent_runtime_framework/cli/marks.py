"""The signs that the terminal shows, for outputs that know them and for those that do not."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Marks", "marks_for"]


@dataclass(frozen=True, kw_only=True)
class Marks:
    """One sign for each thing that is shown."""

    passed: str
    """A step that the journey has passed."""
    current: str
    """The step it stands at."""
    ahead: str
    """A step it has not been at."""
    arrow: str
    """Between two steps."""
    tool: str
    """In front of a tool call."""
    ok: str
    """A tool call that did its work."""
    failed: str
    """A tool call that did not."""
    dot: str
    """Between two facts on one line."""


_UNICODE = Marks(passed="✓", current="●", ahead="○", arrow="→", tool="·", ok="✓", failed="✗", dot="·")
_ASCII = Marks(passed="[x]", current="[*]", ahead="[ ]", arrow="->", tool="-", ok="ok", failed="!", dot="-")


def marks_for(encoding: str | None) -> Marks:
    """The signs for an output of this encoding: only UTF-8 surely has them all."""
    return _UNICODE if (encoding or "").lower().replace("-", "").replace("_", "") == "utf8" else _ASCII
