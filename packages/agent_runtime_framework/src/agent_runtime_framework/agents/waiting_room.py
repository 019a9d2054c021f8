"""Messages of this process that wait for their turn: who ends a run wakes the next one, without asking the store."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from agent_runtime_core.interfaces import CheckpointStore

__all__ = ["WaitingRoom", "call_next", "waiting_room"]

_Conversation = tuple[str, str]
"""Owner and id."""


@dataclass(slots=True, eq=False)
class _Seat:
    ahead: int
    merges: bool
    loop: asyncio.AbstractEventLoop
    called: asyncio.Event = field(default_factory=asyncio.Event)


class WaitingRoom:
    """Seats for those who wait at one store. Any thread may call.

    It only saves time: the line itself is in the store, and who is not called asks there again before long.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seats: dict[_Conversation, list[_Seat]] = {}

    async def wait(self, conversation: _Conversation, *, ahead: int, merges: bool, timeout_s: float) -> None:
        """Sit until called, or until the time is over.

        Args:
            conversation: Owner and id.
            ahead: How many messages wait before this one.
            merges: Whether this message may be answered together with one before it.
            timeout_s: How long to sit at most.
        """
        seat = _Seat(ahead, merges, asyncio.get_running_loop())
        with self._lock:
            self._seats.setdefault(conversation, []).append(seat)
        try:
            async with asyncio.timeout(timeout_s):
                await seat.called.wait()
        except TimeoutError:
            pass
        finally:
            with self._lock:
                seats = self._seats[conversation]
                seats.remove(seat)
                if not seats:
                    del self._seats[conversation]

    def call(self, conversation: _Conversation) -> None:
        """Wake whoever can go now that a run of this conversation is over."""
        if conversation not in self._seats:
            return
        with self._lock:
            seats = self._seats.get(conversation, [])
            first = min((seat.ahead for seat in seats), default=0)
            called = [seat for seat in seats if seat.ahead == first or seat.merges]
        for seat in called:
            try:
                seat.loop.call_soon_threadsafe(seat.called.set)
            except RuntimeError:  # the loop has been closed: nobody sits there any more
                continue


_ROOMS: WeakKeyDictionary[CheckpointStore, WaitingRoom] = WeakKeyDictionary()


def waiting_room(store: CheckpointStore) -> WaitingRoom:
    """The room of a store; those that cannot be told apart have one of their own for each call."""
    try:
        room = _ROOMS.get(store)
        return _ROOMS.setdefault(store, WaitingRoom()) if room is None else room
    except TypeError:  # a store that cannot be hashed or weakly referenced
        return WaitingRoom()


def call_next(store: CheckpointStore, conversation: _Conversation) -> None:
    """Wake whoever waits at this store for a run of this conversation to be over.

    Args:
        store: Where the conversation is.
        conversation: Owner and id.
    """
    if _ROOMS:  # most processes never have anybody wait
        waiting_room(store).call(conversation)
