"""Asking for an error, without pytest: the contracts can be imported where it is not installed."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

__all__ = ["refused"]

ErrorT = TypeVar("ErrorT", bound=Exception)


async def refused(call: Awaitable[object], kind: type[ErrorT]) -> ErrorT:
    """The error of this kind that the call raises.

    Raises:
        AssertionError: It raises none.
    """
    try:
        result = await call
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected; the call returned {result!r}")
