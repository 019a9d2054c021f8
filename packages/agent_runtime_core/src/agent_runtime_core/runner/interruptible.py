"""Work that a clock, another task or a cancelled caller can end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from agent_runtime_core.waiting import stop

__all__ = ["Interruptible"]


class Interruptible:
    """Does one piece of work after another, until somebody asks it to stop."""

    def __init__(self) -> None:
        self.stopped = False
        """Whether `interrupt` was called."""
        self._task: asyncio.Task[Any] | None = None

    def interrupt(self) -> None:
        """End the present work, and begin no other. From another thread: `loop.call_soon_threadsafe(...)`."""
        self.stopped = True
        if self._task is not None:
            self._task.cancel()

    async def do(self, work: Coroutine[Any, Any, Any], timeout_s: float | None = None) -> asyncio.Task[Any] | None:
        """The work as a task that has ended; None when it was out of time or not begun.

        Raises:
            asyncio.CancelledError: The caller was cancelled; the work has ended.
        """
        if self.stopped:
            work.close()
            return None
        self._task = task = asyncio.create_task(work)
        try:
            await asyncio.wait({task}, timeout=timeout_s)
        finally:
            self._task = None
            in_time = task.done()
            if not in_time:
                await stop(task)
        return task if in_time else None
