"""How long a call may take, and the clock that ends it."""

from __future__ import annotations

import asyncio
from asyncio import current_task
from dataclasses import dataclass, fields
from time import monotonic
from typing import Any, Self

from agent_runtime_core.errors import ConfigError, LLMTimeout

__all__ = ["CallClock", "Timeouts", "Wait"]

_NEVER = float("inf")


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Bounds of one call in seconds; None means no bound.

    Raises:
        ConfigError: A bound is not above zero.
    """

    connect_s: float | None = 5.0
    """Until there is a connection. It is kept by the vendor's SDK, so only for clients of `get_llm_client`."""
    first_token_s: float | None = 180.0
    """From a streamed request to the first piece of its answer; reasoning models think for minutes."""
    between_tokens_s: float | None = 60.0
    """Between two pieces of a streamed answer."""
    total_s: float | None = 600.0
    """The whole call, with its retries and their pauses. What a stream's reader does meanwhile does not count."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if value is not None and not (isinstance(value, (int, float)) and value > 0):
                raise ConfigError(f"Timeouts.{each.name} must be above 0 seconds or None, not {value!r}")


class CallClock:
    """What is left of the time of one call; a context manager, so that nothing is left behind.

    All waits of a call share one timer, which is set anew only when it rings too late or too early: a timeout object
    for each piece of a stream would cost more than what it guards.

    Args:
        total_s: The time that there is; None for as long as it takes.
        provider: Who is asked, for the error.
        model: The model that is asked, for the error.
    """

    def __init__(self, total_s: float | None, *, provider: str = "", model: str = "") -> None:
        self.left_s = total_s
        """Seconds left; None when there is no bound."""
        self._total_s = total_s
        self._provider = provider
        self._model = model
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = _NEVER
        self._due = 0.0
        self._waiting: asyncio.Task[Any] | None = None  # who is to be cancelled when the time is up
        self._rang = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._rings_at = None, _NEVER

    def within(self, limit_s: float | None, what: str) -> Wait:
        """A wait of `limit_s` seconds, and of no longer than there is time left; may be used again and again.

        Args:
            limit_s: Seconds for this wait alone, or None.
            what: What it means when they are over, for the error: `No first token within 3 s`.
        """
        return Wait(self, limit_s, what)

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._rings_at = loop.call_at(self._due, self._ring, loop), self._due

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer, self._rings_at = None, _NEVER
        if self._waiting is None:
            return  # nobody waits: the next one who does sets a timer
        if loop.time() < self._due:
            self._set_timer(loop)
            return
        self._rang = True
        self._waiting.cancel()

    def allows(self, pause_s: float) -> bool:
        """Whether there is time for a pause, and for something after it."""
        return self.left_s is None or pause_s < self.left_s

    def spend(self, seconds: float) -> None:
        """Count a pause."""
        if self.left_s is not None:
            self.left_s -= seconds

    def _timed_out(self, what: str | None) -> LLMTimeout:
        if what is None:
            what = f"The {self._total_s:g} s of the whole call are over (Timeouts.total_s)"
        model = f", model {self._model!r}" if self._model else ""
        text = f"{what}{model}. Give it longer, or ask less."
        return LLMTimeout(text, provider=self._provider, model=self._model)


class Wait:
    """A wait of a call, made by `CallClock.within`: what is awaited in its block is cancelled when time is up.

    Raises:
        LLMTimeout: Time was up.
    """

    __slots__ = ("_cancelling", "_clock", "_limit_s", "_loop", "_now", "_start", "_task", "_what")

    def __init__(self, clock: CallClock, limit_s: float | None, what: str) -> None:
        self._clock = clock
        self._limit_s = limit_s
        self._what = what
        self._loop = loop = asyncio.get_running_loop()
        # Most loops only hand on what `monotonic` says: asked directly, it answers in a third of the time.
        self._now = monotonic if type(loop).time is asyncio.BaseEventLoop.time else loop.time

    def __enter__(self) -> None:
        # Written out rather than in methods: this runs for each piece of a stream, and calls are most of its cost.
        clock = self._clock
        bound_s, left_s = self._limit_s, clock.left_s
        if left_s is not None and (bound_s is None or left_s < bound_s):
            bound_s = left_s
        self._task = task = None if bound_s is None else current_task(self._loop)
        if task is None or bound_s is None:
            return
        self._cancelling = task.cancelling()
        self._start = start = self._now()
        clock._waiting = task
        clock._due = due = start + bound_s
        if due < clock._rings_at:
            clock._set_timer(self._loop)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        task = self._task
        if task is None:
            return
        clock = self._clock
        clock._waiting = None
        left_s = clock.left_s
        if left_s is not None:
            clock.left_s = left_s - (self._now() - self._start)
        if not clock._rang:
            return
        clock._rang = False
        # As in asyncio.timeout: a cancellation from elsewhere, at the same moment, goes on.
        alone = task.uncancel() <= self._cancelling
        if alone and kind is not None and issubclass(kind, asyncio.CancelledError):
            own_limit = self._limit_s is not None and (left_s is None or self._limit_s <= left_s)
            raise clock._timed_out(self._what if own_limit else None) from None
