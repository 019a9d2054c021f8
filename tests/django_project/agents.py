"""Agents of the tests' project."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from agent_runtime_core.interfaces import AgentRuntime, RunContext, RunResult

__all__ = ["Agent", "Stubborn", "said"]


def said(text: str) -> dict[str, Any]:
    """The input of a run in which the user says something."""
    return {"messages": [{"role": "user", "content": text}], "params": {}}


async def _hello(ctx: Any) -> RunResult:
    return RunResult(final_output={"response": "Hello!"})


class Agent(AgentRuntime):
    """Does what it is given."""

    key = "agent"

    def __init__(self, work: Callable[[Any], Awaitable[Any]] = _hello) -> None:
        self._work = work
        self.runs = 0

    async def run(self, ctx: RunContext) -> Any:
        """Count the run, and do it."""
        self.runs += 1
        return await self._work(ctx)


class Stubborn(Agent):
    """Waits for what never comes, and notes how it was stopped."""

    def __init__(self) -> None:
        super().__init__(self._wait)
        self._is_on = threading.Event()
        self.was_interrupted = False
        self.cleaned_up: list[UUID] = []

    async def reached(self) -> None:
        """Return when a run is at its waiting."""
        assert await asyncio.to_thread(self._is_on.wait, 30)

    async def _wait(self, ctx: Any) -> RunResult:
        self._is_on.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.was_interrupted = True
            raise
        return RunResult()

    async def cancel(self, ctx: RunContext) -> None:
        """Note the run."""
        self.cleaned_up.append(ctx.run_id)
