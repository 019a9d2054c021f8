"""CPU of one tool call: checked, typed, dispatched and moved on, beside a direct call that pydantic validates.

python benchmarks/bench_dispatch.py [rounds]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, validate_call

from agent_runtime_core.messages import ToolCall
from agent_runtime_framework import BaseJourneyState, BaseJourneyTools, tool
from agent_runtime_framework.tools.dispatch import run_tool
from agent_runtime_framework.tools.execution import call_tool

CALLS = 2000

Step = StrEnum("Step", "ASK DONE")


@dataclass
class State(BaseJourneyState[Step]):
    """What the tool writes."""

    step: Step = Step.ASK
    name: str = ""
    age: int = 0


class Tools(BaseJourneyTools[State]):
    """One tool."""

    @tool(step=Step.ASK, to=Step.DONE)
    async def save(self, name: str, age: Annotated[int, Field(ge=0, le=150)]) -> str:
        """Save name and age."""
        self.state.name, self.state.age = name, age
        return "Saved."


@validate_call
async def save(state: Any, name: str, age: Annotated[int, Field(ge=0, le=150)]) -> str:
    """The same by hand."""
    state.name, state.age, state.step = name, age, Step.DONE
    return "Saved."


async def direct(state: State) -> None:
    """Arguments from JSON, validated and called."""
    call = ToolCall(CALL)
    await save(state, **call.arguments)


async def dispatched(state: State) -> None:
    """The same through all that a tool call goes through, the undo included."""
    tools = Tools(state)
    spec = Tools.tool_specs["save"]

    async def invoke(name: str, arguments: dict[str, Any]) -> Any:
        return await run_tool(spec, tools, arguments)

    await call_tool(ToolCall(CALL), invoke, offer=OFFER, timeout_s=None, state=state)


CALL = {"id": "c", "type": "function", "function": {"name": "save", "arguments": '{"name": "Ada", "age": 36}'}}
OFFER = {"save": Tools.tool_specs["save"].to_openai_format()["function"]}


async def spent(work: Callable[[State], Awaitable[None]]) -> float:
    """CPU microseconds a call."""
    states = [State() for _ in range(CALLS)]
    start = time.process_time()
    for state in states:
        await work(state)
    return (time.process_time() - start) / CALLS * 1e6


def main(rounds: int) -> None:
    """Measure in turns, and print medians and their ratio."""
    found: dict[str, list[float]] = {"direct": [], "dispatched": []}
    for _ in range(rounds + 1):
        found["direct"].append(asyncio.run(spent(direct)))
        found["dispatched"].append(asyncio.run(spent(dispatched)))
    bare, ours = (statistics.median(found[name][1:]) for name in ("direct", "dispatched"))
    print(f"direct, validated by pydantic: {bare:.1f} us; @tool: {ours:.1f} us; {ours / bare:.2f}x")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
