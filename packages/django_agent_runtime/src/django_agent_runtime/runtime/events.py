"""The events of runs as readers get them, and following runs while they are on."""

from __future__ import annotations

import queue
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import DEFAULT_DB_ALIAS, router
from django.utils import timezone

from django_agent_runtime.conf import get_event_visibility
from django_agent_runtime.models import AgentEvent, AgentRun
from django_agent_runtime.models.base import TERMINAL
from django_agent_runtime.runtime.event_feed import AsyncFollower, Row, SyncFollower, present_feed

__all__ = ["Event", "afollow", "afollow_on", "follow", "read_events"]


@dataclass
class Event:
    """A fact about a run, and who may see it."""

    run_id: UUID
    seq: int
    event_type: str
    payload: dict[str, Any] = field(default_factory=dict)
    timestamp: datetime = field(default_factory=timezone.now)
    visibility_level: str = "user"
    ui_visible: bool = True

    @classmethod
    def of(cls, row: Row) -> Self:
        """An event as its row tells it, with what the settings say of its visibility now."""
        run_id, seq, event_type, payload, timestamp = row
        level, shown = get_event_visibility(event_type)
        return cls(run_id, seq, event_type, payload, timestamp, level, shown)

    def to_dict(self) -> dict[str, Any]:
        """JSON data: `run_id`, `seq`, `type`, `payload`, `ts`, `visibility_level`, `ui_visible`."""
        return {
            "run_id": str(self.run_id),
            "seq": self.seq,
            "type": self.event_type,
            "payload": self.payload,
            "ts": self.timestamp.isoformat(),
            "visibility_level": self.visibility_level,
            "ui_visible": self.ui_visible,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The event that `to_dict` gave; the two of visibility may be missing."""
        return cls(
            run_id=UUID(data["run_id"]),
            seq=data["seq"],
            event_type=data["type"],
            payload=data["payload"],
            timestamp=datetime.fromisoformat(data["ts"]),
            visibility_level=data.get("visibility_level", "user"),
            ui_visible=data.get("ui_visible", True),
        )


def read_events(run_id: UUID, from_seq: int = 0) -> tuple[bool, list[Event]]:
    """Whether a run is over, and its events from this number on; if it is over, these are all of them.

    A run that does not exist is over.
    """
    alias = router.db_for_write(AgentRun) or DEFAULT_DB_ALIAS
    # In this order: a run's status and its last event are written in one transaction.
    status = AgentRun.objects.using(alias).filter(pk=run_id).values_list("status", flat=True).first()
    rows = AgentEvent.objects.using(alias).filter(run=run_id, seq__gte=from_seq).order_by("seq")
    found = rows.values_list("run_id", "seq", "event_type", "payload", "timestamp")
    return status is None or status in TERMINAL, [Event.of(row) for row in found]


def follow(run_id: UUID, from_seq: int = 0, *, silence_s: float = 15.0) -> Generator[Event | None, None, None]:
    """The events of a run from this number on, as they come, until it is over; None after a silence of so many seconds.

    What is there is read at once, with the connection of the caller; then all readers of this process share two queries
    for all their runs.
    """
    is_over, events = read_events(run_id, from_seq)
    yield from events
    if is_over:
        return
    follower = SyncFollower(run_id, events[-1].seq + 1 if events else from_seq)
    with present_feed().followed(follower):
        while True:
            try:
                row = follower.next(silence_s)
            except queue.Empty:
                yield None
                continue
            if row is None:
                return
            yield Event.of(row)


async def afollow(run_id: UUID, from_seq: int = 0, *, silence_s: float = 15.0) -> AsyncGenerator[Event | None, None]:
    """As `follow`, in an event loop."""
    is_over, events = await sync_to_async(read_events)(run_id, from_seq)
    for event in events:
        yield event
    if is_over:
        return
    next_seq = events[-1].seq + 1 if events else from_seq
    async with aclosing(afollow_on(run_id, next_seq, silence_s=silence_s)) as coming:
        async for each in coming:
            yield each


async def afollow_on(run_id: UUID, next_seq: int, *, silence_s: float) -> AsyncGenerator[Event | None, None]:
    """As `afollow`, for whoever has read what is there; this reader needs no thread and no connection of its own."""
    follower = AsyncFollower(run_id, next_seq)
    with present_feed().followed(follower):
        while True:
            try:
                row = await follower.next(silence_s)
            except TimeoutError:
                yield None
                continue
            if row is None:
                return
            yield Event.of(row)
