"""CPU of the engine per LLM call, beside a bare hand-written loop: `python benchmarks/bench_engine.py [rounds]`."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from journey import USER_LINES, Corrected, Declared, Onboarding, State, StubModel, bare_run

from agent_runtime_core.events import RunFinished
from agent_runtime_framework import AgentContext, AgentMessage, JourneyAgent

CONVERSATIONS = 1_000
RUN_ID = uuid4()
CALLS = 4
"""LLM calls of one conversation: two runs of a tool call and a text."""


async def bare() -> None:
    """One conversation, by hand."""
    model = StubModel()
    state = {"step": "name", "name": "", "email": ""}
    messages: list[dict[str, object]] = []
    for line in USER_LINES:
        messages.append({"role": "user", "content": line})
        await bare_run(model, state, messages)
    assert state["step"] == "done", state


class KeptByCaller:
    """Takes and leaves the state in the context, as the bare loop does with its dict: no store takes part."""

    async def load_state(self, ctx: AgentContext) -> State | None:
        """What the last run left."""
        return ctx.metadata.get("state")

    async def save_state(self, ctx: AgentContext, state: State) -> None:
        """Leave it."""
        ctx.metadata["state"] = state


class ByHand(KeptByCaller, Onboarding):
    """The seeds' style."""


class ByDeclaration(KeptByCaller, Declared):
    """Tools by declaration."""


class WithCorrections(KeptByCaller, Corrected):
    """Tools by declaration, and corrections."""


KEPT_BY_CALLER = ByHand(llm_client=StubModel())
DECLARED = ByDeclaration(llm_client=StubModel())
CORRECTED = WithCorrections(llm_client=StubModel())
KEPT_BY_AGENT = Onboarding(llm_client=StubModel())
CORRECTED_BY_AGENT = Corrected(llm_client=StubModel())
IDS = itertools.count()


async def framework(agent: JourneyAgent[Any, Any, Any] = KEPT_BY_CALLER) -> None:
    """One conversation with `JourneyAgent.run`, the caller keeping the messages."""
    ctx = AgentContext(RUN_ID, RUN_ID, [])
    for line in USER_LINES:
        ctx.input_messages.append(AgentMessage("user", line))
        result = await agent.run(ctx)
        ctx.input_messages.extend(result.messages)
    assert ctx.metadata["state"].is_complete()


async def events() -> None:
    """The same, told as a stream of events."""
    ctx = AgentContext(RUN_ID, RUN_ID, [])
    for line in USER_LINES:
        ctx.input_messages.append(AgentMessage("user", line))
        async for event in KEPT_BY_CALLER.run_stream(ctx):
            if isinstance(event, RunFinished):
                ctx.input_messages.extend(map(AgentMessage.from_dict, event.messages))
    assert ctx.metadata["state"].is_complete()


async def in_memory(agent: JourneyAgent[Any, Any, Any] = KEPT_BY_AGENT) -> None:
    """The same with `send`: the agent keeps state and messages in memory."""
    conversation_id = str(next(IDS))
    for line in USER_LINES:
        result = await agent.send(conversation_id, line)
    assert result.state == {"step": "done", "name": "Ada", "email": "ada@example.org"}


def measure(conversation: Callable[[], Awaitable[None]]) -> float:
    """CPU microseconds per LLM call."""

    async def many() -> None:
        for _ in range(CONVERSATIONS):
            await conversation()

    start = time.process_time()
    asyncio.run(many())
    return (time.process_time() - start) / (CONVERSATIONS * CALLS) * 1e6


def main() -> None:
    """Run all, interleaved, and print medians and ratios."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    subjects = {
        "bare loop": bare,
        "run": framework,
        "run, declared tools": lambda: framework(DECLARED),
        "run, with corrections": lambda: framework(CORRECTED),
        "run_stream, all events": events,
        "send, in memory": in_memory,
        "send, with corrections": lambda: in_memory(CORRECTED_BY_AGENT),
    }
    figures: dict[str, list[float]] = {name: [] for name in subjects}
    for each in subjects.values():
        measure(each)  # warm-up
    for _ in range(rounds):
        for name, each in subjects.items():
            figures[name].append(measure(each))
    print(f"CPU per LLM call, {rounds} rounds of {CONVERSATIONS} conversations, {CALLS} LLM calls each")
    print(f"{'':24}{'us median':>10}{'us min':>10}{'x bare':>10}")
    for name, values in figures.items():
        ratio = statistics.median(value / base for value, base in zip(values, figures["bare loop"], strict=True))
        print(f"{name:24}{statistics.median(values):10.2f}{min(values):10.2f}{ratio:10.2f}")


if __name__ == "__main__":
    main()
