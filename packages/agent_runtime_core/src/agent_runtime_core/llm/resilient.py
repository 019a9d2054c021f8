"""A client that waits, tries again and bounds its calls, around any client."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from time import monotonic
from typing import Any

from agent_runtime_core.errors import LLMError
from agent_runtime_core.interfaces.llm import LLMClient, LLMResponse, LLMStreamChunk
from agent_runtime_core.llm.asking import (
    AnyClient,
    chunk_says_something,
    close_client,
    close_stream,
    model_asked,
    open_stream,
)
from agent_runtime_core.llm.retries import Retries
from agent_runtime_core.llm.slots import Slots
from agent_runtime_core.llm.timeouts import CallClock, Timeouts
from agent_runtime_core.messages import MessageDict

__all__ = ["MAX_CONCURRENCY", "ResilientClient"]

_LOGGER = logging.getLogger("agent_runtime_core.llm.resilient")
MAX_CONCURRENCY = 1000
"""Calls at the same time when nothing else is said: as many as the connections that the vendors' SDKs keep."""


class ResilientClient(LLMClient):
    """Stands in for a client: its calls have timeouts, are tried again, and are bounded in number.

    Only `LLMRateLimited`, `LLMTimeout` and `LLMUnavailable` are tried again, and nothing is once a piece of the answer
    has been passed on. Cancelling a call, or closing its stream, ends it at once, in a pause as well.

    Attributes that this class does not have are those of the client inside, to read and to set, and `isinstance` sees
    the class of that client, too.

    Args:
        client: The client to ask: an `LLMClient`, or any object with `generate`.
        timeouts: How long a call may take.
        retries: How often, and after which pauses, it is tried again.
        max_concurrency: Calls at the same time in one event loop; the others wait their turn. None: any number.
        provider: Who is asked, for timeouts' errors, as in `get_llm_client(provider=...)`.
        sleep: Waits for a number of seconds; for tests.
        chance: Gives random numbers from 0 to 1; for tests.

    Raises:
        ConfigError: `max_concurrency` is below 1.
    """

    wrapped: AnyClient
    """The client inside."""
    timeouts: Timeouts
    """How long a call may take."""
    retries: Retries
    """How often, and after which pauses, it is tried again."""
    provider: str
    """Who is asked; empty when nobody has said so."""
    _slots: Slots
    _sleep: Callable[[float], Awaitable[object]]
    _chance: Callable[[], float]
    _late: str

    def __init__(
        self,
        client: AnyClient,
        *,
        timeouts: Timeouts = Timeouts(),  # noqa: B008  # frozen
        retries: Retries = Retries(),  # noqa: B008  # frozen
        max_concurrency: int | None = MAX_CONCURRENCY,
        provider: str = "",
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.wrapped = client
        self.timeouts = timeouts
        self.retries = retries
        named = getattr(client, "provider", None)
        self.provider = named if isinstance(named, str) and named else provider
        self._slots = Slots(max_concurrency)
        self._sleep = sleep
        self._chance = chance
        self._late = f"No further piece of the answer within {timeouts.between_tokens_s} s"

    @property
    def max_concurrency(self) -> int | None:
        """Calls at the same time in one event loop; None for any number."""
        return self._slots.limit

    async def generate(self, messages: list[MessageDict], **options: Any) -> LLMResponse:
        """The client's answer, after as many attempts as it takes.

        Args:
            messages: As for the client inside.
            **options: As for the client inside; what is not given here is not given there.

        Raises:
            LLMError: The last attempt failed, or the error is not worth another one. `LLMTimeout` also when time is up.
        """
        attempt = 1
        with self._clock(options) as clock:
            while True:
                try:
                    async with self._slots.one(clock):
                        with clock.within(None, ""):
                            answer: LLMResponse = await self.wrapped.generate(messages=messages, **options)
                        return answer
                except LLMError as error:
                    pause_s = self._pause_s(error, attempt, clock)
                    if pause_s is None:
                        raise
                await self._sleep(pause_s)
                clock.spend(pause_s)
                attempt += 1

    async def stream(self, messages: list[MessageDict], **options: Any) -> AsyncGenerator[LLMStreamChunk, None]:
        """The client's answer in pieces, after as many attempts as it takes to get the first one.

        Args:
            messages: As for `generate`.
            **options: As for `generate`.

        Raises:
            LLMError: As for `generate`; and whatever happens after the first piece, which is not tried again.
        """
        timeouts = self.timeouts
        attempt = 1
        with self._clock(options) as clock:
            while True:
                begun = False
                try:
                    async with self._slots.one(clock):
                        opening = open_stream(self.wrapped, messages, options)
                        first_by = monotonic() + (timeouts.first_token_s or 0.0)  # opening and empty pieces share it
                        limit_s, late = timeouts.first_token_s, f"No first token within {timeouts.first_token_s} s"
                        wait = clock.within(limit_s, late)
                        with wait:
                            source = await opening
                        further = source.__anext__
                        try:
                            while True:
                                if not begun and limit_s is not None:
                                    wait = clock.within(first_by - monotonic(), late)
                                try:
                                    with wait:
                                        chunk = await further()
                                except StopAsyncIteration:
                                    return
                                if not begun and chunk_says_something(chunk):
                                    begun, wait = True, clock.within(timeouts.between_tokens_s, self._late)
                                yield chunk
                        finally:
                            await close_stream(source)
                except LLMError as error:
                    pause_s = None if begun else self._pause_s(error, attempt, clock)
                    if pause_s is None:
                        raise
                await self._sleep(pause_s)
                clock.spend(pause_s)
                attempt += 1

    async def close(self) -> None:
        """Close the client inside."""
        await close_client(self.wrapped)

    def _clock(self, options: dict[str, Any]) -> CallClock:
        return CallClock(self.timeouts.total_s, provider=self.provider, model=model_asked(self.wrapped, options))

    def _pause_s(self, error: LLMError, attempt: int, clock: CallClock) -> float | None:
        """Seconds to wait before the next attempt; None when there shall be none."""
        pause_s = self.retries.pause_s(attempt, error, self._chance())
        kind = type(error).__name__
        if pause_s is None or not clock.allows(pause_s):
            if attempt > 1:
                error.add_note(f"This was attempt {attempt} of {self.retries.max_attempts}.")
            return None
        _LOGGER.info(  # no text of the error: vendors quote what they were sent
            "%s %s: %s%s, attempt %d of %d; next one in %.2f s",
            error.provider or "model",
            error.model,
            kind,
            f" ({error.status})" if error.status else "",
            attempt,
            self.retries.max_attempts,
            pause_s,
        )
        return pause_s

    # ------------------------------------------------------------------------------------- standing in for the client

    @property  # isinstance(client, OpenAIClient) holds, as with the proxies and mocks of the standard library
    def __class__(self) -> type[Any]:
        return type(self.wrapped)

    @__class__.setter
    def __class__(self, value: type[Any]) -> None:
        raise TypeError("the class of a client cannot be changed")

    def __getattr__(self, name: str) -> Any:
        if name == "wrapped":  # not set yet: copying makes an object before it has attributes
            raise AttributeError(name)
        return getattr(self.wrapped, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ResilientClient.__annotations__ or hasattr(ResilientClient, name):
            object.__setattr__(self, name, value)
        else:
            setattr(self.wrapped, name, value)

    def __delattr__(self, name: str) -> None:
        if name in self.__dict__:
            object.__delattr__(self, name)
        else:
            delattr(self.wrapped, name)

    def __repr__(self) -> str:
        return f"ResilientClient({self.wrapped!r})"
