"""What runs in a process of its own: a durable engine whose work writes down each step that it does."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from agent_runtime_core.engines import DurableContext, RunEnd, RunStatus
from agent_runtime_core.engines.dbos import DBOSRunEngine

__all__ = ["WorkerSettings", "serve_runs"]


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """What a worker does beside its work. A point of a run is `before a`, `in a` or `after a`, `a` being a step."""

    effects: Path
    """The file in which each step leaves a line: the run, the step, the process."""
    gates: Sequence[str] = ()
    """At these points a run waits until it is `let`."""
    dies_at: str = ""
    """There, the process kills itself."""
    freezes_at: str = ""
    """There, the process stops itself, once."""
    poison: str = ""
    """The run of this id kills the process in its second step, at every attempt."""
    steps: Sequence[str] = ()
    """Steps that this version of the work has, whatever the run says."""
    concurrency: int = 32
    engine: dict[str, Any] = field(default_factory=dict)
    """Arguments of the engine."""


def serve_runs(connection: Connection, url: str, settings: WorkerSettings) -> None:
    """Take part in the work until told to leave, or until SIGTERM."""
    asyncio.run(_Worker(connection, url, settings).serve())


class _Worker:
    def __init__(self, connection: Connection, url: str, settings: WorkerSettings) -> None:
        self._connection = connection
        self._settings = settings
        self._let = asyncio.Event()
        self._leaving = asyncio.Event()
        self._was_frozen = False
        self._engine = DBOSRunEngine(url, **{"poll_s": 0.03, "grace_s": 0.3, "retry_pause_s": 0.01, **settings.engine})

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._connection.fileno(), self._read)
        loop.add_signal_handler(signal.SIGTERM, self._leaving.set)
        await self._engine.start(self._work, concurrency=self._settings.concurrency)
        self._tell("ready")
        await self._leaving.wait()
        loop.remove_reader(self._connection.fileno())
        await self._engine.stop(drain_s=0.1)
        await self._engine.close()

    def _read(self) -> None:
        try:
            command, _ = self._connection.recv()
        except EOFError:
            command = "leave"
        (self._leaving if command == "leave" else self._let).set()

    async def _work(self, ctx: DurableContext) -> RunEnd:
        given = ctx.request.input
        try:
            await ctx.emit("started", {"kind": "started"})
            for name in self._settings.steps or given["steps"]:
                await self._at(f"before {name}", ctx)
                await ctx.step(name, partial(self._step, name, ctx))
                await ctx.emit(f"did {name}", {"kind": "did", "step": name})
                await self._at(f"after {name}", ctx)
                for number in range(given.get("deltas", 0)):
                    await ctx.emit_delta({"kind": "delta", "text": f"{name} {number}"})
                if ctx.cancelled():
                    return RunEnd(status=RunStatus.CANCELLED)
        except asyncio.CancelledError:
            self._tell("broken off", ctx.request.run_id)
            raise
        await ctx.emit("finished", {"kind": "finished"})
        return RunEnd(result={"attempt": ctx.attempt})

    async def _step(self, name: str, ctx: DurableContext) -> str:
        _append(self._settings.effects, f"{ctx.request.run_id} {name} {os.getpid()}\n")
        if ctx.request.run_id == self._settings.poison and name == ctx.request.input["steps"][1]:
            os.kill(os.getpid(), signal.SIGKILL)
        await self._at(f"in {name}", ctx)
        if ctx.request.input.get("until_cancelled") == name:
            await ctx.wait_cancelled()
        return name

    async def _at(self, point: str, ctx: DurableContext) -> None:
        self._tell("at", point, ctx.request.run_id)
        if point == self._settings.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if point == self._settings.freezes_at and not self._was_frozen:
            self._was_frozen = True
            os.kill(os.getpid(), signal.SIGSTOP)
        if point in self._settings.gates:
            await self._let.wait()

    def _tell(self, event: str, *facts: Any) -> None:
        try:
            self._connection.send((event, facts))
        except OSError:
            pass  # nobody listens any more


def _append(path: Path, line: str) -> None:
    """Add a line, whole, whoever else adds one."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(handle, line.encode())
    os.close(handle)
