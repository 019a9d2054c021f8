"""The thread that Django keeps for each request under ASGI: a stream has no use for it once it is open."""

from __future__ import annotations

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import connections

__all__ = ["give_back_thread"]


async def give_back_thread() -> None:
    """End the request's thread, and its connections to databases; what needs one later gets another.

    Django opens one thread per request for middleware and views that are not async, and keeps it until the response
    has ended, which is hours for a stream.
    """
    context = SyncToAsync.thread_sensitive_context.get(None)
    if context is None or context not in SyncToAsync.context_to_thread_executor:
        return
    if getattr(context, "_executor", None) is not None:  # the server's, for all requests
        return
    await sync_to_async(_close_connections)()
    executor = SyncToAsync.context_to_thread_executor.pop(context, None)
    if executor is not None:
        executor.shutdown(wait=False)


def _close_connections() -> None:
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
