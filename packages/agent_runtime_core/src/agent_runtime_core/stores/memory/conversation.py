"""One conversation in memory: what each call of a store comes to, without locks and names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from agent_runtime_core.errors import LeaseLost, StoreConflict, VersionNotFound
from agent_runtime_core.interfaces.checkpoint import Checkpoint, ConversationInfo, Removal, VersionInfo
from agent_runtime_core.interfaces.turns import Answered, Begun, OnBusy, TurnAnswer, Waiting
from agent_runtime_core.stores.json_data import fresh_copy
from agent_runtime_core.stores.lease import new_lease
from agent_runtime_core.stores.memory.kept_message import KeptMessage, given
from agent_runtime_core.stores.memory.line import Line, Receipt, WaitingMessage

__all__ = ["Conversation"]

_StateRow = tuple[int, int, dict[str, Any] | None]  # version, the journey's version, state (None: removed)


class Conversation:
    """Messages, states, versions and the line of one conversation.

    Args:
        owner: Whose it is.
        conversation_id: Names it.
        now: The time, in seconds since 1970.
        keep_versions: How many versions can be gone back to; None keeps all.
    """

    __slots__ = (
        "_created",
        "_id",
        "_keep_versions",
        "_owner",
        "_states",
        "_updated",
        "_versions",
        "line",
        "messages",
        "version",
    )

    def __init__(self, owner: str, conversation_id: str, now: float, keep_versions: int | None) -> None:
        self._owner = owner
        self._id = conversation_id
        self._created = self._updated = now
        self._keep_versions = keep_versions
        self._states: dict[str, list[_StateRow]] = {}
        self._versions: list[tuple[int, int, float]] = []  # version, number of messages, time
        self.line = Line()
        self.messages: list[KeptMessage] = []
        self.version = 0

    # Reading.

    def checkpoint(self, agent_key: str, max_messages: int | None, at_version: int | None = None) -> Checkpoint:
        """The conversation now, or as a version left it."""
        count, version = len(self.messages), self.version
        if at_version is not None and at_version != version:
            version, count = at_version, self._count_at(at_version)
        first = 0 if max_messages is None else max(0, count - max_messages)
        _, state_version, state = self._state_at(agent_key, version)
        return Checkpoint(
            version=version,
            state=None if state is None else fresh_copy(state),
            state_version=state_version,
            messages=[given(message) for message in self.messages[first:count]],
            message_count=count,
        )

    def info(self) -> ConversationInfo:
        """What is told of it in a list."""
        return ConversationInfo(
            conversation_id=self._id,
            owner=self._owner,
            version=self.version,
            message_count=len(self.messages),
            agent_keys=tuple(sorted(key for key, rows in self._states.items() if rows[-1][2] is not None)),
            created_at=_utc(self._created),
            updated_at=_utc(self._updated),
        )

    def versions(self) -> list[VersionInfo]:
        """Its commits, oldest first."""
        return [
            VersionInfo(
                version=version,
                message_count=count,
                committed_at=_utc(at),
                agent_keys=tuple(
                    sorted(key for key, rows in self._states.items() if any(row[0] == version for row in rows))
                ),
            )
            for version, count, at in self._versions
        ]

    def removal(self) -> Removal:
        """What goes when it goes."""
        return Removal(
            conversations=1,
            messages=len(self.messages),
            states=sum(rows[-1][2] is not None for rows in self._states.values()),
            waiting=len(self.line.waiting),
        )

    def _count_at(self, version: int) -> int:
        for each, count, _ in self._versions:
            if each == version:
                return count
        raise VersionNotFound(self._id, version)

    def _state_at(self, agent_key: str, version: int) -> _StateRow:
        for row in reversed(self._states.get(agent_key, ())):
            if row[0] <= version:
                return row if row[2] is not None else (row[0], 0, None)
        return (0, 0, None)

    # Runs.

    def begin(
        self,
        agent_key: str,
        message: WaitingMessage,
        on_busy: OnBusy,
        max_messages: int | None,
        now: float,
    ) -> TurnAnswer:
        """See `CheckpointStore.begin`."""
        line, message_id = self.line, message.message_id
        receipt = line.receipts.get(message_id)
        if receipt is not None and receipt.end is not None:
            return self._answer(message_id, receipt)
        was_placed = receipt is not None
        place = line.place_of(message_id)
        if place is not None:
            line.waiting[place].until, line.waiting[place].seconds = message.until, message.seconds
        ahead = len(line.waiting) if place is None else place
        if line.is_busy(now) or not (was_placed or line.is_first(ahead, now)):
            if was_placed:
                return Waiting(ahead=0)
            if place is None and on_busy != "reject":
                line.waiting.append(message)
            return Waiting(ahead=ahead)
        placed = 0
        if not was_placed:
            if place is None:
                line.waiting.append(message)
            placed = self._place(line.leave(ahead), now)
        line.lease, line.until, line.seconds, line.running_id = new_lease(), message.until, message.seconds, message_id
        return Begun(lease=line.lease, checkpoint=self.checkpoint(agent_key, max_messages), placed=placed)

    def _answer(self, message_id: str, receipt: Receipt) -> Answered:
        if not receipt.remember:
            del self.line.receipts[message_id]
        return Answered(
            version=self.version,
            messages=[given(message) for message in self.messages[receipt.position + 1 : receipt.end]],
            result=fresh_copy(receipt.result),
        )

    def _place(self, leaving: list[WaitingMessage], now: float) -> int:
        for each in leaving:
            self.line.receipts[each.message_id] = Receipt(len(self.messages), each.remember)
            self.messages.append(each.message)
        self._commit(now)
        return len(leaving)

    def check(self, expected_version: int | None, lease: int | None) -> None:
        """Make sure that a commit may be written.

        Raises:
            LeaseLost: The lease is not the present one.
            StoreConflict: The version is another.
        """
        if lease is not None and lease != self.line.lease:
            raise LeaseLost(self._id, expected_version, self.version)
        if expected_version is not None and expected_version != self.version:
            raise StoreConflict(self._id, expected_version, self.version)

    def commit(
        self,
        agent_key: str,
        state: tuple[int, dict[str, Any]] | None,
        messages: list[KeptMessage],
        finish: dict[str, Any] | None,
        now: float,
    ) -> int:
        """Write what was checked, and return the new version."""
        if state is not None:
            self._states.setdefault(agent_key, []).append((self.version + 1, *state))
        self.messages += messages
        if finish is not None:
            self.line.finish(len(self.messages), finish)
        return self._commit(now)

    def _commit(self, now: float) -> int:
        self.version += 1
        self._updated = now
        self._versions.append((self.version, len(self.messages), now))
        if self._keep_versions is not None and len(self._versions) > self._keep_versions:
            del self._versions[: -self._keep_versions]
            first = self._versions[0][0]
            for rows in self._states.values():
                while len(rows) > 1 and rows[1][0] <= first:
                    del rows[0]
        return self.version

    # Housekeeping.

    def rewind(self, version: int, now: float) -> int:
        """See `CheckpointStore.rewind`."""
        count = self._count_at(version)
        del self.messages[count:]
        self._versions = [each for each in self._versions if each[0] <= version]
        for key in list(self._states):
            rows = self._states[key] = [row for row in self._states[key] if row[0] <= version]
            if not rows:
                del self._states[key]
        receipts = self.line.receipts
        for message_id in [each for each, receipt in receipts.items() if receipt.position >= count]:
            del receipts[message_id]
        for receipt in receipts.values():
            if receipt.end is not None and receipt.end > count:
                receipt.end, receipt.result = None, {}
        self.line.end_lease()
        return self._commit(now)

    def fork(self, version: int | None, new_id: str, now: float) -> Conversation:
        """See `CheckpointStore.fork`."""
        version = self.version if version is None else version
        count = self._count_at(version)
        copy = Conversation(self._owner, new_id, now, self._keep_versions)
        copy.version = version
        copy.messages = self.messages[:count]
        copy._versions = [each for each in self._versions if each[0] <= version]
        for key, rows in self._states.items():
            if kept := [row for row in rows if row[0] <= version]:
                copy._states[key] = kept
        return copy

    def delete_state(self, agent_key: str, now: float) -> bool:
        """See `CheckpointStore.delete_state`."""
        rows = self._states.get(agent_key)
        if not rows or rows[-1][2] is None:
            return False
        rows.append((self.version + 1, 0, None))
        self._commit(now)
        return True

    def delete_messages(self, now: float) -> int:
        """See `CheckpointStore.delete_messages`."""
        removed = len(self.messages)
        if removed:
            self.messages = []
            self._versions = []
            for rows in self._states.values():
                del rows[:-1]
            receipts = self.line.receipts
            for message_id in [each for each, receipt in receipts.items() if receipt.end is None]:
                del receipts[message_id]
            for receipt in receipts.values():
                receipt.position = receipt.end = 0
            self._commit(now)
        return removed


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
