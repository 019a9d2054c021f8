"""One database: calls that outlive its restarts, and errors in one language."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.stores.postgresql.failures import FAILURES, driver_error, explained, is_broken, was_undone
from agent_runtime_core.stores.postgresql.pool import Pool, PoolExhausted, PoolSettings
from agent_runtime_core.stores.postgresql.revision import check_revision

__all__ = ["Database"]

T = TypeVar("T")

_ATTEMPTS = 3
"""A call is tried once more on a new connection, and once more for a pool in which several are broken."""


class Database:
    """Runs work on connections of the event loop that asks.

    Args:
        settings: What its pools are made with.
        shown: The database, as people may see it.
    """

    def __init__(self, settings: PoolSettings, shown: str) -> None:
        self.shown = shown
        self._settings = settings
        self._pools: dict[asyncio.AbstractEventLoop, Pool] = {}
        self._lock = threading.Lock()
        self._is_checked = False
        self._is_closed = False

    async def run(self, work: Callable[[Connection], T], *, writes: bool = False) -> T:
        """What the work gives; each of its statements is a transaction of its own.

        Args:
            work: Is called with a connection, and again with another one when that breaks.
            writes: Whether it matters to the caller if it was done.

        Raises:
            StoreUnavailable: The database cannot be used.
        """

        def begun(connection: Connection, doubt: _Doubt) -> T:
            doubt.is_on = writes
            return work(connection)

        return await self._run(begun, again=True)

    async def transaction(self, work: Callable[[Connection], T], *, again: bool = False) -> T:
        """What the work gives, all of it in one transaction.

        Args:
            work: Is called with a connection; it may be called again after it was undone.
            again: Whether it may be called again when it is not known if the first time was committed.

        Raises:
            StoreUnavailable: The database cannot be used, or whether the work was committed is not known.
        """

        def within(connection: Connection, doubt: _Doubt) -> T:
            connection = connection.execution_options(isolation_level="READ COMMITTED")
            transaction = connection.begin()
            try:
                result = work(connection)
            except BaseException:
                transaction.close()
                raise
            doubt.is_on = True
            transaction.commit()
            return result

        return await self._run(within, again=again)

    async def _run(self, work: Callable[[Connection, _Doubt], T], *, again: bool) -> T:
        lost: BaseException | None = None  # what broke when it may have been done
        attempt = 1
        while True:
            doubt = _Doubt()
            try:
                return await self._once(work, doubt)
            except PoolExhausted:
                if lost is None:
                    raise self._exhausted() from None
                raise explained(lost, self.shown, in_doubt=True) from driver_error(lost)
            except FAILURES as error:
                is_repeatable = was_undone(error)
                if is_broken(error):
                    is_repeatable = again or not doubt.is_on
                    lost = error if doubt.is_on else lost
                if attempt == _ATTEMPTS or not is_repeatable:
                    raise explained(error, self.shown, in_doubt=lost is not None) from driver_error(error)
            attempt += 1

    async def _once(self, work: Callable[[Connection, _Doubt], T], doubt: _Doubt) -> T:
        pool = self._pool()
        if not self._is_checked:
            await pool.run(self._check)
        return await pool.run(lambda connection: work(connection, doubt))

    def _check(self, connection: Connection) -> None:
        check_revision(connection, shown=self.shown)
        self._is_checked = True

    async def check(self) -> None:
        """Make sure that the database can be used and has the tables that this code knows.

        Raises:
            StoreUnavailable: It cannot, or has none, older or newer ones.
        """
        await self.run(self._check)

    def _pool(self) -> Pool:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            with self._lock:
                if self._is_closed:
                    raise StoreUnavailable(f"the store of {self.shown} is closed: open another one.", key=self.shown)
                for each in [each for each in self._pools if each.is_closed()]:
                    del self._pools[each]
                pool = self._pools[loop] = Pool(self._settings)
        return pool

    def _exhausted(self) -> StoreUnavailable:
        settings = self._settings
        most = settings.pool_size + settings.max_overflow
        return StoreUnavailable(
            f"all {most} connections to {self.shown} were in use for {settings.pool_timeout_s:g} s: raise pool_size "
            f"(now {settings.pool_size}) or max_overflow (now {settings.max_overflow}), or wait longer with "
            f"pool_timeout_s. Nothing was written.",
            key=self.shown,
        )

    async def close(self) -> None:
        """Close the connections of every event loop that still runs, when their calls are done."""
        with self._lock:
            self._is_closed = True
            pools, self._pools = self._pools, {}
        here = asyncio.get_running_loop()
        for loop, pool in pools.items():
            if loop is here:
                await pool.close()
            elif loop.is_running():
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(pool.close(), loop))


class _Doubt:
    """Whether the work may have been done for good when the connection breaks now."""

    def __init__(self) -> None:
        self.is_on = False
