"""The engine's database: its connections and threads, and what becomes of an error of theirs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection, Engine, TextClause, bindparam, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from agent_runtime_core.engines.dbos.address import Address
from agent_runtime_core.errors import EngineUnavailable

__all__ = ["FAILURES", "Database"]

_LOGGER = logging.getLogger("agent_runtime_core.engines.dbos")

_TABLES = ("runs", "run_steps", "run_events", "run_tables")
_DBOS_TABLES = ("workflow_status", "workflow_input", "workflow_output", "operation_outputs")

_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0
_IDLE_IN_TRANSACTION_MS = 10_000
"""A worker that is frozen within a transaction holds up the others for so long at most."""

_OF_DRIVERS = (OperationalError, InterfaceError, PoolTimeoutError, psycopg.OperationalError, OSError)

_IN_THE_WAY = ("40001", "40P01")
"""PostgreSQL's codes for transactions that could not be put in an order, and for those that waited for each other."""

FAILURES: tuple[type[Exception], ...] = (EngineUnavailable, *_OF_DRIVERS)
"""What is raised when the database cannot be reached."""

T = TypeVar("T")


class Database:
    """Connections to one database, used from threads of its own, so that no event loop waits for them.

    Args:
        address: Where it is.
        pool_size: Connections at most; as many threads.
    """

    def __init__(self, address: Address, *, pool_size: int) -> None:
        self.address = address
        self.engine = _engine(address, pool_size)
        # SQLite reads outside of transactions anyway, and would come back from this with another isolation level.
        self._plain = self.engine
        if address.is_postgresql:
            self._plain = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._threads = ThreadPoolExecutor(pool_size, thread_name_prefix="agent-runtime-runs")
        prefix = "" if address.schema is None else f'"{address.schema}".'
        self._names = {name: f"{prefix}{name}" for name in (*_TABLES, *_DBOS_TABLES)}
        self._statements: dict[tuple[str, str], TextClause] = {}
        self._is_closed = False

    @property
    def is_postgresql(self) -> bool:
        """Whether it is PostgreSQL, or SQLite."""
        return self.address.is_postgresql

    def sql(self, template: str, many: str = "") -> TextClause:
        """A statement in which `{runs}` and its like stand for the tables.

        Args:
            template: The statement.
            many: The parameter that is given a list, for `IN :ids`.
        """
        statement = self._statements.get((template, many))
        if statement is None:
            statement = text(template.format_map(self._names))
            if many:
                statement = statement.bindparams(bindparam(many, expanding=True))
            self._statements[template, many] = statement
        return statement

    def connect(self) -> Connection:
        """A connection on which each statement is by itself. Blocks."""
        return self._plain.connect()

    async def in_thread(self, work: Callable[[], T]) -> T:
        """What the work gives, done in one of the threads.

        Raises:
            EngineUnavailable: The engine was closed.
        """
        if self._is_closed:
            raise EngineUnavailable(f"the engine of the runs in {self.address.shown} was closed")
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What the work gives, each statement of it by itself. It is done once more when the connection was cut.

        Raises:
            EngineUnavailable: The database cannot be reached.
        """
        return await self.in_thread(partial(self._twice, self.connect, work))

    async def write(self, work: Callable[[Connection], T]) -> T:
        """What the work gives, in one transaction. It is done once more when the connection was cut.

        So it has to be work that may be repeated when its outcome is not known.

        Raises:
            EngineUnavailable: The database cannot be reached.
        """
        return await self.in_thread(partial(self._twice, self.engine.begin, work))

    async def persistently(self, work: Callable[[Connection], T], *, alone: bool) -> T:
        """What the work gives, however long it takes until the database can be reached.

        Args:
            work: What may be repeated.
            alone: Whether it is one statement, which needs no transaction around it.
        """
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return await (self.read(work) if alone else self.write(work))
            except EngineUnavailable as error:
                if pause_s == _FIRST_PAUSE_S:
                    _LOGGER.warning("Runs wait for their database: %s", error)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def guarded(self, work: Callable[[], T]) -> T:
        """What the work gives, its failures in our words. Blocks.

        Raises:
            EngineUnavailable: The database cannot be reached.
        """
        try:
            return work()
        except (DBAPIError, *_OF_DRIVERS) as error:
            raise self.unavailable(error) from error

    def refuse(self) -> None:
        """Begin no more work: what is asked for from now on fails."""
        self._is_closed = True

    async def close(self) -> None:
        """Close the connections and end the threads, when the work that was begun is done."""
        self.refuse()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._threads.shutdown()  # first: a connection that is in use then would be left open
        self.engine.dispose()

    def _twice(self, connected: Callable[[], Any], work: Callable[[Connection], T]) -> T:
        for is_last in (False, True):
            try:
                with connected() as connection:
                    return work(connection)
            except (OperationalError, InterfaceError, PoolTimeoutError) as error:
                if is_last or not _may_pass(error):
                    raise self.unavailable(error) from error
        raise AssertionError("unreachable")

    def unavailable(self, error: Exception) -> EngineUnavailable:
        """The error in our words."""
        if isinstance(error, EngineUnavailable):
            return error
        reason = str(error.orig if isinstance(error, DBAPIError) else error).strip().partition("\n")[0]
        return EngineUnavailable(
            f"the runs in {self.address.shown} cannot be reached ({reason}); see that the database is up and may be "
            f"written, and try again."
        )


def _may_pass(error: Exception) -> bool:
    """Whether it may do better at once, on another connection or after whoever was in the way."""
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _IN_THE_WAY


def _engine(address: Address, pool_size: int) -> Engine:
    """The connections; their errors, which end up in logs, do not tell the values, conversations' texts among them."""
    if address.is_postgresql:
        engine = create_engine(
            address.url,
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=pool_size,
            connect_args={
                "connect_timeout": 10,
                "keepalives_idle": 5,
                "keepalives_interval": 2,
                "keepalives_count": 3,
                "application_name": "agent_runtime_runs",
                **address.url.query,
            },
        )
        event.listen(engine, "connect", _set_up_postgresql)
        return engine
    engine = create_engine(address.url, hide_parameters=True, pool_size=pool_size, max_overflow=pool_size)

    def set_up(connection: Any, record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"  # DBOS relies on it, and on the next two
        connection.execute("PRAGMA busy_timeout=30000")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={address.synchronous}")

    event.listen(engine, "connect", set_up)
    return engine


def _set_up_postgresql(connection: Any, record: Any) -> None:
    connection.execute(f"SET idle_in_transaction_session_timeout = {_IDLE_IN_TRANSACTION_MS}")
    connection.commit()
