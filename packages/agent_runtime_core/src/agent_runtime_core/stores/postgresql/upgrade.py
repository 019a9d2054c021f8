"""Makes the tables, or brings older ones up to date."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from agent_runtime_core.stores.postgresql.address import read_address
from agent_runtime_core.stores.postgresql.failures import FAILURES, driver_error, explained
from agent_runtime_core.stores.postgresql.pool import Pool, PoolSettings
from agent_runtime_core.stores.postgresql.revision import REVISION, VERSION_TABLE, check_revision, revision_of

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

__all__ = ["SchemaChange", "upgrade"]

_FOLDER = Path(__file__).parent / "migrations"

_LOCK = text("SELECT pg_advisory_xact_lock(7304418850157226)")
"""One upgrade at a time; the number is ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """What an upgrade has done."""

    before: str
    """The version of the tables before; empty where there were none."""
    after: str
    """Their version now; the same as before when there was nothing to do."""


async def upgrade(url: str) -> SchemaChange:
    """Make the tables of a database, or bring older ones up to date; all in one transaction.

    Args:
        url: `postgresql://user:password@host:5432/database`.

    Raises:
        ConfigError: The URL cannot be read.
        StoreUnavailable: The database cannot be used, or its tables are newer than this code. Nothing was changed.
    """
    return await asyncio.to_thread(_upgrade, url)  # Alembic reads its revisions from files


def _upgrade(url: str) -> SchemaChange:
    from alembic.script import ScriptDirectory  # here, because most programs upgrade nothing

    address = read_address(url)
    script = ScriptDirectory(_FOLDER, version_locations=[_FOLDER])
    script.get_heads()  # reads the files, before there is an event loop that would wait for it

    def change(connection: Connection) -> SchemaChange:
        connection = connection.execution_options(isolation_level="READ COMMITTED")
        with connection.begin():
            connection.execute(_LOCK)
            before = revision_of(connection)
            if before not in ("", REVISION):
                check_newer(connection, before)
            _migrate(connection, script)
        return SchemaChange(before=before, after=REVISION)

    def check_newer(connection: Connection, before: str) -> None:
        known = {each.revision for each in script.walk_revisions()}
        if before not in known:
            check_revision(connection, shown=address.shown)

    async def in_pool() -> SchemaChange:
        pool = Pool(PoolSettings(address.dsn, 1, 0, 30.0))
        try:
            return await pool.run(change)
        except FAILURES as error:
            raise explained(error, address.shown) from driver_error(error)
        finally:
            await pool.close()

    return asyncio.run(in_pool())


def _migrate(connection: Connection, script: ScriptDirectory) -> None:
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    def steps(revision: Any, context: Any) -> Any:
        return script._upgrade_revs(REVISION, revision)  # what Alembic's own command does

    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "fn": steps})
    with Operations.context(context):
        context.run_migrations()
