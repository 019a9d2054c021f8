"""What an engine calls to have a run done."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from uuid import UUID

from agent_runtime_core.engines import described_failure
from agent_runtime_core.errors import StoreError
from agent_runtime_core.interfaces import ErrorInfo
from agent_runtime_core.interfaces.run_engine import DurableContext
from agent_runtime_core.interfaces.runs import RunEnd, RunRequest
from django_agent_runtime.runtime.attempt import Attempt, AttemptFailed
from django_agent_runtime.runtime.completion import Completion
from django_agent_runtime.runtime.lanes import Lanes
from django_agent_runtime.runtime.rows import put_back
from django_agent_runtime.stores.database import Database

__all__ = ["DjangoWork", "described"]


class DjangoWork:
    """Does the runs of this process.

    Args:
        worker: The process.
        is_in_process: Whether the engine is that of this process.
        max_attempts: How often a run is attempted at most, whatever it says itself.
    """

    def __init__(self, worker: str, *, is_in_process: bool, max_attempts: int | None = None) -> None:
        self._max_attempts = max_attempts
        self._worker = worker
        self._is_in_process = is_in_process
        self.lanes = Lanes()
        """Where they use the ORM."""
        self.completion = Completion(self.lanes)
        """What comes behind the runs."""
        self.on: set[str] = set()
        """The runs that are on."""

    async def __call__(self, durable: DurableContext) -> RunEnd:
        """Do one run.

        Raises:
            AttemptFailed: The attempt has failed.
        """
        run_id = durable.request.run_id
        self.on.add(run_id)
        attempt = Attempt(
            durable,
            self._worker,
            is_in_process=self._is_in_process,
            on_success=self.completion,
            max_attempts=self._max_attempts,
        )
        try:
            async with self.lanes.lane():
                try:
                    return await attempt.done()
                except asyncio.CancelledError:
                    await self._put_back(run_id)
                    raise
                except AttemptFailed:
                    raise
                except Exception:  # the database does not take the run up, such as for want of a migration
                    await self._put_back(run_id)
                    raise
        finally:
            self.on.discard(run_id)

    async def _put_back(self, run_id: str) -> None:
        """Let whoever looks round have the run; a durable engine knows itself that it has it back."""
        if not self._is_in_process:
            return
        with suppress(StoreError):  # its lease runs out
            await Database(None).run(lambda alias: put_back(alias, UUID(run_id), self._worker))


def described(request: RunRequest, error: Exception) -> ErrorInfo:
    """What the engine is told of a failure."""
    if isinstance(error, AttemptFailed):
        info = error.info
        return ErrorInfo(type=info.type, message=info.message, retriable=info.retriable)
    return described_failure(request, error)
