"""Who takes part in the work and is alive: a lock per worker, which the system takes from one that dies."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Protocol
from zlib import crc32

import psycopg
from sqlalchemy import Connection

from agent_runtime_core.engines.dbos.database import Database
from agent_runtime_core.errors import ConfigError

__all__ = ["Presence", "count_workers", "open_presence"]

_HANDLES: set[int] = set()
"""Of the lock files of this process. A child that was forked gives them up: the lock is its parent's."""


def _give_up_in_child() -> None:
    while _HANDLES:
        os.close(_HANDLES.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_give_up_in_child)


class Presence(Protocol):
    """The locks of the workers. All methods block, and are called one at a time."""

    def enter(self, worker: str) -> bool:
        """Take the lock of this worker; False when somebody has one of that name."""
        ...

    def assure(self) -> float:
        """Take the lock again if it was lost, and say for how many seconds it has been held without a gap."""
        ...

    def try_to_bury(self, worker: str) -> bool:
        """Take the lock of another worker, which is only possible when it is dead. To be `released`."""
        ...

    def release(self, worker: str) -> None:
        """Give back what `try_to_bury` took."""
        ...

    def leave(self) -> None:
        """Give up everything."""
        ...


def open_presence(database: Database) -> Presence:
    """The locks of a database's workers."""
    if database.address.file is None:
        return _PostgreSQLPresence(database)
    return _FilePresence(database.address.file)


def count_workers(connection: Connection, database: Database) -> int:
    """How many workers are alive. Blocks."""
    if database.address.file is not None:
        return _count_files(database.address.file)
    statement = database.sql(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = :room AND objsubid = 2 AND granted "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    found: int = connection.execute(statement, {"room": _room(database)}).scalar_one()
    return found


class _PostgreSQLPresence:
    """A session's advisory lock, on a connection that does nothing else. The server frees it when the session ends."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._room = _room(database)
        self._worker = ""
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self._since = 0.0

    def enter(self, worker: str) -> bool:
        self._worker = worker
        return self._entered()

    def assure(self) -> float:
        try:
            if self._connection is not None:
                self._connection.execute("SELECT 1")
                return time.monotonic() - self._since
        except psycopg.Error:
            self.leave()
        if not self._entered():
            # Another worker looks at this moment whether we live; the next time it is ours.
            self.leave()
        return 0.0

    def try_to_bury(self, worker: str) -> bool:
        return self._locked(worker)

    def release(self, worker: str) -> None:
        if self._connection is not None:
            self._connection.execute("SELECT pg_advisory_unlock(%s, %s)", (self._room, _number(worker)))

    def leave(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _entered(self) -> bool:
        url = self._database.address.url.set(drivername="postgresql")
        connection = psycopg.connect(
            url.render_as_string(hide_password=False),
            autocommit=True,
            connect_timeout=10,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            application_name="agent_runtime_worker",
        )
        self._connection, self._since = connection, time.monotonic()
        # The server, too, has to notice when this machine vanishes.
        connection.execute("SET tcp_keepalives_idle = 5")
        connection.execute("SET tcp_keepalives_interval = 2")
        connection.execute("SET tcp_keepalives_count = 3")
        return self._locked(self._worker)

    def _locked(self, worker: str) -> bool:
        if self._connection is None:
            return False
        found = self._connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (self._room, _number(worker)))
        return bool((found.fetchone() or (False,))[0])


class _FilePresence:
    """A lock on a file of its own, beside the database. The system frees it when the process ends."""

    def __init__(self, file: Path) -> None:
        self._folder = _folder(file)
        self._worker = ""
        self._held: dict[str, int] = {}
        self._since = 0.0

    def enter(self, worker: str) -> bool:
        self._folder.mkdir(exist_ok=True)
        self._worker, self._since = worker, time.monotonic()
        return self._locked(worker)

    def assure(self) -> float:
        return time.monotonic() - self._since

    def try_to_bury(self, worker: str) -> bool:
        return self._locked(worker)

    def release(self, worker: str) -> None:
        handle = self._held.pop(worker, None)
        if handle is not None:
            (self._folder / worker).unlink(missing_ok=True)
            _HANDLES.discard(handle)
            os.close(handle)

    def leave(self) -> None:
        for worker in list(self._held):
            self.release(worker)

    def _locked(self, worker: str) -> bool:
        handle = _lock(self._folder / worker, os.O_RDWR | os.O_CREAT)
        if handle is not None:
            self._held[worker] = handle
            _HANDLES.add(handle)
        return handle is not None


def _lock(path: Path, flags: int) -> int | None:
    """A handle that holds the file's lock; None when another process holds it."""
    try:
        import fcntl  # here: PostgreSQL's workers do without
    except ImportError as error:
        raise ConfigError("durable runs in a SQLite file need the file locks of Unix; use PostgreSQL.") from error
    handle = os.open(path, flags, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _count_files(file: Path) -> int:
    alive = 0
    for path in _folder(file).glob("*"):
        try:
            handle = _lock(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        if handle is None:
            alive += 1
        else:  # it died; whoever has runs of it to take over makes the file again
            path.unlink(missing_ok=True)
            os.close(handle)
    return alive


def _folder(file: Path) -> Path:
    return file.with_name(f"{file.name}-workers")


def _room(database: Database) -> int:
    """The number under which the locks of this schema are kept, apart from other locks of the database."""
    return _number(f"agent_runtime_core runs in {database.address.schema}")


def _number(text: str) -> int:
    return crc32(text.encode()) & 0x7FFF_FFFF
