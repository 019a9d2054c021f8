"""How long a call may take, and the clock that ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, fields
from typing import Any, Self, TypeVar

from agent_runtime_core.errors import ConfigError, LLMTimeout

__all__ = ["CallClock", "Timeouts"]

T = TypeVar("T")


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
        self._waiting: asyncio.Task[Any] | None = None  # who is to be cancelled when the time is up
        self._due = 0.0
        self._rang = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def within(self, limit_s: float | None, answer: Awaitable[T], what: str) -> T:
        """Wait for the answer, for `limit_s` seconds and no longer than there is time left.

        Args:
            limit_s: Seconds for this answer alone, or None.
            answer: What to wait for; it is cancelled when time is up.
            what: What it means when it does not come in `limit_s`, for the error: `No first token within 3 s`.

        Raises:
            LLMTimeout: Time was up.
        """
        left_s = self.left_s
        bound_s = limit_s if left_s is None or (limit_s is not None and limit_s < left_s) else left_s
        task = asyncio.current_task()
        if bound_s is None or task is None:
            return await answer
        loop = asyncio.get_running_loop()
        start = loop.time()
        self._due = start + bound_s
        if self._timer is None or self._timer.when() > self._due:
            self._set_timer(loop)
        self._waiting, self._rang = task, False
        cancelling = task.cancelling()
        timed_out = False
        try:
            return await answer
        except asyncio.CancelledError:
            # As in asyncio.timeout: a cancellation from elsewhere, at the same moment, goes on.
            timed_out = self._rang and task.uncancel() <= cancelling
            self._rang = False
            if not timed_out:
                raise
        finally:
            self._waiting = None
            if self._rang:  # something else than the cancellation came of it
                task.uncancel()
            if left_s is not None:
                self.left_s = left_s - (loop.time() - start)
        raise self._timed_out(what if limit_s == bound_s else None)

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(self._due, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
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
