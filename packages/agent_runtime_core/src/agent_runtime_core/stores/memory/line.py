"""Who is on, who waits, and what was answered in one conversation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agent_runtime_core.stores.lease import is_held
from agent_runtime_core.stores.memory.kept_message import KeptMessage

__all__ = ["Line", "Receipt", "WaitingMessage"]


@dataclass(slots=True)
class WaitingMessage:
    """A message in line."""

    message_id: str
    message: KeptMessage
    remember: bool
    merges: bool
    until: float
    seconds: float


@dataclass(slots=True)
class Receipt:
    """A message in the history whose id may come again."""

    position: int
    remember: bool
    end: int | None = None
    """Where the answer ends; None while there is none."""
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Line:
    """The lease of a conversation, the messages in line, and the receipts of those that have left it."""

    lease: int = 0
    until: float = 0.0
    seconds: float = 0.0
    running_id: str | None = None
    """The message that the last run began with, until that run has finished."""
    waiting: list[WaitingMessage] = field(default_factory=list)
    receipts: dict[str, Receipt] = field(default_factory=dict)

    def is_busy(self, now: float) -> bool:
        """Whether somebody holds the lease."""
        return self.lease != 0 and is_held(self.until, self.seconds, now)

    def place_of(self, message_id: str) -> int | None:
        """How many messages wait before this one; None when it is not in line."""
        for place, each in enumerate(self.waiting):
            if each.message_id == message_id:
                return place
        return None

    def is_first(self, place: int, now: float) -> bool:
        """Whether nobody is waited for any more who stands before this place."""
        return not place or not any(is_held(each.until, each.seconds, now) for each in self.waiting[:place])

    def leave(self, place: int) -> list[WaitingMessage]:
        """Take out of the line whoever goes with the message at this place, in order."""
        end = place + 1
        while end < len(self.waiting) and self.waiting[end].merges:
            end += 1
        leaving, self.waiting = self.waiting[:end], self.waiting[end:]
        return leaving

    def finish(self, end: int, result: dict[str, Any]) -> None:
        """End the run that is on: all messages that have left the line are answered, up to this position."""
        own = None if self.running_id is None else self.receipts.get(self.running_id)
        if own is not None and not own.remember:
            del self.receipts[self.running_id or ""]  # whoever finishes knows the answer
        for receipt in self.receipts.values():
            if receipt.end is None:
                receipt.end, receipt.result = end, result
        self.end_lease()

    def end_lease(self) -> None:
        """Let nobody hold the lease."""
        self.lease, self.until, self.running_id = 0, 0.0, None
