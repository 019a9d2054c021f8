"""A bound on the calls that a client makes at the same time."""

from __future__ import annotations

import asyncio
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

    def one(self, clock: CallClock) -> _Slot:
        """A context manager that holds a slot for its block.

        Raises:
            LLMTimeout: None came free in the time of the call.
        """
        if self.limit is None:
            return _Slot(None, clock)
        loop = asyncio.get_running_loop()
        semaphore = self._here.get(loop)
        if semaphore is None:  # a semaphore belongs to the event loop in which somebody has waited for it
            semaphore = self._here[loop] = asyncio.Semaphore(self.limit)
        return _Slot(semaphore, clock)


class _Slot:
    """One slot, held for a block."""

    __slots__ = ("_clock", "_semaphore")

    def __init__(self, semaphore: asyncio.Semaphore | None, clock: CallClock) -> None:
        self._semaphore = semaphore
        self._clock = clock

    async def __aenter__(self) -> None:
        if self._semaphore is None:
            return
        if self._semaphore.locked():
            with self._clock.within(None, ""):
                await self._semaphore.acquire()
        else:
            await self._semaphore.acquire()

    async def __aexit__(self, *_: object) -> None:
        if self._semaphore is not None:
            self._semaphore.release()
