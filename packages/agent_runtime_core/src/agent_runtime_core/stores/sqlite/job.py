"""A piece of work for the thread of a SQLite store, and whoever waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

__all__ = ["Job"]


class Job:
    """One read or one write; it ends with a result or an error, whatever happens to the others.

    Args:
        work: Called on the thread with a cursor and the arguments. It may run twice, the first time undone.
        arguments: What comes behind the cursor.
        writes: Whether it writes.
        loop: The event loop that waits.
        future: Takes the outcome, on that loop.
        erases: Whether texts go for good, which then must not stay in the log either.
    """

    __slots__ = ("arguments", "erases", "error", "future", "loop", "result", "work", "writes")

    def __init__(
        self,
        work: Callable[..., Any],
        arguments: tuple[Any, ...],
        writes: bool,
        loop: asyncio.AbstractEventLoop,
        future: asyncio.Future[Any],
        erases: bool = False,
    ) -> None:
        self.work = work
        self.arguments = arguments
        self.writes = writes
        self.loop = loop
        self.future = future
        self.erases = erases
        self.result: Any = None
        self.error: Exception | None = None

    def settle(self) -> None:
        """Hand the outcome to the future; one that was cancelled meanwhile is left alone."""
        future = self.future
        if not future.done():
            if self.error is None:
                future.set_result(self.result)
            else:
                future.set_exception(self.error)
