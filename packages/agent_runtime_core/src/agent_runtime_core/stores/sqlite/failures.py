"""SQLite's errors in the words of the person who has to act."""

from __future__ import annotations

import sqlite3

from agent_runtime_core.errors import StoreUnavailable

__all__ = ["explained", "is_about_the_file", "is_locked", "is_read_only"]

_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_READ_ONLY_CODES = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN}

_DAMAGED = (
    "is damaged ({error}): stop the processes that use it and restore it from a backup, "
    "or save what can be read with the command `sqlite3 FILE .recover`"
)
_READ_ONLY = "cannot be written ({error}): give this process permission to write to the file and to its directory"

_WORDS = {
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_FULL: "cannot grow, because its disk is full: make room",
    sqlite3.SQLITE_IOERR: "failed on its disk ({error}): check the disk and the file system",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: "is not a SQLite file: give the path of another file, or of one that does not exist yet",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened ({error}): check that this process may read and write it",
    sqlite3.SQLITE_CONSTRAINT: _DAMAGED,  # our statements keep every constraint of a sound file
}


def _code(error: Exception) -> int | None:
    """SQLite's primary result code, where the error came from SQLite itself."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


def is_locked(error: Exception) -> bool:
    """Whether another connection held the lock for longer than we wait."""
    return _code(error) in _LOCKED


def is_read_only(error: Exception) -> bool:
    """Whether the file, or what SQLite puts beside it, may not be written."""
    return _code(error) in _READ_ONLY_CODES


def is_about_the_file(error: Exception) -> bool:
    """Whether the connection may be at fault, so that the next job should open the file anew.

    A full disk is not its fault, and the file could not be opened anew without room beside it.
    """
    return isinstance(error, sqlite3.DatabaseError) and _code(error) not in _LOCKED | {sqlite3.SQLITE_FULL}


def explained(error: Exception, path: str, busy_timeout_ms: int) -> StoreUnavailable:
    """The error as ours: which file, what happened, what to do."""
    if isinstance(error, StoreUnavailable):
        return StoreUnavailable(str(error), key=error.key)  # each waiting task gets its own
    code = _code(error)
    if code in _LOCKED:
        words = (
            f"was locked by another process for more than {busy_timeout_ms} ms: try again, "
            f"end the process that holds the lock, or give a longer busy_timeout_ms"
        )
    elif code is not None and code in _WORDS:
        words = _WORDS[code].format(error=_name(error))
    else:
        words = f"could not be used: {type(error).__name__}: {error}"
    ours = StoreUnavailable(f"{path} {words}. Nothing was written.", key=path)
    error.__context__ = None  # with its frames, it would hold the cursor
    ours.__cause__ = error
    return ours


def _name(error: Exception) -> str:
    name = getattr(error, "sqlite_errorname", None)
    return f"{error}, {name}" if name else str(error)
