"""The events of a run as server-sent events: what is there, what comes, and the end."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import Error
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from django_agent_runtime.api.opening import Opening, opened
from django_agent_runtime.api.request_thread import give_back_thread
from django_agent_runtime.api.stream_description import StreamDescription
from django_agent_runtime.conf import runtime_settings
from django_agent_runtime.runtime.events import Event, afollow_on, follow

__all__ = ["async_event_stream", "event_stream", "sync_event_stream"]

_LOGGER = logging.getLogger("django_agent_runtime.api")

_KEEPALIVE = ": keepalive\n\n"
_LINE_ENDS = str.maketrans("", "", "\r\n\0")


async def event_stream(request: HttpRequest, run_id: Any) -> HttpResponseBase:
    """The events of a run: without a thread per reader under ASGI; with one, the server's own, under WSGI."""
    if isinstance(request, ASGIRequest):
        return await async_event_stream(request, run_id)
    return await sync_to_async(sync_event_stream)(request, run_id)


# Where a description of the API looks.
event_stream.cls, event_stream.initkwargs = StreamDescription, {}  # type: ignore[attr-defined]


async def async_event_stream(request: HttpRequest, run_id: Any) -> HttpResponseBase:
    """The events of a run, read in an event loop. A request that may not read them gets JSON, `{"error": ...}`."""
    opening = await sync_to_async(opened)(request, run_id)
    return opening if isinstance(opening, HttpResponse) else _response(_read(opening))


def sync_event_stream(request: HttpRequest, run_id: Any) -> HttpResponseBase:
    """The same, read in the thread of the request."""
    opening = opened(request, run_id)
    return opening if isinstance(opening, HttpResponse) else _response(_read_in_thread(opening))


class Frames:
    """Turns events into what is sent."""

    def __init__(self, opening: Opening) -> None:
        self._shows = opening.shows
        self.silence_s = float(runtime_settings().SSE_KEEPALIVE_SECONDS)
        self._sent_at = time.monotonic()

    def of(self, event: Event | None) -> str:
        """What is sent for an event, or for none; empty where there is nothing to send."""
        if event is not None and self._shows(event):
            frame = f"event: {event.event_type.translate(_LINE_ENDS)}\ndata: {json.dumps(event.to_dict())}\n"
            frame += f"id: {event.seq}\n\n"
        elif event is None or time.monotonic() - self._sent_at >= self.silence_s:
            frame = _KEEPALIVE  # also where much happens that is not shown
        else:
            return ""
        self._sent_at = time.monotonic()
        return frame


async def _read(opening: Opening) -> AsyncGenerator[str, None]:
    await give_back_thread()
    frames = Frames(opening)
    for event in opening.events:
        if frame := frames.of(event):
            yield frame
    if opening.is_over:
        return
    async with aclosing(afollow_on(opening.run_id, opening.next_seq, silence_s=frames.silence_s)) as events:
        async for each in events:
            if frame := frames.of(each):
                yield frame


def _read_in_thread(opening: Opening) -> Generator[str, None, None]:
    frames = Frames(opening)
    for event in opening.events:
        if frame := frames.of(event):
            yield frame
    if opening.is_over:
        return
    try:
        for each in follow(opening.run_id, opening.next_seq, silence_s=frames.silence_s):
            if frame := frames.of(each):
                yield frame
    except Error as error:  # whoever reads comes back with the number of the last event
        _LOGGER.warning("A stream of run %s has ended: %s", opening.run_id, type(error).__name__)


def _response(frames: Any) -> StreamingHttpResponse:
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(frames, content_type="text/event-stream", headers=headers)
