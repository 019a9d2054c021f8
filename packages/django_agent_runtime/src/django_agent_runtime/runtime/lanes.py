"""Threads in which runs use the ORM: one for each run that is on, as a request has one under ASGI."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from asgiref.sync import SyncToAsync, ThreadSensitiveContext, sync_to_async
from django.db import close_old_connections, connections

__all__ = ["Lanes"]


class Lanes:
    """As many threads as runs are on at once; a thread serves one run after the other.

    So a slow tool of one run keeps no other waiting, and database connections live as `CONN_MAX_AGE` says.
    """

    def __init__(self) -> None:
        self._idle: list[ThreadSensitiveContext] = []

    @asynccontextmanager
    async def lane(self) -> AsyncGenerator[None, None]:
        """Have `sync_to_async` use a thread of its own, in the block and in the tasks that are begun there."""
        # Not entered, which would end its thread with the block.
        context = self._idle.pop() if self._idle else ThreadSensitiveContext()
        token = SyncToAsync.thread_sensitive_context.set(context)
        try:
            yield
        finally:
            try:
                await sync_to_async(close_old_connections)()
            finally:
                SyncToAsync.thread_sensitive_context.reset(token)
                self._idle.append(context)

    async def close(self) -> None:
        """Close the connections of the threads that serve no run, also those that were opened after one had ended."""
        while self._idle:
            context = self._idle.pop()
            token = SyncToAsync.thread_sensitive_context.set(context)
            try:
                await sync_to_async(connections.close_all)()
            finally:
                SyncToAsync.thread_sensitive_context.reset(token)
