"""Several clients as one: when the first cannot answer, the next one does."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

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
from agent_runtime_core.llm.circuit_breaker import CircuitBreaker, LetThrough
from agent_runtime_core.llm.fallback_options import for_another_client
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
    to a call goes to the first client only: the others ask their own default models. A client of another class than
    the first gets the options that all clients know; the log names those that were left out.

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
        for client in clients:
            if not callable(getattr(client, "generate", None)):
                raise ConfigError(f"FallbackClient needs clients, and a {type(client).__name__} has no generate()")
        self.clients = list(clients)
        """The clients, the preferred one first."""
        self.breakers = [CircuitBreaker(failures=failures, reset_s=reset_s, clock=clock) for _ in self.clients]
        """One for each client."""

    @property
    def default_model(self) -> str:
        """The default model of the first client."""
        return model_asked(self.clients[0], {})

    @property
    def provider(self) -> str:
        """Who is asked first, for traces and prices; empty when the first client does not tell."""
        provider = getattr(self.clients[0], "provider", "")
        return provider if isinstance(provider, str) else ""

    async def generate(self, messages: list[MessageDict], **options: Any) -> LLMResponse:
        """The first answer that one of the clients gives.

        Raises:
            LLMRejected: The request itself was refused.
            LLMUnavailable: No client could answer; the text says why for each, and the cause is a group of the errors.
        """
        failures: list[LLMError] = []
        for position, client in enumerate(self.clients):
            call = self._let_through(position, failures)
            if call is None:
                continue
            asked = _answer_of(client, messages, self._options_of(position, options))
            answered, answer = await self._outcome(position, call, asked, failures)
            if answered:
                call.succeeded()
                return cast(LLMResponse, answer)
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
            call = self._let_through(position, failures)
            if call is None:
                continue
            opening = open_stream(client, messages, self._options_of(position, options))
            opened, source = await self._outcome(position, call, opening, failures)
            if not opened or source is None:
                continue
            begun = False
            tell_breaker = call.succeeded  # also when the reader leaves: the vendor was answering
            try:
                while True:
                    if begun:
                        try:
                            chunk = await anext(source)
                        except StopAsyncIteration:
                            return
                        except LLMError as error:
                            if isinstance(error, _VENDOR_DOWN):
                                tell_breaker = call.failed
                            raise
                    else:
                        came, first = await self._outcome(position, call, _first_of(source), failures)
                        if not came or first is None:
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
        others = {name: value for name, value in options.items() if name != "model"}
        # A resilient client has the class of the one inside.
        if self.clients[position].__class__ is self.clients[0].__class__:
            return others
        others, left_out = for_another_client(others)
        if left_out:
            _LOGGER.warning(
                "client %d of %d is of another kind than the first, and is asked without the options %s",
                position + 1, len(self.clients), ", ".join(left_out),
            )  # fmt: skip
        return others

    def _let_through(self, position: int, failures: list[LLMError]) -> LetThrough | None:
        """The call that may be made of this client; None when it is to be left alone, which is noted."""
        breaker = self.breakers[position]
        call = breaker.let_through()
        if call is None:
            wait_s = breaker.wait_s
            until = f"for another {wait_s:.0f} s" if wait_s else "until the call that tries it again has ended"
            text = f"left alone after repeated failures, {until}"
            failures.append(LLMUnavailable(text, model=model_asked(self.clients[position], {})))
        return call

    async def _outcome(
        self, position: int, call: LetThrough, asked: Awaitable[T], failures: list[LLMError]
    ) -> tuple[bool, T | None]:
        """Whether asking a client came to something, and to what; else the next one is to be asked, which is noted.

        Raises:
            LLMRejected: The request was refused.
        """
        try:
            return True, await asked
        except LLMError as error:
            if not _passes_on(error):
                call.succeeded()  # the vendor is there
                if failures:
                    error.add_note(f"It was asked because others could not answer. {_told(failures)}")
                raise
            call.failed()
            self._note(position, error, error, failures)
            return False, None
        except Exception as error:  # no model's error, so it says nothing of the vendor
            call.given_up()
            if not failures:
                raise  # the caller's; behind a client that is down it would hide why this one was asked
            why = f" {error}" if isinstance(error, ConfigError) else " (its text is in the cause)"
            refused = LLMRejected(
                f"it cannot take this call: {type(error).__name__}{why}", model=model_asked(self.clients[position], {})
            )
            refused.__cause__ = error
            self._note(position, refused, error, failures)
            return False, None
        except BaseException:  # cancelled
            call.given_up()
            raise

    def _note(self, position: int, failure: LLMError, error: Exception, failures: list[LLMError]) -> None:
        failures.append(failure)
        _LOGGER.warning(  # no text of the error: vendors quote what they were sent
            "client %d of %d could not answer: %s%s", position + 1, len(self.clients), type(error).__name__,
            f" ({failure.status})" if failure.status else "",
        )  # fmt: skip

    def _none_left(self, failures: list[LLMError]) -> LLMUnavailable:
        failure = LLMUnavailable(
            f"None of the {len(self.clients)} clients could answer. {_told(failures)}", model=self.default_model
        )
        failure.__cause__ = ExceptionGroup("the clients' errors, in their order", failures)
        return failure


def _told(failures: list[LLMError]) -> str:
    """What each client has said."""
    return " ".join(
        f"{number}. {' '.join(filter(None, (error.provider, error.model))) or 'a client'}: "
        f"{type(error).__name__}: {error}"
        for number, error in enumerate(failures, 1)
    )


def _passes_on(error: LLMError) -> bool:
    """Whether another vendor may do better."""
    if isinstance(error, LLMRejected):
        return error.status in _ABOUT_THE_VENDOR
    return isinstance(error, _VENDOR_DOWN)


async def _answer_of(client: AnyClient, messages: list[MessageDict], options: dict[str, Any]) -> Any:
    """The client's answer; here, where its errors are looked at, also those of a call that does not fit it."""
    return await client.generate(messages=messages, **options)


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
