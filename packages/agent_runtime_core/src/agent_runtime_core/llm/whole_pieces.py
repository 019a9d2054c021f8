"""Streamed text without half characters: servers that count in UTF-16 cut an emoji in two."""

from __future__ import annotations

from agent_runtime_core.messages import whole_text

__all__ = ["WholePieces"]


class WholePieces:
    """Puts together what was cut between two pieces of one text, so that each piece can be printed and sent on."""

    __slots__ = ("half",)

    def __init__(self) -> None:
        self.half = ""
        """The first half of a character whose second half has not come."""

    def joined(self, piece: str) -> str:
        """The piece with the half that the one before it had left, and without the one that it leaves itself."""
        text = self.half + piece
        self.half = text[-1] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return whole_text(text[:-1] if self.half else text)

    def rest(self) -> str:
        """What stands for a half that has stayed alone; empty when there is none."""
        return "\ufffd" if self.half else ""
