"""A bound on the calls that a client makes at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.llm.timeouts import CallClock

__all__ = ["Slots"]


class Slots:
    """Lets so many calls through at once; the others wait for their turn. Each event loop has its own count.

    Args:
        limit: Calls at the same time; None for any number.

    Raises:
        ConfigError: The limit is below 1.
    """

    def __init__(self, limit: int | None) -> None:
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
            raise ConfigError(f"max_concurrency must be a whole number, at least 1, or None, not {limit!r}")
        self.limit = limit
        """Calls at the same time; None for any number."""
        self._here: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    @asynccontextmanager
    async def one(self, clock: CallClock) -> AsyncGenerator[None, None]:
        """Hold a slot for the block.

        Raises:
            LLMTimeout: None came free in the time of the call.
        """
        if self.limit is None:
            yield
            return
        loop = asyncio.get_running_loop()
        semaphore = self._here.get(loop)
        if semaphore is None:  # a semaphore belongs to the event loop in which somebody has waited for it
            semaphore = self._here[loop] = asyncio.Semaphore(self.limit)
        if semaphore.locked():
            await clock.within(None, semaphore.acquire(), "")
        else:
            await semaphore.acquire()
        try:
            yield
        finally:
            semaphore.release()
