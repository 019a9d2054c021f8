"""Several clients as one: when the first cannot answer, the next one does."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

from agent_runtime_core.errors import (
    ConfigError,
    LLMBadReply,
    LLMError,
    LLMRateLimited,
    LLMRejected,
    LLMTimeout,
    LLMUnavailable,
)
from agent_runtime_core.interfaces.llm import LLMClient, LLMResponse, LLMStreamChunk
from agent_runtime_core.llm.asking import (
    AnyClient,
    chunk_says_something,
    close_client,
    close_stream,
    model_asked,
    open_stream,
)
from agent_runtime_core.llm.circuit_breaker import CircuitBreaker
from agent_runtime_core.messages import MessageDict

__all__ = ["FallbackClient"]

_LOGGER = logging.getLogger("agent_runtime_core.llm.fallback")
_VENDOR_DOWN = (LLMUnavailable, LLMTimeout, LLMRateLimited, LLMBadReply)
_ABOUT_THE_VENDOR = frozenset({401, 402, 403, 404})  # the key, the bill, the model's name: not the request

T = TypeVar("T")


class FallbackClient(LLMClient):
    """Asks its clients in their order until one of them answers.

    The next one is asked when a client is unavailable, too slow, rate limited or gives an unusable answer, and when it
    refuses its key, its bill or its model (401, 402, 403, 404). Any other refusal is the caller's and raised at once.
    Nothing is asked twice once a piece of an answer has been passed on.

    A client that has failed several times in a row is left alone for a while (see `CircuitBreaker`). A `model` given
    to a call goes to the first client only: the others ask their own default models.

    Args:
        clients: The clients, the preferred one first; each with retries of its own (`get_llm_client`, or
            `ResilientClient`).
        failures: So many failures in a row, and a client is left alone.
        reset_s: Seconds until it is tried again, with one call.
        clock: Tells the time in seconds; for tests.

    Raises:
        ConfigError: There is no client, or a value cannot work.
    """

    def __init__(
        self,
        clients: Sequence[AnyClient],
        *,
        failures: int = 5,
        reset_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not clients:
            raise ConfigError("FallbackClient needs at least one client: FallbackClient([first, second])")
        self.clients = list(clients)
        """The clients, the preferred one first."""
        self.breakers = [CircuitBreaker(failures=failures, reset_s=reset_s, clock=clock) for _ in self.clients]
        """One for each client."""

    @property
    def default_model(self) -> str:
        """The default model of the first client."""
        return model_asked(self.clients[0], {})

    async def generate(self, messages: list[MessageDict], **options: Any) -> LLMResponse:
        """The first answer that one of the clients gives.

        Raises:
            LLMRejected: The request itself was refused.
            LLMUnavailable: No client could answer; the text says why for each, and the cause is a group of the errors.
        """
        failures: list[LLMError] = []
        for position, client in enumerate(self.clients):
            if self._skipped(position, failures):
                continue
            asked = client.generate(messages=messages, **self._options_of(position, options))
            answer: LLMResponse | None = await self._outcome(position, asked, failures)
            if answer is not None:
                self.breakers[position].succeeded()
                return answer
        raise self._none_left(failures)

    async def stream(self, messages: list[MessageDict], **options: Any) -> AsyncGenerator[LLMStreamChunk, None]:
        """The pieces of the first answer that one of the clients begins.

        Raises:
            LLMRejected: The request itself was refused.
            LLMUnavailable: No client could begin; see `generate`.
            LLMError: The answer broke off after its first piece.
        """
        failures: list[LLMError] = []
        for position, client in enumerate(self.clients):
            if self._skipped(position, failures):
                continue
            opening = open_stream(client, messages, self._options_of(position, options))
            source = await self._outcome(position, opening, failures)
            if source is None:
                continue
            breaker = self.breakers[position]
            begun = False
            tell_breaker = breaker.succeeded  # also when the reader leaves: the vendor was answering
            try:
                while True:
                    if begun:
                        try:
                            chunk = await anext(source)
                        except StopAsyncIteration:
                            return
                        except LLMError as error:
                            if isinstance(error, _VENDOR_DOWN):
                                tell_breaker = breaker.failed
                            raise
                    else:
                        first = await self._outcome(position, _first_of(source), failures)
                        if first is None:
                            break
                        chunk = first
                        begun = True
                    yield chunk
            finally:
                if begun:
                    tell_breaker()
                await close_stream(source)
        raise self._none_left(failures)

    async def close(self) -> None:
        """Close all clients, also when closing one of them fails.

        Raises:
            ExceptionGroup: Some could not be closed.
        """
        errors: list[Exception] = []
        for client in self.clients:
            try:
                await close_client(client)
            except Exception as error:  # whatever one client raises, the others have to be closed
                errors.append(error)
        if errors:
            raise ExceptionGroup("not every client could be closed", errors)

    def _options_of(self, position: int, options: dict[str, Any]) -> dict[str, Any]:
        if position == 0:
            return options
        return {name: value for name, value in options.items() if name != "model"}

    def _skipped(self, position: int, failures: list[LLMError]) -> bool:
        """Whether this client is to be left alone; notes so."""
        breaker = self.breakers[position]
        if breaker.lets_through():
            return False
        text = f"left alone after repeated failures, for another {breaker.wait_s:.0f} s"
        failures.append(LLMUnavailable(text, model=model_asked(self.clients[position], {})))
        return True

    async def _outcome(self, position: int, asked: Awaitable[T], failures: list[LLMError]) -> T | None:
        """What comes of asking a client; None when the next one is to be asked, which is noted.

        Raises:
            LLMRejected: The request was refused.
        """
        breaker = self.breakers[position]
        try:
            return await asked
        except LLMError as error:
            if not _passes_on(error):
                breaker.succeeded()  # the vendor is there
                raise
            breaker.failed()
            failures.append(error)
            _LOGGER.warning(  # no text of the error: vendors quote what they were sent
                "client %d of %d could not answer: %s%s", position + 1, len(self.clients), type(error).__name__,
                f" ({error.status})" if error.status else "",
            )  # fmt: skip
            return None
        except BaseException:  # cancelled, or an error that is none of a model's: neither says anything of the vendor
            breaker.given_up()
            raise

    def _none_left(self, failures: list[LLMError]) -> LLMUnavailable:
        names = [
            f"{number}. {' '.join(filter(None, (error.provider, error.model))) or 'a client'}: "
            f"{type(error).__name__}: {error}"
            for number, error in enumerate(failures, 1)
        ]
        failure = LLMUnavailable(
            f"None of the {len(self.clients)} clients could answer. {' '.join(names)}", model=self.default_model
        )
        failure.__cause__ = ExceptionGroup("the clients' errors, in their order", failures)
        return failure


def _passes_on(error: LLMError) -> bool:
    """Whether another vendor may do better."""
    if isinstance(error, LLMRejected):
        return error.status in _ABOUT_THE_VENDOR
    return isinstance(error, _VENDOR_DOWN)


async def _first_of(source: Any) -> LLMStreamChunk:
    """The first piece that says something; empty ones before it are nobody's loss.

    Raises:
        LLMBadReply: There is none.
    """
    async for chunk in source:
        if chunk_says_something(chunk):
            first: LLMStreamChunk = chunk
            return first
    raise LLMBadReply("The stream ended before it began.")
