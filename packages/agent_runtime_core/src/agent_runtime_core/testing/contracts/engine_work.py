"""What the contract of an engine lets it do: work that does as its input says, and ways to wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any
from uuid import uuid4

from agent_runtime_core.interfaces.run_engine import DurableContext, RunEngine
from agent_runtime_core.interfaces.runs import RunEnd, RunInfo, RunRequest, RunStatus

__all__ = ["PATIENCE_S", "Work", "events_of", "in_time", "nothing", "request", "status_of", "value_of"]

PATIENCE_S = 30.0
"""So long a test waits for what has to come; none waits it out when all is well."""


def request(order_key: str = "", **fields: Any) -> RunRequest:
    """A run of its own conversation, unless one is named."""
    run_id = fields.pop("run_id", None) or str(uuid4())
    return RunRequest(run_id=run_id, agent_key="agent", order_key=order_key or f"conversation {run_id}", **fields)


async def in_time(waiting: Awaitable[Any]) -> Any:
    """What comes of it, or a failure of the test."""
    async with asyncio.timeout(PATIENCE_S):
        return await waiting


class Work:
    """Work of tests: does what the run's input says, and writes down what it did."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.counts: dict[str, int] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.at_gate: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, Callable[[DurableContext], Awaitable[RunEnd]]] = {}

    async def __call__(self, ctx: DurableContext) -> RunEnd:
        name = ctx.request.input.get("task", "echo")
        self.begun.append(ctx.request.run_id)
        end = await self.tasks[name](ctx) if name in self.tasks else await getattr(self, f"_{name}")(ctx)
        self.ended.append(ctx.request.run_id)
        return end

    def gate(self, name: str) -> asyncio.Event:
        """Opens for the runs that wait at it."""
        return self.gates.setdefault(name, asyncio.Event())

    def arrived(self, name: str) -> asyncio.Event:
        """Set when a run waits at the gate."""
        return self.at_gate.setdefault(name, asyncio.Event())

    def count(self, name: str) -> int:
        """How often this was counted, now included."""
        self.counts[name] = self.counts.get(name, 0) + 1
        return self.counts[name]

    async def _echo(self, ctx: DurableContext) -> RunEnd:
        return RunEnd(result={"echo": ctx.request.input.get("text", "")})

    async def _gate(self, ctx: DurableContext) -> RunEnd:
        name = ctx.request.input["gate"]
        self.arrived(name).set()
        await self.gate(name).wait()
        return RunEnd()

    async def _until_cancelled(self, ctx: DurableContext) -> RunEnd:
        self.arrived(ctx.request.run_id).set()
        await ctx.wait_cancelled()
        return RunEnd(result={"cancelled": ctx.cancelled()}, status=RunStatus.CANCELLED)


async def nothing() -> None:
    """Work that does nothing, and lets others go on."""
    await asyncio.sleep(0)


async def value_of(value: Any) -> Any:
    """Work that gives a value."""
    return value


async def status_of(engine: RunEngine, info: RunInfo) -> RunStatus:
    """Where the run stands now."""
    found = await engine.status(info.run_id)
    assert found is not None
    return found.status


async def events_of(engine: RunEngine, info: RunInfo, *, after: int = 0) -> list[tuple[int, dict[str, Any]]]:
    """All events of a run behind an offset, when it is over."""
    async with aclosing(engine.events(info.run_id, after=after)) as events:
        return [event async for event in events]
