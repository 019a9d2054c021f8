"""A model that fails as vendors do: by a script, or by a seeded chance."""

from __future__ import annotations

import asyncio
import copy
import random
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agent_runtime_core.errors import ConfigError, LLMBadReply, LLMRateLimited, LLMTimeout, LLMUnavailable
from agent_runtime_core.interfaces import LLMClient, LLMResponse, LLMStreamChunk
from agent_runtime_core.llm.asking import AnyClient, close_client, close_stream, model_asked, open_stream

__all__ = ["Fault", "FaultKind", "FaultyLLM"]

FaultKind = Literal["rate_limit", "server_error", "timeout", "hang", "cut_stream", "garbage"]
"""`rate_limit`: 429. `server_error`: 500. `timeout`: no answer in time, said at once. `hang`: no answer, ever, until
somebody cancels. `cut_stream`: the answer breaks off. `garbage`: an answer that makes no sense."""

_KINDS = ("rate_limit", "server_error", "timeout", "hang", "cut_stream", "garbage")


@dataclass(frozen=True)
class Fault:
    """One failure.

    Raises:
        ConfigError: There is no such kind.
    """

    kind: FaultKind
    """What happens."""
    retry_after_s: float | None = None
    """For `rate_limit`: how long the vendor asks to wait."""
    status: int | None = None
    """The HTTP status, when it is another than the usual one of the kind."""
    after_chunks: int = 1
    """For `cut_stream`: so many pieces of a streamed answer come through."""

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ConfigError(f"there is no fault {self.kind!r}; there are {', '.join(_KINDS)}")


class FaultyLLM(LLMClient):
    """Passes calls on to a client, or fails in its place.

    A call follows the script as long as there is one; after that it fails with the given probability.

    Args:
        client: The client that answers when nothing fails.
        script: One entry for each call: a `Fault`, its kind, or None for a call that goes well.
        probability: How likely a call beyond the script fails, 0 to 1.
        kinds: What may happen then; each is as likely as the others.
        seed: The same seed, the same failures.

    Raises:
        ConfigError: A value cannot work.
    """

    def __init__(
        self,
        client: AnyClient,
        script: Iterable[Fault | FaultKind | None] = (),
        *,
        probability: float = 0.0,
        kinds: Sequence[Fault | FaultKind] = ("rate_limit", "server_error", "timeout"),
        seed: int = 0,
    ) -> None:
        if not 0 <= probability <= 1:
            raise ConfigError(f"probability must be between 0 and 1, not {probability!r}")
        if probability and not kinds:
            raise ConfigError("kinds is empty: name what may happen")
        self.client = client
        """The client that answers when nothing fails."""
        self.faults: list[Fault | None] = []
        """What happened, one entry for each call; None where nothing did."""
        self._script = [None if entry is None else _fault(entry) for entry in script]
        self._probability = probability
        self._kinds = [_fault(kind) for kind in kinds]
        self._chance = random.Random(seed)

    @property
    def default_model(self) -> str:
        """The default model of the client."""
        return model_asked(self.client, {})

    async def generate(self, messages: list[dict[str, Any]], **options: Any) -> LLMResponse:
        """The client's answer, or a failure.

        Raises:
            LLMError: The failure of this call.
        """
        fault = await self._next(options)
        if fault is None:
            answer: LLMResponse = await self.client.generate(messages=messages, **options)
            return answer
        if fault.kind == "cut_stream":
            raise self._cut(options)
        return LLMResponse(
            copy.deepcopy(_GARBAGE), usage={}, model=model_asked(self.client, options), finish_reason="tool_calls"
        )

    async def stream(self, messages: list[dict[str, Any]], **options: Any) -> AsyncGenerator[LLMStreamChunk, None]:
        """The client's answer in pieces, or a failure, which may come in the middle.

        Raises:
            LLMError: The failure of this call.
        """
        fault = await self._next(options)
        if fault is not None and fault.kind == "garbage":
            model = model_asked(self.client, options)
            calls = copy.deepcopy(_GARBAGE["tool_calls"])
            yield LLMStreamChunk(tool_calls=calls, finish_reason="tool_calls", model=model)
            return
        left = None if fault is None else fault.after_chunks
        source = await open_stream(self.client, messages, options)
        try:
            async for chunk in source:
                if left is not None:
                    if left == 0 or chunk.finish_reason:
                        raise self._cut(options)
                    left -= 1
                yield chunk
        finally:
            await close_stream(source)

    async def close(self) -> None:
        """Close the client."""
        await close_client(self.client)

    async def _next(self, options: dict[str, Any]) -> Fault | None:
        """What happens to this call; a failure in place of an answer is raised here."""
        fault = self._draw()
        self.faults.append(fault)
        if fault is None or fault.kind in ("cut_stream", "garbage"):
            return fault
        details: dict[str, Any] = {"provider": "faulty", "model": model_asked(self.client, options)}
        if fault.kind == "rate_limit":
            details["status"] = fault.status or 429
            raise LLMRateLimited("injected: too many requests", retry_after_s=fault.retry_after_s, **details)
        if fault.kind == "server_error":
            raise LLMUnavailable("injected: the server failed", status=fault.status or 500, **details)
        if fault.kind == "hang":
            await asyncio.Event().wait()  # nobody ever sets it
        raise LLMTimeout("injected: no answer in time", status=fault.status, **details)

    def _draw(self) -> Fault | None:
        position = len(self.faults)
        if position < len(self._script):
            return self._script[position]
        if self._chance.random() < self._probability:
            return self._chance.choice(self._kinds)
        return None

    def _cut(self, options: dict[str, Any]) -> LLMBadReply:
        return LLMBadReply(
            "injected: the stream ended before the answer did",
            provider="faulty",
            model=model_asked(self.client, options),
        )


_GARBAGE: dict[str, Any] = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"type": "function", "function": {"name": "no_such_tool", "arguments": '{"name": not JSON'}}],
}


def _fault(entry: Fault | FaultKind) -> Fault:
    return entry if isinstance(entry, Fault) else Fault(entry)
