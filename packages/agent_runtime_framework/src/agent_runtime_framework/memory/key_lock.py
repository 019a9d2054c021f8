"""One at a time for each key, across tasks, event loops and threads."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

__all__ = ["KeyLock"]


class KeyLock:
    """Lets one task at a time work on a key, in the order in which they came.

    An `asyncio.Lock` belongs to one event loop; hosts that start a loop for each request need this one.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # a key is there while somebody holds it

    @asynccontextmanager
    async def holding(self, key: str) -> AsyncGenerator[None]:
        """Wait for the key, and hold it in the body of the `async with`."""
        await self._acquire(key)
        try:
            yield
        finally:
            self._release(key)

    async def _acquire(self, key: str) -> None:
        with self._guard:
            queue = self._waiting.get(key)
            if queue is None:
                self._waiting[key] = deque()
                return
            turn = asyncio.get_running_loop().create_future()
            queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            with self._guard:
                still_waiting = turn in queue
                if still_waiting:
                    queue.remove(turn)
            if not still_waiting:  # the key was handed over in the same moment: pass it on
                self._release(key)
            raise

    def _release(self, key: str) -> None:
        with self._guard:
            queue = self._waiting[key]
            while queue:
                turn = queue.popleft()
                try:
                    turn.get_loop().call_soon_threadsafe(_wake, turn)
                except RuntimeError:  # its loop was closed, so nobody waits there any more
                    continue
                return
            del self._waiting[key]


def _wake(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
