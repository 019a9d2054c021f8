"""Which version of the tables this code reads and writes, and whether a database has it."""

from __future__ import annotations

from sqlalchemy import Connection, text

from agent_runtime_core.errors import StoreUnavailable

__all__ = ["REVISION", "REVISIONS", "VERSION_TABLE", "check_revision", "revision_of"]

REVISIONS = ("0001", "0002")
"""All that there were, oldest first; each is a module in `migrations`."""

REVISION = REVISIONS[-1]
"""What this code reads and writes."""

VERSION_TABLE = "agent_runtime_schema"
"""Where Alembic keeps the revision, apart from that of the application around us."""

_UPGRADE = "run `agent-runtime store upgrade --store URL`"

_EXISTS = text("SELECT to_regclass(:name)")
_READ = text(f"SELECT version_num FROM {VERSION_TABLE}")


def revision_of(connection: Connection) -> str:
    """The revision of the database's tables; empty when it has none."""
    if connection.execute(_EXISTS, {"name": VERSION_TABLE}).scalar_one() is None:
        return ""
    return connection.execute(_READ).scalar() or ""


def check_revision(connection: Connection, *, shown: str) -> None:
    """Make sure that the database has the tables that this code knows.

    Raises:
        StoreUnavailable: It has none, older ones or newer ones; the text says what to do.
    """
    found = revision_of(connection)
    if found == REVISION:
        return
    if not found:
        words = f"has no tables of ours yet: {_UPGRADE}"
    elif found in REVISIONS:
        words = f"has tables of version {found}, and this program needs {REVISION}: {_UPGRADE}"
    else:
        words = (
            f"has tables of version {found}, and this program knows them up to {REVISION}: they were made by a newer "
            f"agent_runtime_core; install that one here"
        )
    raise StoreUnavailable(f"{shown} {words}.", key=shown)
