"""The connections of one event loop: made with its first call, closed with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Connection, PoolProxiedConnection, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

__all__ = ["Pool", "PoolExhausted", "PoolSettings"]

T = TypeVar("T")


class PoolExhausted(Exception):
    """No connection became free in time."""


class PoolSettings:
    """What a pool is made with.

    Args:
        dsn: For the driver.
        pool_size: Connections that stay open.
        max_overflow: Connections that may be opened beyond those for a while.
        pool_timeout_s: How long to wait for a connection.
    """

    def __init__(self, dsn: str, pool_size: int, max_overflow: int, pool_timeout_s: float) -> None:
        self.dsn = dsn
        self.pool_size = pool_size
        self.max_overflow = max_overflow
        self.pool_timeout_s = pool_timeout_s

    def engine(self) -> AsyncEngine:
        """An engine for the running event loop."""
        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            hide_parameters=True,  # they are people's conversations
            pool_size=self.pool_size,
            max_overflow=self.max_overflow,
        )
        event.listen(engine.sync_engine, "checkout", _refuse_closed)
        return engine

    async def _connect(self) -> Any:
        return await asyncpg.connect(
            self.dsn,
            timeout=self.pool_timeout_s,
            server_settings={"default_transaction_isolation": "read committed", "jit": "off"},
        )


def _refuse_closed(connection: Any, record: object, proxy: PoolProxiedConnection) -> None:
    """Let the pool open another connection for one that the server has closed; the driver knows without asking."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


class Pool:
    """The connections of one event loop.

    A loop that ends as `asyncio.run` ends it closes them, as it closes every generator that was begun in it.
    """

    def __init__(self, settings: PoolSettings) -> None:
        self.loop = asyncio.get_running_loop()
        self._settings = settings
        self._engine = settings.engine()
        self._life = _life(self._engine)
        # The engine would let whoever asks again at once overtake those who wait; this one has a line.
        self._free = asyncio.Semaphore(settings.pool_size + settings.max_overflow)
        self._alive = False
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self, work: Callable[[Connection], T]) -> T:
        """What the work gives, on a connection of the pool; each statement is a transaction of its own.

        Raises:
            PoolExhausted: All connections were in use for too long.
            Exception: What the work, or opening a connection, raises.
        """
        if not self._alive:
            self._alive = True
            await anext(self._life)
        self._calls += 1
        self._idle.clear()
        try:
            await self._take_turn()
            try:
                # One greenlet for all of it: the engine's own asynchronous face takes one for each step.
                return await greenlet_spawn(self._work, work)
            finally:
                self._free.release()
        finally:
            self._calls -= 1
            if not self._calls:
                self._idle.set()

    async def _take_turn(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(self._settings.pool_timeout_s):
                await self._free.acquire()
        except TimeoutError:
            raise PoolExhausted from None

    def _work(self, work: Callable[[Connection], T]) -> T:
        with self._engine.sync_engine.connect() as connection:
            return work(connection)

    async def close(self) -> None:
        """Wait for the calls that are on, then close the connections."""
        await self._idle.wait()
        await self._life.aclose()
        await self._engine.dispose()


async def _life(engine: AsyncEngine) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await engine.dispose()
