"""The event loop in which this process executes and submits runs: on a thread of its own, under WSGI and ASGI alike."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["BackgroundLoop"]

T = TypeVar("T")


class BackgroundLoop:
    """A loop that runs until it is closed, or the process ends: its thread keeps none alive."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._run, name="django-agent-runtime", daemon=True).start()

    def call(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin a piece of work there, from any thread; calls are taken in their order."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self, last: Coroutine[Any, Any, None]) -> None:
        """Do a last piece of work there, and end; returns when that is done."""
        self.call(last).result()
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()
