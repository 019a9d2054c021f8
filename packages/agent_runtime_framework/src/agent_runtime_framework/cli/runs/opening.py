"""What the commands on runs share: their option, and opening the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from agent_runtime_core.engines import RunEngine
from agent_runtime_core.errors import RunNotFound
from agent_runtime_framework.cli.engine_url import existing_engine
from agent_runtime_framework.cli.failure import FAILED, CommandError

__all__ = ["EngineURL", "RunId", "no_run", "with_engine"]

ResultT = TypeVar("ResultT")

EngineURL = Annotated[
    str, typer.Option("--engine", metavar="URL", help="The engine, such as sqlite:///runs.db or postgresql://...")
]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")]


def with_engine(url: str, work: Callable[[RunEngine], Awaitable[ResultT]]) -> ResultT:
    """Open the engine, do the work, close it. It takes no part in the runs.

    Raises:
        CommandError: The URL names no engine that is there, or there is no such run.
        EngineUnavailable: It cannot be reached.
    """
    engine = existing_engine(url)

    async def opened() -> ResultT:
        try:
            return await work(engine)
        except RunNotFound as error:
            raise no_run(error.run_id) from error
        finally:
            await engine.close()

    return asyncio.run(opened())


def no_run(run_id: str) -> CommandError:
    """There is none of this id."""
    return CommandError(
        f"there is no run {run_id!r} in this engine, or not any more: `agent-runtime runs list` shows those there are.",
        exit_code=FAILED,
    )
