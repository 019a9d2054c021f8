"""Waiting for a database that is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError

from agent_runtime_core.errors import StoreUnavailable

__all__ = ["persistently"]

T = TypeVar("T")

_LOGGER = logging.getLogger("django_agent_runtime.runtime")

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0


async def persistently(run_id: UUID, work: Callable[[], Awaitable[T]]) -> T:
    """What the work gives; while the database is away, it is tried again until it is back.

    Raises:
        StoreUnavailable: The database is there, and refuses: waiting would not help.
    """
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            return await work()
        except StoreUnavailable as error:
            if not isinstance(error.__cause__, (OperationalError, InterfaceError)) or "migrate" in str(error):
                raise
            _LOGGER.warning("Run %s waits for the database: %s", run_id, error)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
