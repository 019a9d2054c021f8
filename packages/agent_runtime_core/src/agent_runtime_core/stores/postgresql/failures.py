"""The database's errors in the words of the person who has to act."""

from __future__ import annotations

from asyncpg.exceptions import InterfaceError, InternalClientError, PostgresConnectionError, PostgresError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from agent_runtime_core.errors import StoreUnavailable

__all__ = ["FAILURES", "driver_error", "explained", "is_broken", "was_undone"]

FAILURES = (SQLAlchemyError, PostgresError, InterfaceError, InternalClientError, OSError)
"""All that talking to a database can raise."""

_GONE = ("57P01", "57P02", "57P03", "57P05")
"""The server ended the connection, or takes none: it stops, crashed, starts up, or the session was idle too long."""

_UNDONE = ("40001", "40P01", "0A000")
"""The server has undone the statement and asks for it again: serialisation, deadlock, a plan older than the tables."""

_UPGRADE = "run `agent-runtime store upgrade --store URL`"

_WORDS = {
    "28P01": "refuses the password",
    "28000": "refuses this user ({error}): check the user and the server's pg_hba.conf",
    "3D000": "does not exist: create it with `createdb`, or correct the URL",
    "42P01": f"lacks tables of ours: {_UPGRADE}",
    "42703": f"has tables of another version: {_UPGRADE}",
    "42501": "refuses this user something ({error}): grant it",
    "53100": "cannot grow, because its disk is full: make room",
    "53300": "takes no more connections ({error}): lower pool_size, or raise the server's max_connections",
    "25006": "is read-only: give the URL of the primary server",
    "57P03": "is starting up or shutting down: try again",
    "57014": "was too slow ({error}): look for a long lock, or raise its statement_timeout",
}


def driver_error(error: BaseException) -> BaseException:
    """The driver's own error, without the layers around it."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error


def _code(error: BaseException) -> str:
    return getattr(error, "sqlstate", None) or ""


def is_broken(error: BaseException) -> bool:
    """Whether the connection is at fault, so that another one may do better."""
    error = driver_error(error)
    if isinstance(error, TimeoutError):
        return False  # another one would take as long
    code = _code(error)
    return (
        isinstance(error, (PostgresConnectionError, InternalClientError, OSError))  # the second: it has lost count
        or (isinstance(error, InterfaceError) and "closed" in str(error))
        or code in _GONE
        or code.startswith("08")
    )


def was_undone(error: BaseException) -> bool:
    """Whether the server has undone the work and would take it again."""
    return _code(driver_error(error)) in _UNDONE


def explained(error: BaseException, shown: str, *, in_doubt: bool = False) -> StoreUnavailable:
    """The error as ours: which database, what happened, what to do; the cause is the driver's.

    Args:
        error: What was raised.
        shown: The database, as people may see it.
        in_doubt: Whether it may have been written all the same.
    """
    cause = driver_error(error)
    code = _code(cause)
    if in_doubt:
        words = (
            f"went away while it was written to ({_named(cause)}); whether that was done is not known. Look first; a "
            f"message may be sent again under its message_id"
        )
    elif code in _WORDS:
        words = f"{_WORDS[code].format(error=_named(cause))}. Nothing was written"
    elif isinstance(cause, (OSError, TimeoutError)) or is_broken(cause):
        words = (
            f"cannot be reached ({_named(cause)}): check that the server runs, and the URL's host and port. "
            f"Nothing was written"
        )
    else:
        words = f"could not be used ({_named(cause)}). Nothing was written"
    ours = StoreUnavailable(f"{shown} {words}.", key=shown)
    ours.__cause__ = cause
    ours.__suppress_context__ = True
    return ours


def _named(error: BaseException) -> str:
    lines = str(error).splitlines()
    code = _code(error)
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return f"{text}, {code}" if code else text
