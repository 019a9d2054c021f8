"""The SQLite store as its users see it."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces.checkpoint import Checkpoint, ConversationInfo, Removal, StoreInfo, VersionInfo
from agent_runtime_core.interfaces.turns import Answered, Begun, OnBusy, TurnAnswer, Waiting
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.stores.arguments import (
    KEEP_VERSIONS,
    check_begin,
    check_finish,
    check_keep_versions,
    check_texts,
)
from agent_runtime_core.stores.json_data import encoded
from agent_runtime_core.stores.sqlite import housekeeping, listing, loading, reading, runs
from agent_runtime_core.stores.sqlite.line import Arrival
from agent_runtime_core.stores.sqlite.settings import known_level, path_text, possible_timeout, window
from agent_runtime_core.stores.sqlite.tables import name_bytes

__all__ = ["SQLiteCheckpointStore"]


class SQLiteCheckpointStore:
    """A store in one SQLite file, which several stores, threads and processes may use at once.

    All work happens on one thread of the store's own, which starts with the first call. Calls that wait at the same
    time share a transaction. A process that dies leaves whole calls only. A store does not survive `os.fork()`: make
    one in each process. A file that an earlier version of this package has written is upgraded when it is opened.

    SQLite keeps no checksums. Where a disk or another program has changed bytes of the file, a broken structure and
    text that is no JSON are noticed; a letter that became another letter is not. A message that cannot be read is left
    out of what is read, with a warning in the log; a state that cannot be read raises `StoreUnavailable`, whose text
    names the last version that can be gone back to.

    Args:
        path: The file; it is created with the first use, readable by its owner only, in a directory that exists.
            A relative path begins in the directory in which the process is then. `":memory:"` keeps everything in
            memory until the store is closed.
        synchronous: `NORMAL`: a power cut may take the last commits (a crash of the process takes none).
            `FULL`: every commit waits for the disk.
        busy_timeout_ms: How long to wait for another process that is writing.
        keep_versions: How many versions of each conversation can be gone back to; None keeps all.
        clock: The time, in seconds since 1970.

    Raises:
        ConfigError: An argument cannot work.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        synchronous: str = "NORMAL",
        busy_timeout_ms: int = 5000,
        keep_versions: int | None = KEEP_VERSIONS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # Here, because importing the stores must not load a database driver.
        from agent_runtime_core.stores.sqlite.database import Database
        from agent_runtime_core.stores.sqlite.worker import Worker

        self.path = path_text(path)
        self._keep = check_keep_versions(keep_versions)
        # To the microsecond, as datetimes tell it: what was written at a time was not written before it.
        self._clock = lambda: round(clock(), 6)
        self._worker = Worker(
            Database(
                self.path,
                synchronous=known_level(synchronous),
                busy_timeout_ms=possible_timeout(busy_timeout_ms),
                clock=clock,
            )
        )
        weakref.finalize(self, self._worker.abandon)

    async def load(
        self,
        conversation_id: str,
        agent_key: str,
        *,
        max_messages: int | None = None,
        at_version: int | None = None,
        owner: str = "",
    ) -> Checkpoint:
        """Read version, state and the last messages; see `CheckpointStore.load`."""
        check_texts(conversation_id, agent_key, owner)
        row: loading.LoadedRow | None = await self._worker.submit(
            loading.load,
            (self._keep, owner, conversation_id, agent_key, window("max_messages", max_messages), at_version),
            writes=False,
        )
        if row is None:
            return Checkpoint()
        return await self._checkpoint(owner, conversation_id, agent_key, row)

    async def begin(
        self,
        conversation_id: str,
        agent_key: str,
        *,
        message: MessageDict,
        message_id: str,
        remember: bool,
        lease_seconds: float,
        on_busy: OnBusy = "queue",
        max_messages: int | None = None,
        owner: str = "",
    ) -> TurnAnswer:
        """Store a user's message and begin its run if it is its turn; see `CheckpointStore.begin`."""
        check_texts(conversation_id, agent_key, message_id, owner)
        check_begin(on_busy, lease_seconds)
        arrival = Arrival(name_bytes(message_id), encoded(message, "message"), bool(remember), on_busy, lease_seconds)
        count = window("max_messages", max_messages)
        found: runs.BegunRow | runs.AnswerRow | int = await self._worker.submit(
            runs.begin, (self._clock, self._keep, owner, conversation_id, agent_key, arrival, count), writes=True
        )
        if isinstance(found, runs.BegunRow):
            try:
                checkpoint = await self._checkpoint(owner, conversation_id, agent_key, found.loaded)
            except StoreUnavailable:
                await self.release(conversation_id, found.lease, owner=owner)  # so that somebody may go back at once
                raise
            return Begun(lease=found.lease, checkpoint=checkpoint, placed=found.placed)
        if isinstance(found, int):
            return Waiting(ahead=found)
        messages = await self._messages(owner, conversation_id, found.start, found.stop, found.joined)
        result = reading.readable_result(conversation_id, self.path, found.start, found.result)
        return Answered(version=found.version, messages=messages, result=result)

    async def commit(
        self,
        conversation_id: str,
        agent_key: str,
        *,
        expected_version: int | None,
        state: dict[str, Any] | None = None,
        state_version: int = 0,
        messages: Sequence[MessageDict] = (),
        lease: int | None = None,
        finish: dict[str, Any] | None = None,
        owner: str = "",
    ) -> int:
        """Append the messages and set the state; see `CheckpointStore.commit`."""
        check_texts(conversation_id, agent_key, owner)
        check_finish(lease, finish)
        written_state = None if state is None else (state_version, encoded(state, "state"))
        written = [encoded(message, f"messages[{position}]") for position, message in enumerate(messages)]
        result = None if finish is None else encoded(finish, "finish")
        arguments = (owner, conversation_id, agent_key, expected_version, written_state, written, lease, result)
        version: int = await self._worker.submit(runs.commit, (self._clock, self._keep, *arguments), writes=True)
        return version

    async def renew(self, conversation_id: str, lease: int, *, lease_seconds: float, owner: str = "") -> bool:
        """Let the lease hold on; see `CheckpointStore.renew`."""
        check_texts(conversation_id, owner)
        check_begin("queue", lease_seconds)
        is_held: bool = await self._worker.submit(
            runs.renew, (self._clock, owner, conversation_id, lease, lease_seconds), writes=True
        )
        return is_held

    async def release(self, conversation_id: str, lease: int, *, owner: str = "") -> None:
        """End the lease; see `CheckpointStore.release`."""
        check_texts(conversation_id, owner)
        await self._worker.submit(runs.release, (owner, conversation_id, lease), writes=True)

    async def withdraw(self, conversation_id: str, message_id: str, *, owner: str = "") -> bool:
        """Take back a message that waits; see `CheckpointStore.withdraw`."""
        check_texts(conversation_id, message_id, owner)
        waited: bool = await self._worker.submit(runs.withdraw, (owner, conversation_id, message_id), writes=True)
        return waited

    async def history(
        self, conversation_id: str, *, start: int = 0, limit: int | None = None, owner: str = ""
    ) -> list[MessageDict]:
        """The stored messages from position `start`; see `CheckpointStore.history`."""
        check_texts(conversation_id, owner)
        start = window("start", start)
        stop, joined = await self._worker.submit(
            loading.history, (owner, conversation_id, start, window("limit", limit)), writes=False
        )
        return await self._messages(owner, conversation_id, start, stop, joined)

    async def conversations(
        self,
        *,
        owner: str | None = None,
        updated_before: datetime | None = None,
        after: tuple[str, str] | None = None,
        limit: int = 100,
    ) -> list[ConversationInfo]:
        """What conversations there are; see `CheckpointStore.conversations`."""
        if updated_before is not None and updated_before.tzinfo is None:
            raise TypeError("updated_before has no time zone; give an aware datetime, such as datetime.now(UTC).")
        before = None if updated_before is None else updated_before.timestamp()
        found: list[ConversationInfo] = await self._worker.submit(
            listing.conversations, (owner, before, after, window("limit", limit)), writes=False
        )
        return found

    async def versions(self, conversation_id: str, *, owner: str = "") -> list[VersionInfo]:
        """The commits that can be gone back to; see `CheckpointStore.versions`."""
        check_texts(conversation_id, owner)
        found: list[VersionInfo] = await self._worker.submit(
            listing.versions, (self._keep, owner, conversation_id), writes=False
        )
        return found

    async def rewind(self, conversation_id: str, version: int, *, owner: str = "") -> int:
        """Go back to a version; see `CheckpointStore.rewind`."""
        check_texts(conversation_id, owner)
        arguments = (self._clock, self._keep, owner, conversation_id, version)
        new_version: int = await self._worker.submit(housekeeping.rewind, arguments, writes=True, erases=True)
        return new_version

    async def fork(
        self, conversation_id: str, new_conversation_id: str, *, version: int | None = None, owner: str = ""
    ) -> int:
        """Copy a conversation as it was at a version; see `CheckpointStore.fork`."""
        check_texts(conversation_id, new_conversation_id, owner)
        arguments = (self._clock, self._keep, owner, conversation_id, new_conversation_id, version)
        new_version: int = await self._worker.submit(housekeeping.fork, arguments, writes=True)
        return new_version

    async def delete_state(self, conversation_id: str, agent_key: str, *, owner: str = "") -> bool:
        """Remove one agent's state; see `CheckpointStore.delete_state`."""
        check_texts(conversation_id, agent_key, owner)
        arguments = (self._clock, self._keep, owner, conversation_id, agent_key)
        removed: bool = await self._worker.submit(housekeeping.delete_state, arguments, writes=True)
        return removed

    async def delete_messages(self, conversation_id: str, *, owner: str = "") -> int:
        """Remove all messages; see `CheckpointStore.delete_messages`."""
        check_texts(conversation_id, owner)
        arguments = (self._clock, self._keep, owner, conversation_id)
        removed: int = await self._worker.submit(housekeeping.delete_messages, arguments, writes=True, erases=True)
        return removed

    async def delete(self, conversation_id: str, *, owner: str = "", expected_version: int | None = None) -> Removal:
        """Remove the conversation; see `CheckpointStore.delete`."""
        check_texts(conversation_id, owner)
        removal: Removal = await self._worker.submit(
            housekeeping.delete, (owner, conversation_id, expected_version), writes=True, erases=True
        )
        return removal

    async def info(self) -> StoreInfo:
        """How much the store holds; see `CheckpointStore.info`."""
        info: StoreInfo = await self._worker.submit(listing.info, (), writes=False)
        return info

    async def close(self) -> None:
        """Do what is queued, then end the thread and close the file; every later call raises `StoreUnavailable`."""
        await self._worker.close()

    async def __aenter__(self) -> Self:
        """The store itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()

    async def _checkpoint(self, owner: str, conversation_id: str, agent_key: str, row: loading.LoadedRow) -> Checkpoint:
        state_version, state = 0, None
        if row.state is not None:
            state_version = row.state[0]
            try:
                state = reading.read_object(row.state[1])
            except ValueError:
                version = await self._worker.submit(
                    loading.last_readable_version, (self._keep, owner, conversation_id, agent_key), writes=False
                )
                damage = reading.state_damage
                raise damage(conversation_id, owner, self.path, agent_key, row.state[1], version) from None
        return Checkpoint(
            version=row.version,
            state=state,
            state_version=state_version,
            messages=await self._messages(owner, conversation_id, row.start, row.message_count, row.joined),
            message_count=row.message_count,
        )

    async def _messages(
        self, owner: str, conversation_id: str, start: int, stop: int, joined: bytes | None
    ) -> list[MessageDict]:
        try:
            return reading.read_joined(joined, max(0, stop - start))
        except ValueError:  # one of them is damaged: which one, only reading each by itself tells
            rows = await self._worker.submit(loading.message_rows, (owner, conversation_id, start, stop), writes=False)
            return reading.readable_messages(conversation_id, self.path, start, stop, rows)
