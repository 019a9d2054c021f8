"""Opening the file of a SQLite store: it is ours, or new, or it is left alone."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from urllib.parse import quote

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.stores.sqlite.failures import is_locked
from agent_runtime_core.stores.sqlite.tables import SCHEMA, SCHEMA_VERSION
from agent_runtime_core.stores.sqlite.upgrade import upgrade_from_1

__all__ = ["IN_MEMORY", "identity_of", "open_file", "open_memory", "open_unchanged", "stamp_of"]

IN_MEMORY = ":memory:"

APPLICATION_ID = 0x41525443
"""Marks our files ("ARTC"); the `file` command and SQLite show it."""

_PAUSE_S = 0.005


def open_memory() -> sqlite3.Connection:
    """A database that exists on this connection alone."""
    connection = sqlite3.connect(IN_MEMORY, isolation_level=None)
    _create_tables(connection)
    return connection


def open_file(path: str, *, synchronous: str, busy_timeout_ms: int, now: float) -> sqlite3.Connection:
    """A connection to our file, which is created when nothing is there, and upgraded when it is of an earlier version.

    Conversations are private: a new file, and what SQLite puts beside it, can be read by its owner only.

    Raises:
        StoreUnavailable: Something else is there, or no file can be made there. Nothing was written.
        sqlite3.Error: SQLite cannot open it.
    """
    path = os.path.realpath(path)
    if not _created(path):
        _check_kind(path)
        version_of_file(path)
    connection = _connection(path, "mode=rw")
    try:
        _settle_in_time(connection, path, busy_timeout_ms, now)
        connection.execute(f"PRAGMA busy_timeout = {busy_timeout_ms}")
        # NORMAL or FULL: with NORMAL a power cut may take the last commits, never a part of one.
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA secure_delete = ON")  # what is deleted is not left in the file
        connection.execute("PRAGMA cell_size_check = ON")  # notices more of what a damaged file holds
    except BaseException:
        connection.close()
        raise
    return connection


def identity_of(path: str) -> tuple[int, int] | None:
    """Which file is at the path; None when there is none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def stamp_of(path: str) -> tuple[int, ...] | None:
    """What changes when somebody writes to the file; None when somebody may be doing so now."""
    path = os.path.realpath(path)
    if os.path.exists(path + "-wal") or not os.path.exists(path):
        return None
    found = os.stat(path)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def open_unchanged(path: str) -> sqlite3.Connection | None:
    """A connection that reads our file without a lock, for as long as nobody writes to it; None where it cannot.

    In a directory that cannot be written to, SQLite has no other one.
    """
    path = os.path.realpath(path)
    connection = _connection(path, "mode=ro&immutable=1")
    try:
        if _version_of(connection, path) == SCHEMA_VERSION:
            return connection
    except (sqlite3.Error, StoreUnavailable):
        pass  # what went wrong before says more
    connection.close()
    return None


def _created(path: str) -> bool:
    """Make an empty file where there is nothing, and say whether it was made."""
    if os.path.exists(path):  # opening and closing it here would drop the locks of other connections in this process
        return False
    directory = os.path.dirname(path)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:  # another process was quicker
        return False
    except FileNotFoundError as error:
        words = "cannot take files" if os.path.isdir(directory) else "does not exist. Create it first"
        raise StoreUnavailable(f"cannot create {path}: the directory {directory} {words}.", key=path) from error
    except OSError as error:
        raise StoreUnavailable(
            f"cannot create {path}: {error.strerror}. Check that {directory} is a directory in which this process "
            f"may create files.",
            key=path,
        ) from error
    return True


def _check_kind(path: str) -> None:
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        kind = "a directory" if stat.S_ISDIR(mode) else "no regular file"
        raise StoreUnavailable(f"{path} is {kind}: give the path of a file.", key=path)


def _connection(path: str, parameters: str) -> sqlite3.Connection:
    """A connection that commits when told to, and does not wait for locks yet."""
    return sqlite3.connect(f"file:{quote(os.fsencode(path))}?{parameters}", uri=True, isolation_level=None, timeout=0)


def version_of_file(path: str) -> int:
    """The version of our tables in an existing file, read without leaving a trace; 0 when it cannot be read.

    An ordinary connection would tidy up a stranger's journal.

    Raises:
        StoreUnavailable: It belongs to another program or to a later version of this one.
    """
    # Not through open(): closing a file drops the locks that other connections in this process hold on it.
    # What is in a log beside the file only an ordinary reader sees; without a log, nothing need be put there.
    has_log = os.path.exists(path + "-wal")
    connection = _connection(path, "mode=ro" if has_log else "mode=ro&immutable=1")
    try:
        return _version_of(connection, path)
    except sqlite3.Error:
        return 0  # the connection to come will tell
    finally:
        connection.close()


def _settle_in_time(connection: sqlite3.Connection, path: str, busy_timeout_ms: int, now: float) -> None:
    """Settle in, and wait for other processes that do: here SQLite by itself does not always wait."""
    deadline = time.monotonic() + busy_timeout_ms / 1000
    while True:
        try:
            _settle_in(connection, path, now)
            return
        except sqlite3.OperationalError as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if not is_locked(error) or time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE_S)


def _settle_in(connection: sqlite3.Connection, path: str, now: float) -> None:
    """Bring the file to write-ahead logging and to our tables, alone or together with other processes."""
    version = _version_of(connection, path)
    if version == 0 or _journal_mode(connection) != "wal":
        # Readers and a writer do not wait for each other then. Where the file system cannot do it, they do.
        connection.execute("PRAGMA journal_mode = wal")
    if version != SCHEMA_VERSION:
        connection.execute("BEGIN IMMEDIATE")
        version = _version_of(connection, path)  # another process may have been quicker
        if version == 0:
            _create_tables(connection)
        elif version == 1:
            upgrade_from_1(connection, now)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")


def _version_of(connection: sqlite3.Connection, path: str) -> int:
    """The version of our tables; 0 for an empty database.

    Raises:
        StoreUnavailable: It belongs to another program or to a later version of this one.
    """
    application_id, version, tables = _marks(connection)
    if application_id == 0 and version == 0 and tables == 0:
        return 0
    if application_id != APPLICATION_ID:
        raise StoreUnavailable(
            f"{path} is a SQLite file of another program, and was left as it is: give the path of another file, "
            f"or of one that does not exist yet.",
            key=path,
        )
    if not 0 < version <= SCHEMA_VERSION:
        raise StoreUnavailable(
            f"{path} has schema version {version}, this agent_runtime_core knows version {SCHEMA_VERSION}: "
            f"upgrade agent_runtime_core. Nothing was written.",
            key=path,
        )
    return version


def _marks(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """Application, schema version and number of tables, all of one moment: another process may be creating them."""
    own_transaction = not connection.in_transaction
    if own_transaction:
        connection.execute("BEGIN")
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if own_transaction:
        connection.execute("COMMIT")
    return application_id, version, tables


def _journal_mode(connection: sqlite3.Connection) -> str:
    mode: str = connection.execute("PRAGMA journal_mode").fetchone()[0]
    return mode


def _create_tables(connection: sqlite3.Connection) -> None:
    for statement in SCHEMA:
        connection.execute(statement)
