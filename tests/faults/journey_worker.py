"""What runs in a process of its own: a worker for a journey whose runs can be held at any point, and killed there."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar

from agent_runtime_core.engines.dbos import DBOSRunEngine
from agent_runtime_core.interfaces import LLMResponse, LLMStreamChunk
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.stores import open_store
from agent_runtime_framework import AgentContext, BaseJourneyState, BaseJourneyTools, JourneyAgent, tool
from agent_runtime_framework.runtime import Runtime
from tests.faults.ledger import Clerk

__all__ = ["Counter", "JourneySettings", "schedule_and_die", "serve_journey"]

Point = Callable[[str, str], Awaitable[None]]
"""Called with a conversation and where in its run we are."""


async def _nowhere(conversation: str, name: str) -> None:
    return None


class Step(str, Enum):
    OPEN = "open"
    CLOSED = "closed"


@dataclass
class Book(BaseJourneyState[Step]):
    step: Step = Step.OPEN
    entries: list[str] = field(default_factory=list)

    def is_complete(self) -> bool:
        return self.step is Step.CLOSED


class Tools(BaseJourneyTools[Book]):
    effects: Path
    conversation: str
    point: Point

    @tool(step=Step.OPEN)
    async def enter(self, text: str, number: str) -> str:
        """Enter a message.

        Args:
            text: The message.
            number: Names the entry.
        """
        await self._done(f"enter {number}")
        self.state.entries.append(text)
        return text

    @tool(step=Step.OPEN, once=True, idempotent=True)
    async def charge(self) -> str:
        """Charge the user; whoever is charged knows the key."""
        await self._done(f"charge {self.idempotency_key}")
        return "Charged."

    @tool(step=Step.OPEN, once=True)
    async def announce(self) -> str:
        """Tell everybody."""
        await self._done("announce")
        return "Announced."

    async def _done(self, effect: str) -> None:
        name = effect.partition(" ")[0]
        await self.point(self.conversation, f"before {name}")
        append(self.effects, f"{self.conversation} {effect}\n")
        await self.point(self.conversation, f"after {name}")


class Counter(JourneyAgent[Book, Tools, Step]):
    key = "ledger"
    prompts: ClassVar = {Step.OPEN: "Enter every message.", Step.CLOSED: "Say goodbye."}
    effects: Path
    point: Point = staticmethod(_nowhere)

    def create_tools(self, state: Book, ctx: AgentContext) -> Tools:
        tools = Tools(state=state)
        tools.effects, tools.point, tools.conversation = self.effects, self.point, str(ctx.conversation_id)
        return tools


class Cashier(Clerk):
    """A model with rules: it enters what is new, and at the first message also charges and announces, then answers.

    Args:
        point: Told of each question, and in the middle of each answer.
    """

    def __init__(self, point: Point) -> None:
        self._point = point

    async def generate(self, messages: list[MessageDict], **kwargs: Any) -> LLMResponse:
        conversation = _conversation_of(messages)
        called = [call["function"]["name"] for message in messages for call in message.get("tool_calls") or ()]
        await self._point(conversation, f"llm {len(called) + 1}")
        response = await super().generate(messages, **kwargs)
        asked = [call["function"]["name"] for call in response.message.get("tool_calls") or ()]
        if asked != ["count"] and asked:
            return response
        users = [message for message in messages if message["role"] == "user"]
        for name in ("charge", "announce") if len(users) == 1 else ():
            if name not in called:
                function = {"name": name, "arguments": "{}"}
                calls = [{"id": f"{conversation}-{name}", "type": "function", "function": function}]
                return LLMResponse({"role": "assistant", "content": None, "tool_calls": calls})
        return LLMResponse({"role": "assistant", "content": f"done: {users[-1]['content']}"})

    async def stream(self, messages: list[MessageDict], **kwargs: Any) -> AsyncIterator[LLMStreamChunk]:
        response = await self.generate(messages, **kwargs)
        words = response.content.split(" ") if response.content else []
        for place, word in enumerate(words):
            yield LLMStreamChunk(word if place == 0 else f" {word}")
            if place == 0:
                await self._point(_conversation_of(messages), "streaming")
        yield LLMStreamChunk("", response.message.get("tool_calls"), "stop")


@dataclass(frozen=True, kw_only=True)
class JourneySettings:
    """What a worker does beside its work."""

    effects: Path
    """The file in which each tool leaves a line: the conversation, the tool, and what names the call."""
    held: Mapping[str, str] = field(default_factory=dict)
    """Where the run of a conversation waits, once, until it is let: `llm 1`, `streaming`, `before charge`, ..."""
    max_interruptions: int = 1000


def serve_journey(connection: Connection, urls: tuple[str, str], settings: JourneySettings) -> None:
    """Take part in the work until told to leave."""
    asyncio.run(_JourneyWorker(connection, urls, settings).serve())


def schedule_and_die(connection: Connection, urls: tuple[str, str], effects: Path, conversation: str) -> None:
    """Ask for a reminder, tell its run, and be killed."""

    async def scheduled() -> str:
        agent = Counter(Cashier(_nowhere))
        agent.effects = effects
        runtime = Runtime(agent, urls[1], urls[0])
        at = datetime.now(UTC) + timedelta(seconds=2)
        return (await runtime.schedule(conversation, at, says="Are you still there?")).run_id

    connection.send(("scheduled", (asyncio.run(scheduled()),)))
    os.kill(os.getpid(), signal.SIGKILL)


class _JourneyWorker:
    def __init__(self, connection: Connection, urls: tuple[str, str], settings: JourneySettings) -> None:
        self._connection = connection
        self._settings = settings
        self._held = dict(settings.held)
        self._let = asyncio.Event()
        self._leaving = asyncio.Event()
        agent = Counter(Cashier(self._point))
        agent.effects, agent.point = settings.effects, self._point
        self._store = open_store(urls[1])
        engine = DBOSRunEngine(
            urls[0], poll_s=0.03, grace_s=0.3, retry_pause_s=0.01, max_interruptions=settings.max_interruptions
        )
        self._runtime = Runtime(agent, _Watched(self._store, self._point), engine)

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._connection.fileno(), self._read)
        await self._runtime.start()
        self._tell("ready")
        await self._leaving.wait()
        loop.remove_reader(self._connection.fileno())
        await self._runtime.stop(drain_s=0.1)
        await self._runtime.engine.close()
        await self._store.close()

    def _read(self) -> None:
        try:
            command, _ = self._connection.recv()
        except EOFError:
            command = "leave"
        (self._leaving if command == "leave" else self._let).set()

    async def _point(self, conversation: str, name: str) -> None:
        if self._held.get(conversation) == name:
            del self._held[conversation]
            self._tell("held", conversation)
            await self._let.wait()

    def _tell(self, event: str, *facts: Any) -> None:
        try:
            self._connection.send((event, facts))
        except OSError:
            pass  # nobody listens any more


class _Watched:
    """A store at which a run can be held: before and after each commit of it, counted by the conversation."""

    def __init__(self, store: Any, point: Point) -> None:
        self._store = store
        self._point = point
        self._commits: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, conversation_id: str, *args: Any, **kwargs: Any) -> Any:
        number = self._commits[conversation_id] = self._commits.get(conversation_id, 0) + 1
        await self._point(conversation_id, f"before commit {number}")
        version = await self._store.commit(conversation_id, *args, **kwargs)
        await self._point(conversation_id, f"after commit {number}")
        return version


def append(path: Path, line: str) -> None:
    """Add a line, whole, whoever else adds one."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(handle, line.encode())
    os.close(handle)


def _conversation_of(messages: list[MessageDict]) -> str:
    """Messages of these tests begin with the name of their conversation."""
    first = next(message["content"] for message in messages if message["role"] == "user")
    return str(first.partition("-")[0])
