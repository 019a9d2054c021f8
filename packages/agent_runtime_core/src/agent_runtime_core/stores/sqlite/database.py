"""The connection of a SQLite store, and jobs as transactions on it; used on one thread only."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable

from agent_runtime_core.errors import StoreError, StoreUnavailable
from agent_runtime_core.stores.sqlite.failures import explained, is_about_the_file, is_locked, is_read_only
from agent_runtime_core.stores.sqlite.file import (
    IN_MEMORY,
    identity_of,
    open_file,
    open_memory,
    open_unchanged,
    stamp_of,
)
from agent_runtime_core.stores.sqlite.job import Job

__all__ = ["Database"]


class Database:
    """Opens the file with the first job, and again after an error that may be the connection's.

    Args:
        path: The path of a file, or `:memory:`.
        synchronous: `NORMAL` or `FULL`.
        busy_timeout_ms: How long to wait for another process's lock.
        clock: The time, in seconds since 1970.
    """

    def __init__(self, path: str, *, synchronous: str, busy_timeout_ms: int, clock: Callable[[], float]) -> None:
        self.path = path
        self._synchronous = synchronous
        self._busy_timeout_ms = busy_timeout_ms
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        self._cursor: sqlite3.Cursor | None = None
        self._identity: tuple[int, int] | None = None  # of the open file; None in memory
        self._has_erased = False  # what is still in the log
        self._stamp: tuple[int, ...] | None = None  # of a file that can only be read for as long as it does not change

    def run(self, jobs: list[Job]) -> None:
        """Do the jobs in their order and in one transaction; each ends with its own result or error."""
        error = self._failure_of(jobs)
        if error is None:
            return
        alone = len(jobs) == 1 or isinstance(error, StoreUnavailable)  # the latter: the file cannot be opened
        for job in jobs:
            if alone or (job.writes and is_locked(error)):
                job.error = explained(error, self.path, self._busy_timeout_ms)
            else:
                self.run([job])

    def _failure_of(self, jobs: list[Job]) -> Exception | None:
        """Try to do the jobs; what went wrong leaves no trace of any of them."""
        try:
            self._do(jobs)
        except Exception as error:  # whatever it is: somebody waits for it, and the thread has to live on
            self._undo(error)
            return error.with_traceback(None)  # its frames would hold other jobs and the cursor
        return None

    def _do(self, jobs: list[Job]) -> None:
        cursor = self._cursor or self._opened()
        writes = any(job.writes for job in jobs)
        if writes:
            self._check_file()
            cursor.execute("BEGIN IMMEDIATE")
        else:
            cursor.execute("BEGIN")  # what a job reads is of one moment
        for job in jobs:
            job.error = None
            if job.erases:
                self._has_erased = True
            try:
                job.result = job.work(cursor, *job.arguments)
            except StoreError as error:  # a conflict or a damaged conversation, found before anything was written
                job.error = error.with_traceback(None)
        cursor.execute("COMMIT")
        if self._has_erased:
            self._empty_log(cursor)
        if self._stamp is not None:
            self._look_again()

    def _opened(self) -> sqlite3.Cursor:
        if self.path == IN_MEMORY:
            self._connection = open_memory()
        else:
            self.path = os.path.abspath(self.path)  # from now on, wherever the process goes
            self._connection = self._opened_file()
            self._identity = identity_of(self.path)
        self._cursor = self._connection.cursor()
        return self._cursor

    def _opened_file(self) -> sqlite3.Connection:
        try:
            return open_file(
                self.path,
                synchronous=self._synchronous,
                busy_timeout_ms=self._busy_timeout_ms,
                now=self._clock(),
            )
        except sqlite3.Error as error:
            self._stamp = stamp_of(self.path) if is_read_only(error) else None
            connection = None if self._stamp is None else open_unchanged(self.path)
            if connection is None:
                self._stamp = None
                raise
            return connection

    def _empty_log(self, cursor: sqlite3.Cursor) -> None:
        """Put the log into the file and cut it to nothing. While another process reads it, that is left for later."""
        with contextlib.suppress(sqlite3.Error):  # what was asked for is done; this is tried again with the next job
            cursor.execute("PRAGMA busy_timeout = 0")
            try:
                is_busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]
                self._has_erased = bool(is_busy)
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {self._busy_timeout_ms}")

    def _look_again(self) -> None:
        """Close a file that SQLite was told not to lock, and make sure that it stayed as it was meanwhile.

        Raises:
            StoreUnavailable: It did not: what was read may be of two moments.
        """
        stamp = self._stamp
        self.close()
        if stamp != stamp_of(self.path):
            raise StoreUnavailable(
                f"{self.path} was written to by another process while it was read from a directory in which this one "
                f"may not write: try again, or give this process permission to write there.",
                key=self.path,
            )

    def _check_file(self) -> None:
        """Make sure that the open file is still the one at the path: what goes to a deleted file is lost in silence.

        Raises:
            StoreUnavailable: It was deleted or replaced.
        """
        if self._identity is not None and identity_of(self.path) != self._identity:
            self.close()
            raise StoreUnavailable(
                f"{self.path} was deleted or replaced while this store had it open. Nothing was written, and what "
                f"was in the file is gone, unless you have a copy. The next call opens the path anew.",
                key=self.path,
            )

    def _undo(self, error: Exception) -> None:
        """Leave nothing of a transaction, and no connection that may be broken."""
        if self._connection is None:
            return
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self.close()
        else:
            if is_about_the_file(error) and self.path != IN_MEMORY:
                self.close()

    def close(self) -> None:
        """Close the connection, if there is one; closing the last one to a file puts its log into it."""
        connection, cursor = self._connection, self._cursor
        self._connection = self._cursor = self._stamp = None
        with contextlib.suppress(sqlite3.Error):  # nothing is lost: the next one to open the file finds the log
            if cursor is not None:
                cursor.close()  # first: SQLite keeps a connection open for as long as somebody holds a statement of it
            if connection is not None:
                connection.close()
