"""Waiting for work to end even when the one who waits is cancelled meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["done_in_thread", "stop"]

T = TypeVar("T")


async def done_in_thread(work: Callable[..., T], *arguments: Any) -> T:
    """Do blocking work on a thread and return its result.

    A thread cannot be interrupted. So a cancellation is raised when the work has ended: nothing that was begun here
    happens behind the back of what comes next.

    Raises:
        asyncio.CancelledError: The caller was cancelled; the work is done.
        Exception: Whatever the work raises.
    """
    task = asyncio.create_task(asyncio.to_thread(work, *arguments))
    cancellation: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancellation = error
    if cancellation is not None:
        task.exception()  # the caller has left; asyncio would complain that nobody has looked
        raise cancellation
    return task.result()


async def stop(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end, whatever that is. A task that has ended is left as it is.

    Raises:
        asyncio.CancelledError: The caller was cancelled meanwhile; the task has ended.
    """
    cancellation: asyncio.CancelledError | None = None
    task.cancel()
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancellation = error
            task.cancel()
    if not task.cancelled():
        task.exception()  # not lost: the caller may ask for it; asyncio would complain if he does not
    if cancellation is not None:
        raise cancellation
