"""A model that is asked once, however often a run is done again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from agent_runtime_core.interfaces import LLMResponse
from agent_runtime_core.interfaces.run_engine import DurableContext
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.waiting import stop
from agent_runtime_framework.executor.llm_call import Interrupted, LLMClient, StreamedResponse, streams

__all__ = ["JournalledClient", "TellText"]

T = TypeVar("T")


TellText = Callable[[str], Awaitable[None]]
"""Passes a piece of text on."""


class JournalledClient:
    """A client whose answers are in the run's journal before anything comes of them.

    It has no `stream`: the text is told as it is written by the client itself, from inside the journalled step.

    Args:
        client: The model.
        ctx: The run.
        version: Says which version of the conversation a question builds on.
        begun: Called inside of each journalled step, before the model is asked.
        tell_text: Told each piece of the text while it is written; None when nobody reads it.
    """

    def __init__(
        self,
        client: LLMClient,
        ctx: DurableContext,
        version: Callable[[], int],
        begun: Callable[[], Awaitable[None]],
        tell_text: TellText | None,
    ) -> None:
        self._client = client
        self._ctx = ctx
        self._version = version
        self._begun = begun
        self._tell_text = tell_text
        self._asked: dict[int, int] = {}  # questions by version
        self.has_told_text = False
        """Whether the text of the present answer was told while it was written."""

    def __getattr__(self, name: str) -> Any:
        """What else the client says of itself, such as its model."""
        return getattr(self._client, name)

    async def generate(
        self, messages: list[MessageDict], *, tools: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> LLMResponse:
        """The model's answer, from the journal where it holds one.

        Raises:
            LLMError: The model could not be asked.
            Interrupted: Somebody has asked the run to stop.
        """
        version = self._version()
        number = self._asked[version] = self._asked.get(version, 0) + 1
        self.has_told_text = False

        async def ask() -> dict[str, Any]:
            await self._begun()
            return await self._unless_cancelled(self._answer(messages, tools, kwargs))

        return LLMResponse(**await self._ctx.step(f"llm:{version}:{number}", ask))

    async def _answer(
        self, messages: list[MessageDict], tools: list[dict[str, Any]] | None, kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        client, response = self._client, None
        if self._tell_text is not None and streams(client):
            response = StreamedResponse(client.stream(messages=messages, tools=tools, **kwargs), None)
            async with aclosing(response.texts()) as texts:
                async for text in texts:
                    self.has_told_text = True
                    await self._tell_text(text)
        else:
            response = await client.generate(messages=messages, tools=tools, **kwargs)
        return _recorded(response)

    async def _unless_cancelled(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of the work, if nobody wants the run to stop meanwhile."""
        task = asyncio.create_task(work)
        asked = asyncio.create_task(self._ctx.wait_cancelled())
        try:
            await asyncio.wait([task, asked], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise Interrupted
        finally:
            await stop(asked)
            await stop(task)


def _recorded(response: Any) -> dict[str, Any]:
    """What is kept of an answer: all that a run reads of it."""
    message = getattr(response, "message", None)
    kept = {
        "message": message,
        "usage": getattr(response, "usage", None) or {},
        "model": getattr(response, "model", None) or "",
        "finish_reason": getattr(response, "finish_reason", None) or "",
    }
    answer: dict[str, Any] = json.loads(json.dumps(kept, default=str, skipkeys=True))
    return answer
