"""A time limit that costs nothing when the tool never waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Generator
from types import CoroutineType
from typing import Any, Generic, TypeVar

__all__ = ["ToolTimeout", "within"]

T = TypeVar("T")


class ToolTimeout(Exception):
    """The tool took too long and was cancelled; a `TimeoutError` of the tool itself is another error.

    Args:
        seconds: How long it might have taken.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"it took longer than {seconds:g} seconds")
        self.seconds = seconds


async def within(seconds: float, work: Awaitable[T]) -> T:
    """The result of `work`, if it is there in time.

    The work starts at once; a timer is only set when it begins to wait. (Most tools change a few fields and return:
    for them `asyncio.timeout` alone would cost as much as all else that the engine does in a turn.)

    Raises:
        ToolTimeout: It was not; the work was cancelled.
    """
    if not isinstance(work, CoroutineType):
        work = _awaiting(work)
    try:
        waiting_for = work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    try:
        async with asyncio.timeout(seconds) as clock:
            return await _Rest(work, waiting_for)
    except TimeoutError:
        if clock.expired():
            raise ToolTimeout(seconds) from None
        raise


async def _awaiting(work: Awaitable[T]) -> T:
    return await work


class _Rest(Generic[T]):
    """A coroutine that has begun to wait, as something to await to its end."""

    __slots__ = ("_waiting_for", "_work")

    def __init__(self, work: Coroutine[Any, Any, T], waiting_for: Any) -> None:
        self._work = work
        self._waiting_for = waiting_for

    def __await__(self) -> Generator[Any, Any, T]:
        waiting_for = self._waiting_for
        while True:
            try:
                try:
                    sent = yield waiting_for
                except BaseException as error:  # cancellation above all: it belongs to the work
                    waiting_for = self._work.throw(error)
                else:
                    waiting_for = self._work.send(sent)
            except StopIteration as done:
                result: T = done.value
                return result
