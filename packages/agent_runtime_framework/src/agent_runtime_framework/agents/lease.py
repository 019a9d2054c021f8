"""The lease of a run: held while the run lasts, renewed in time, given back however it ends."""

from __future__ import annotations

import asyncio
import logging

from agent_runtime_core.errors import StoreError
from agent_runtime_core.interfaces import CheckpointStore
from agent_runtime_framework.agents.waiting_room import call_next

__all__ = ["Lease"]

_LOGGER = logging.getLogger("agent_runtime_framework.agents.lease")

_RENEWALS_PER_LEASE = 3

_TASKS: set[asyncio.Task[None]] = set()
"""Renewals and releases under way: a loop keeps no hold of its tasks."""


class Lease:
    """A conversation that belongs to one run.

    Args:
        store: Where the conversation is.
        owner: Whose it is.
        conversation_id: Names it.
        token: What `begin` gave.
        seconds: How long the lease holds without a renewal.
    """

    __slots__ = ("_conversation_id", "_loop", "_owner", "_renewal", "_seconds", "_store", "token")

    def __init__(self, store: CheckpointStore, owner: str, conversation_id: str, *, token: int, seconds: float) -> None:
        self._store = store
        self._owner = owner
        self._conversation_id = conversation_id
        self._seconds = seconds
        self.token: int | None = token
        """What a commit of the run names; None once the lease has ended."""
        self._loop = asyncio.get_running_loop()
        self._renewal = self._loop.call_later(seconds / _RENEWALS_PER_LEASE, self._renew)

    def ended(self) -> None:
        """Take note that the store has ended the lease, with the run's last commit."""
        self.token = None
        self._renewal.cancel()
        call_next(self._store, (self._owner, self._conversation_id))

    async def give_back(self) -> None:
        """End a lease that no commit has ended: the run broke off. A failing store is logged: the lease runs out."""
        token = self.token
        if token is None:
            return
        self.token = None
        self._renewal.cancel()
        # As a task of its own, because whoever cancels the run may cancel again while it is given back.
        await asyncio.shield(_started(self._release(token)))

    async def _release(self, token: int) -> None:
        try:
            await self._store.release(self._conversation_id, token, owner=self._owner)
        except StoreError as error:
            _LOGGER.warning(
                "The lease of conversation %r could not be given back (%s); it runs out in %s s.",
                self._conversation_id,
                type(error).__name__,
                self._seconds,
            )
        call_next(self._store, (self._owner, self._conversation_id))

    def _renew(self) -> None:
        _started(self._renewed())

    async def _renewed(self) -> None:
        token = self.token
        if token is None:
            return
        try:
            held = await self._store.renew(self._conversation_id, token, lease_seconds=self._seconds, owner=self._owner)
        except StoreError as error:
            _LOGGER.warning(
                "The lease of conversation %r could not be renewed (%s).", self._conversation_id, type(error).__name__
            )
            held = True  # for all that is known
        if not held:
            if self.token is not None:
                _LOGGER.warning(
                    "Conversation %r was taken over by another run: this one was silent for longer than %s s. "
                    "What it still does will not be stored.",
                    self._conversation_id,
                    self._seconds,
                )
        elif self.token is not None:
            self._renewal = self._loop.call_later(self._seconds / _RENEWALS_PER_LEASE, self._renew)


def _started(work: object) -> asyncio.Task[None]:
    task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)  # type: ignore[arg-type]
    _TASKS.add(task)
    task.add_done_callback(_TASKS.discard)
    return task
