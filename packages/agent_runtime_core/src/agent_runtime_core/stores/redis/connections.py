"""The connections of one event loop: made with its first call, closed with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.asyncio.connection import BlockingConnectionPool, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from agent_runtime_core.stores.redis.address import Address

__all__ = ["Connections"]

T = TypeVar("T")


class Connections:
    """The connections of the running event loop.

    A loop that ends as `asyncio.run` ends it closes them, as it closes every generator that was begun in it.

    Args:
        address: Where the server is.
        max_connections: How many there may be; who needs another one waits.
        timeout_s: How long to wait for a connection, and for an answer.
    """

    def __init__(self, address: Address, max_connections: int, timeout_s: float) -> None:
        more: dict[str, Any] = {"connection_class": SSLConnection} if address.tls else {}
        pool = BlockingConnectionPool(
            max_connections=max_connections,
            timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            driver_info=None,  # it would be looked up on disk for each connection
            # Repeating is ours: we know which calls may be made twice.
            retry=Retry(NoBackoff(), 0),
            **more,
            **address.connection,
        )
        self._client = Redis(connection_pool=pool)
        self._life = _life(self._client)
        self._alive = False
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self, work: Callable[[Redis], Awaitable[T]]) -> T:
        """What the work gives, with a client of this event loop.

        Raises:
            Exception: What the work raises.
        """
        if not self._alive:
            self._alive = True
            await anext(self._life)
        self._calls += 1
        self._idle.clear()
        try:
            return await work(self._client)
        finally:
            self._calls -= 1
            if not self._calls:
                self._idle.set()

    async def close(self) -> None:
        """Wait for the calls that are on, then close the connections."""
        await self._idle.wait()
        await self._life.aclose()
        await self._client.aclose(close_connection_pool=True)


async def _life(client: Redis) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await client.aclose(close_connection_pool=True)
