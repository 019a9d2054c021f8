"""What it costs that a run outlives its process: latency, CPU and idle cost of the durable engine.

`python benchmarks/bench_durable.py [runs]`
"""

from __future__ import annotations

import asyncio
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg

from agent_runtime_core.engines import DurableContext, InProcessRunEngine, RunEnd, RunEngine, RunRequest
from agent_runtime_core.engines.dbos import DBOSRunEngine

SERVER = os.environ.get("AGENT_RUNTIME_TEST_POSTGRESQL", "postgresql://postgres@localhost:5432/postgres")

CONVERSATIONS = 50
ALONE = 40
"""Runs that are measured one by one."""
IDLE_S = 10.0

IDS = itertools.count()


async def model() -> dict[str, object]:
    """A model that takes no time."""
    return {"text": "Your order is on its way.", "usage": {"input": 812, "output": 9}}


async def work(ctx: DurableContext) -> RunEnd:
    """A run with two calls of a model and one of a tool, and two moments at which nothing may be lost."""
    await ctx.emit("started", {"kind": "run_started"})
    await ctx.flush()
    await ctx.step("call 1", model)
    await ctx.emit("answered 1", {"kind": "llm_call_finished"})
    await ctx.step("tool 1", model)
    await ctx.emit("tool 1", {"kind": "tool_call_finished"})
    await ctx.flush()
    answer = await ctx.step("call 2", model)
    await ctx.emit("finished", {"kind": "run_finished"})
    return RunEnd(result={"answer": answer["text"]})


def request() -> RunRequest:
    """A run of one of the conversations."""
    number = next(IDS)
    return RunRequest(run_id=f"run {number}", agent_key="agent", order_key=f"conversation {number % CONVERSATIONS}")


async def alone(engine: RunEngine) -> tuple[float, float]:
    """Milliseconds from the submission of a run to its end, when there is no other: the median, and nine of ten."""
    took = []
    for _ in range(ALONE):
        start = time.perf_counter()
        submitted = await engine.submit(request())
        await engine.wait(submitted.run_id)
        took.append((time.perf_counter() - start) * 1000)
    return statistics.median(took), statistics.quantiles(took, n=10)[8]


async def together(engine: RunEngine, runs: int) -> tuple[float, float, float]:
    """CPU milliseconds of a submission and of a run, and runs in a second."""
    cpu = time.process_time()
    submitted = [await engine.submit(request()) for _ in range(runs)]
    submitting = time.process_time() - cpu
    start, cpu = time.perf_counter(), time.process_time()
    await engine.start(work)
    await asyncio.gather(*(engine.wait(info.run_id) for info in submitted))
    seconds, doing = time.perf_counter() - start, time.process_time() - cpu
    await engine.stop()
    return submitting / runs * 1000, doing / runs * 1000, runs / seconds


async def idle(engine: RunEngine) -> float:
    """The part of a core that a worker without runs takes, in per cent."""
    await asyncio.sleep(1)
    cpu = time.process_time()
    await asyncio.sleep(IDLE_S)
    return (time.process_time() - cpu) / IDLE_S * 100


async def measure(name: str, engine: RunEngine, runs: int) -> None:
    """Print the figures of an engine."""
    submitting, doing, rate = await together(engine, runs)
    await engine.start(work)
    median, nine_of_ten = await alone(engine)
    idling = await idle(engine)
    await engine.close()
    print(
        f"{name:12}{median:10.1f}{nine_of_ten:10.1f}{submitting:12.2f}{doing:12.2f}{rate:10.1f}{idling:10.2f}",
        flush=True,
    )


@contextmanager
def database() -> Iterator[str]:
    """The URL of a database of our own; empty when no server answers."""
    name = f"agent_runtime_bench_{uuid4().hex}"
    try:
        server = psycopg.connect(SERVER, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        print(f"skipped: no PostgreSQL server answers ({type(error).__name__}); see AGENT_RUNTIME_TEST_POSTGRESQL")
        yield ""
        return
    with server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def main() -> None:
    """Measure every engine."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print(f"{runs} runs of 2 LLM calls and 1 tool call in {CONVERSATIONS} conversations; the model takes no time")
    print(f"{'':12}{'ms alone':>10}{'9 of 10':>10}{'CPU submit':>12}{'CPU run':>12}{'runs/s':>10}{'idle %':>10}")
    await measure("in process", InProcessRunEngine(), runs)
    with tempfile.TemporaryDirectory() as folder:
        await measure("SQLite", DBOSRunEngine(f"sqlite:///{Path(folder) / 'runs.db'}"), runs)
    with database() as url:
        if url:
            await measure("PostgreSQL", DBOSRunEngine(url), runs)


if __name__ == "__main__":
    asyncio.run(main())
