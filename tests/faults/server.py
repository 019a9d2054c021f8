"""What runs in a process of its own: an agent on a shared store, which is told what to send, and tells what came."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from agent_runtime_core.errors import LLMUnavailable
from agent_runtime_core.interfaces import LLMResponse, OnBusy
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.stores import open_store
from agent_runtime_framework import JourneyConfig
from tests.faults.ledger import Clerk, LedgerAgent

__all__ = ["Settings", "serve"]


@dataclass(frozen=True)
class Settings:
    """What a process does beside its work."""

    lease_seconds: float
    effects: Path | None = None
    """See `LedgerAgent.effects`."""
    gated: bool = False
    """Whether the model tells `asked`, with what it sees, and answers each call only when it is `let`."""
    failing_call: int | None = None
    """This call of the model fails; the first is 0."""
    tells_points: bool = False
    """Whether `point` is told right before and right after each write to the store."""
    dies_at_point: int | None = None
    """The process kills itself at this one of its points; the first is 0."""
    stops_at_point: int | None = None
    """The process freezes itself there."""


def serve(connection: Connection, url: str, settings: Settings) -> None:
    """Do what comes through the connection, until it is told to leave."""
    asyncio.run(_Server(connection, url, settings).serve())


class _Server:
    def __init__(self, connection: Connection, url: str, settings: Settings) -> None:
        self._connection = connection
        self._settings = settings
        self._let = asyncio.Semaphore(0)
        self._points = 0
        self._calls = 0
        self._closed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._store = open_store(url)
        self._agent = LedgerAgent(
            _Clerk(self._before_call),
            JourneyConfig(lease_seconds=settings.lease_seconds),
            store=_Watched(self._store, self._point),
        )
        self._agent.effects = settings.effects

    async def serve(self) -> None:
        asyncio.get_running_loop().add_reader(self._connection.fileno(), self._read)
        await self._closed.wait()
        await self._store.close()

    def _read(self) -> None:
        command, arguments = self._connection.recv()
        if command == "leave":
            asyncio.get_running_loop().remove_reader(self._connection.fileno())
            self._closed.set()
            return
        task = asyncio.get_running_loop().create_task(getattr(self, f"_do_{command}")(*arguments))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do_send(self, conversation_id: str, texts: Sequence[str], on_busy: OnBusy, named: bool) -> None:
        """Send the messages one after the other, each by its own text as id, or without one."""
        for text in texts:
            message_id = text if named else None
            try:
                result = await self._agent.send(conversation_id, text, message_id=message_id, on_busy=on_busy)
            except Exception as error:  # whatever it is, the test is told
                self._tell("failed", conversation_id, text, type(error).__name__, str(error))
            else:
                self._tell("answered", conversation_id, text, result.response, "replayed" in result.metadata)

    async def _do_let(self, calls: int) -> None:
        for _ in range(calls):
            self._let.release()

    async def _before_call(self, messages: list[MessageDict]) -> None:
        call, self._calls = self._calls, self._calls + 1
        if call == self._settings.failing_call:
            raise LLMUnavailable("the model is down")
        if self._settings.gated:
            self._tell("asked", [(message["role"], message["content"]) for message in messages[1:]])
            await self._let.acquire()

    def _point(self, name: str) -> None:
        if self._points == self._settings.dies_at_point:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._points == self._settings.stops_at_point:
            os.kill(os.getpid(), signal.SIGSTOP)
        self._points += 1
        if self._settings.tells_points:
            self._tell("point", name)

    def _tell(self, event: str, *facts: Any) -> None:
        self._connection.send((event, facts))


class _Clerk(Clerk):
    def __init__(self, before_call: Callable[[list[MessageDict]], Awaitable[None]]) -> None:
        self._before_call = before_call

    async def generate(self, messages: list[MessageDict], **kwargs: Any) -> LLMResponse:
        await self._before_call(messages)
        return await super().generate(messages, **kwargs)


class _Watched:
    """A store that says when it is about to be written to, and when it has been."""

    def __init__(self, store: Any, point: Callable[[str], None]) -> None:
        self._store = store
        self._point = point

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in ("begin", "commit"):
            return method

        async def watched(*args: Any, **kwargs: Any) -> Any:
            self._point(f"before {name}")
            answer = await method(*args, **kwargs)
            self._point(f"after {name}")
            return answer

        return watched
