"""Messages of this process on their way to a run: in line as they were sent, and called when a run ends."""

from __future__ import annotations

import asyncio
import threading
from weakref import WeakKeyDictionary

from agent_runtime_core.interfaces import CheckpointStore

__all__ = ["Seat", "WaitingRoom", "waiting_room"]

_Conversation = tuple[str, str]
"""Owner and id."""


class WaitingRoom:
    """Seats for the messages to one store. Any thread may enter and call.

    The line itself is in the store. The room sees to it that the messages of one event loop come there in the order
    in which they were sent, and saves time: who is not called asks the store again before long.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        """Guards the seats."""
        self.seats: dict[_Conversation, list[Seat]] = {}
        """The seats that are taken, in their order."""

    def enter(self, conversation: _Conversation, *, merges: bool) -> Seat:
        """Take the last seat of the conversation; it has to be left again.

        Args:
            conversation: Owner and id.
            merges: Whether the message may be answered together with one before it.
        """
        seat = Seat(self, conversation, merges)
        with self.lock:
            self.seats.setdefault(conversation, []).append(seat)
        return seat

    def call(self, conversation: _Conversation) -> None:
        """Wake whoever can go now that a run of this conversation is over."""
        if conversation not in self.seats:
            return
        with self.lock:
            # Of a loop that was closed, nobody comes any more.
            seats = [seat for seat in self.seats.get(conversation, ()) if not seat.loop.is_closed()]
        for place, seat in enumerate(seats):
            if place == 0 or seat.merges:
                try:
                    seat.loop.call_soon_threadsafe(seat.wake)
                except RuntimeError:  # closed this very moment
                    continue


class Seat:
    """One message's place, from before the store is first asked until it has its turn."""

    __slots__ = ("_arrival", "_bell", "_conversation", "_has_arrived", "_is_called", "_room", "loop", "merges")

    def __init__(self, room: WaitingRoom, conversation: _Conversation, merges: bool) -> None:
        self._room = room
        self._conversation = conversation
        self.merges = merges
        """Whether the message may be answered together with one before it."""
        self.loop = asyncio.get_running_loop()
        """Where its sender waits."""
        self._has_arrived = False
        self._arrival: asyncio.Event | None = None  # for those behind, if there are any
        self._is_called = False
        self._bell: asyncio.Event | None = None

    async def come_forward(self) -> None:
        """Wait until the messages in front that were sent in this event loop are known to the store."""
        while (coming := self._coming_before()) is not None:
            if coming._arrival is None:
                coming._arrival = asyncio.Event()
            await coming._arrival.wait()

    def has_arrived(self) -> None:
        """Take note that the message is known to the store: the next one may come forward."""
        self._has_arrived = True
        if self._arrival is not None:
            self._arrival.set()

    def listen(self) -> None:
        """Forget earlier calls."""
        self._is_called = False

    async def wait(self, timeout_s: float) -> None:
        """Sit until called, if that has not been since `listen`, or until the time is over."""
        if self._is_called:
            return
        self._bell = asyncio.Event()
        try:
            async with asyncio.timeout(timeout_s):
                await self._bell.wait()
        except TimeoutError:
            pass
        finally:
            self._bell = None

    def wake(self) -> None:
        """Call whoever sits here; only in its own event loop."""
        self._is_called = True
        if self._bell is not None:
            self._bell.set()

    def is_behind(self) -> bool:
        """Whether a message of this process is in front, whose run will call when it ends."""
        with self._room.lock:
            return next(seat for seat in self._room.seats[self._conversation] if not seat.loop.is_closed()) is not self

    def leave(self, *, with_turn: bool) -> None:
        """Give the seat up. Without a turn, whose end would call the next one, that is done now."""
        self.has_arrived()
        with self._room.lock:
            seats = self._room.seats[self._conversation]
            seats.remove(self)
            if not seats:
                del self._room.seats[self._conversation]
        if not with_turn:
            self._room.call(self._conversation)

    def _coming_before(self) -> Seat | None:
        """The last one in front that the store does not know yet."""
        with self._room.lock:
            seats = self._room.seats[self._conversation]
            if seats[0] is self:
                return None
            for seat in reversed(seats[: seats.index(self)]):
                if seat.loop is self.loop and not seat._has_arrived:
                    return seat
        return None


_ROOMS: WeakKeyDictionary[CheckpointStore, WaitingRoom] = WeakKeyDictionary()


def waiting_room(store: CheckpointStore) -> WaitingRoom:
    """The room of a store; those that cannot be told apart have one of their own for each call."""
    try:
        room = _ROOMS.get(store)
        return _ROOMS.setdefault(store, WaitingRoom()) if room is None else room
    except TypeError:  # a store that cannot be hashed or weakly referenced
        return WaitingRoom()
