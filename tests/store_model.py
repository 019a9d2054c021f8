"""The store contract in a few lines, for one conversation, when no lease runs out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agent_runtime_core.interfaces import Answered, Checkpoint, Removal, Waiting

__all__ = ["Model", "Receipt", "Snapshot", "Waiter"]


@dataclass
class Waiter:
    """A message in line."""

    message_id: str
    message: Any
    remember: bool
    merges: bool


@dataclass
class Receipt:
    """A message in the history, and where its answer ends."""

    position: int
    remember: bool
    end: int | None = None
    result: Any = None


@dataclass(frozen=True)
class Snapshot:
    """A version."""

    messages: list[Any]
    states: dict[str, Any]
    changed: tuple[str, ...]


@dataclass
class Model:
    """A conversation."""

    version: int = 0
    states: dict[str, Any] = field(default_factory=dict)
    messages: list[Any] = field(default_factory=list)
    snapshots: dict[int, Snapshot] = field(default_factory=dict)
    line: list[Waiter] = field(default_factory=list)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    running: str | None = None

    def write(self, *changed: str) -> int:
        self.version += 1
        self.snapshots[self.version] = Snapshot(list(self.messages), dict(self.states), changed)
        return self.version

    def checkpoint(self, agent_key: str, count: int | None, version: int | None = None) -> Checkpoint | None:
        """What a reader gets; None when the version is not kept."""
        messages, states = self.messages, self.states
        if version not in (None, self.version):
            if version not in self.snapshots:
                return None
            messages, states = self.snapshots[version].messages, self.snapshots[version].states
        return Checkpoint(
            version=self.version if version is None else version,
            state=states.get(agent_key),
            messages=messages[-count:] if count else ([] if count == 0 else messages),
            message_count=len(messages),
        )

    def begin(self, waiter: Waiter, *, reject: bool) -> Waiting | Answered | int:
        """The answer; for a run that begins, how many messages were placed."""
        message_id = waiter.message_id
        receipt = self.receipts.get(message_id)
        if receipt is not None and receipt.end is not None:
            if not receipt.remember:
                del self.receipts[message_id]
            behind = self.messages[receipt.position + 1 : receipt.end]
            return Answered(version=self.version, messages=behind, result=receipt.result)
        place = next((n for n, each in enumerate(self.line) if each.message_id == message_id), None)
        ahead = len(self.line) if place is None else place
        if receipt is not None:
            ahead = 0
        if self.running is not None or ahead:
            if receipt is None and place is None and not reject:
                self.line.append(waiter)
            return Waiting(ahead=ahead)
        self.running = message_id
        if receipt is not None:
            return 0
        leaving = [waiter]
        if place is not None:
            leaving = [self.line.pop(0)]
            while self.line and self.line[0].merges:
                leaving.append(self.line.pop(0))
        for each in leaving:
            self.receipts[each.message_id] = Receipt(len(self.messages), each.remember)
            self.messages.append(each.message)
        self.write()
        return len(leaving)

    def finish(self, result: Any) -> None:
        """End the run with the messages that are there."""
        assert self.running is not None
        if self.running in self.receipts and not self.receipts[self.running].remember:
            del self.receipts[self.running]
        for receipt in self.receipts.values():
            if receipt.end is None:
                receipt.end, receipt.result = len(self.messages), result
        self.running = None

    def rewind(self, version: int) -> int:
        """Go back to a version that is kept."""
        kept = self.snapshots[version]
        self.messages, self.states = list(kept.messages), dict(kept.states)
        self.snapshots = {each: snapshot for each, snapshot in self.snapshots.items() if each <= version}
        count = len(self.messages)
        self.receipts = {each: receipt for each, receipt in self.receipts.items() if receipt.position < count}
        for receipt in self.receipts.values():
            if receipt.end is not None and receipt.end > count:
                receipt.end, receipt.result = None, None
        return self.write()

    def fork(self, version: int) -> Model:
        """A copy as it was at a version that is kept."""
        kept = self.snapshots[version]
        snapshots = {each: snapshot for each, snapshot in self.snapshots.items() if each <= version}
        return Model(version=version, states=dict(kept.states), messages=list(kept.messages), snapshots=snapshots)

    def delete_messages(self) -> int:
        """Remove the messages."""
        count = len(self.messages)
        if count:
            self.messages, self.snapshots = [], {}
            self.receipts = {each: receipt for each, receipt in self.receipts.items() if receipt.end is not None}
            for receipt in self.receipts.values():
                receipt.position = receipt.end = 0
            self.write()
        return count

    def removal(self) -> Removal:
        """What goes with it."""
        return Removal(conversations=1, messages=len(self.messages), states=len(self.states), waiting=len(self.line))
