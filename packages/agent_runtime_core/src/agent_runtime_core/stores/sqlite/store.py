"""The SQLite store as its users see it."""

from __future__ import annotations

import os
import weakref
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces.checkpoint import Checkpoint
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.stores.arguments import check_texts, check_window
from agent_runtime_core.stores.json_data import encoded
from agent_runtime_core.stores.sqlite import rows
from agent_runtime_core.stores.sqlite.reading import damage_in, read_checkpoint, read_messages

__all__ = ["SQLiteCheckpointStore"]

_ALL = 1 << 32
"""More messages than one conversation can have."""

_LEVELS = ("NORMAL", "FULL")
_MAX_TIMEOUT_MS = 2**31 - 1


class SQLiteCheckpointStore:
    """A store in one SQLite file, which several stores, threads and processes may use at once.

    All work happens on one thread of the store's own, which starts with the first call. Commits that wait at the same
    time share a transaction. A process that dies leaves whole commits only. A store does not survive `os.fork()`:
    make one in each process.

    Args:
        path: The file; it is created with the first use, readable by its owner only, in a directory that exists.
            A relative path begins in the directory in which the process is then. `":memory:"` keeps everything in
            memory until the store is closed.
        synchronous: `NORMAL`: a power cut may take the last commits (a crash of the process takes none).
            `FULL`: every commit waits for the disk.
        busy_timeout_ms: How long to wait for another process that is writing.

    Raises:
        ConfigError: An argument cannot work.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, synchronous: str = "NORMAL", busy_timeout_ms: int = 5000
    ) -> None:
        # Here, because importing the stores must not load a database driver.
        from agent_runtime_core.stores.sqlite.database import Database
        from agent_runtime_core.stores.sqlite.worker import Worker

        self.path = _path_text(path)
        self._worker = Worker(
            Database(
                self.path,
                synchronous=_known_level(synchronous),
                busy_timeout_ms=_possible_timeout(busy_timeout_ms),
            )
        )
        weakref.finalize(self, self._worker.abandon)

    async def load(self, conversation_id: str, agent_key: str, *, max_messages: int | None = None) -> Checkpoint:
        """Read version, state and the last messages; see `CheckpointStore.load`."""
        check_texts(conversation_id, agent_key)
        window = _ALL if max_messages is None else min(check_window("max_messages", max_messages), _ALL)
        row = await self._worker.submit(rows.load, (conversation_id, agent_key, window), writes=False)
        try:
            return read_checkpoint(row, window)
        except ValueError:
            found = await self._worker.submit(rows.message_rows, (conversation_id,), writes=False)
            _, message_count, state, _ = row
            raise damage_in(
                conversation_id, self.path, message_count, found, state=state, agent_key=agent_key
            ) from None

    async def commit(
        self,
        conversation_id: str,
        agent_key: str,
        *,
        expected_version: int | None,
        state: dict[str, Any] | None = None,
        messages: Sequence[MessageDict] = (),
    ) -> int:
        """Append the messages and set the state; see `CheckpointStore.commit`."""
        check_texts(conversation_id, agent_key)
        written_state = None if state is None else encoded(state, "state")
        written = [encoded(message, f"messages[{position}]") for position, message in enumerate(messages)]
        version: int = await self._worker.submit(
            rows.commit, (conversation_id, agent_key, expected_version, written_state, written), writes=True
        )
        return version

    async def history(self, conversation_id: str, *, start: int = 0, limit: int | None = None) -> list[MessageDict]:
        """The stored messages from position `start`; see `CheckpointStore.history`."""
        check_texts(conversation_id)
        start = min(check_window("start", start), _ALL)
        stop = _ALL if limit is None else min(start + check_window("limit", limit), _ALL)
        row = await self._worker.submit(rows.history, (conversation_id, start, stop), writes=False)
        if row is None:
            return []
        _, message_count, messages = row
        try:
            return read_messages(messages, max(0, min(stop, message_count) - start))
        except ValueError:
            found = await self._worker.submit(rows.message_rows, (conversation_id,), writes=False)
            raise damage_in(conversation_id, self.path, message_count, found) from None

    async def delete_state(self, conversation_id: str, agent_key: str) -> bool:
        """Remove one agent's state; see `CheckpointStore.delete_state`."""
        check_texts(conversation_id, agent_key)
        removed: bool = await self._worker.submit(rows.delete_state, (conversation_id, agent_key), writes=True)
        return removed

    async def delete_messages(self, conversation_id: str) -> int:
        """Remove all messages; see `CheckpointStore.delete_messages`."""
        check_texts(conversation_id)
        removed: int = await self._worker.submit(rows.delete_messages, (conversation_id,), writes=True)
        return removed

    async def delete(self, conversation_id: str) -> bool:
        """Remove the conversation; see `CheckpointStore.delete`."""
        check_texts(conversation_id)
        removed: bool = await self._worker.submit(rows.delete, (conversation_id,), writes=True)
        return removed

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


def _path_text(path: str | os.PathLike[str]) -> str:
    if not isinstance(path, (str, os.PathLike)):
        raise ConfigError(f"path is of type {type(path).__name__}; give the path of a file as text or as a Path.")
    text = os.fspath(path)
    if not isinstance(text, str) or not text or "\0" in text:
        raise ConfigError(f"path is {text!r}, which names no file; give one such as 'journeys.db'.")
    return text


def _known_level(synchronous: str) -> str:
    level = synchronous.upper() if isinstance(synchronous, str) else synchronous
    if level not in _LEVELS:
        raise ConfigError(f"synchronous is {synchronous!r}; give one of {', '.join(_LEVELS)}.")
    return level


def _possible_timeout(busy_timeout_ms: int) -> int:
    if not isinstance(busy_timeout_ms, int) or not 0 <= busy_timeout_ms <= _MAX_TIMEOUT_MS:
        raise ConfigError(f"busy_timeout_ms is {busy_timeout_ms!r}; give milliseconds, 0 to {_MAX_TIMEOUT_MS}.")
    return busy_timeout_ms
