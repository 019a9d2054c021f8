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
    until: float
    seconds: float
    end: int | None = None
    """Where the answer ends; None while there is none."""
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Line:
    """The lease of a conversation, the messages in line, and the receipts of those that have left it."""

    lease: int = 0
    until: float = 0.0
    seconds: float = 0.0
    running_id: str = ""
    """The message that the last run began with; an earlier one's is in the receipts if it is to be remembered."""
    waiting: list[WaitingMessage] = field(default_factory=list)
    receipts: dict[str, Receipt] = field(default_factory=dict)

    def is_busy(self, now: float) -> bool:
        """Whether somebody holds the lease."""
        return self.lease != 0 and is_held(self.until, self.seconds, now)

    def place_of(self, message_id: str) -> int | None:
        """How many messages wait before this one; None when it is not in line."""
        return next((place for place, each in enumerate(self.waiting) if each.message_id == message_id), None)

    def is_first(self, place: int, now: float) -> bool:
        """Whether nobody is waited for any more who stands before this place."""
        return not any(is_held(each.until, each.seconds, now) for each in self.waiting[:place])

    def leave(self, place: int) -> list[WaitingMessage]:
        """Take out of the line whoever goes with the message at this place, in order."""
        end = place + 1
        while end < len(self.waiting) and self.waiting[end].merges:
            end += 1
        leaving, self.waiting = self.waiting[:end], self.waiting[end:]
        return leaving

    def forget_fetched(self, now: float) -> None:
        """Drop the answers that nobody waits for and nobody wants remembered."""
        gone = [
            message_id
            for message_id, receipt in self.receipts.items()
            if not receipt.remember and not is_held(receipt.until, receipt.seconds, now)
        ]
        for message_id in gone:
            del self.receipts[message_id]
