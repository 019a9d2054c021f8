"""`agent-runtime worker`: a process that does runs, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from agent_runtime_core.engines import InProcessRunEngine, RunEngine
from agent_runtime_core.errors import AgentRuntimeError, EngineError
from agent_runtime_core.logs import configure_logging
from agent_runtime_core.waiting import stop
from agent_runtime_framework.agents.journey_agent import JourneyAgent
from agent_runtime_framework.agents.kept_conversations import KeptConversations
from agent_runtime_framework.cli.age import read_span
from agent_runtime_framework.cli.engine_url import shared_engine, shown_engine
from agent_runtime_framework.cli.failure import INTERRUPTED, CommandError, sentence
from agent_runtime_framework.cli.worker_target import load_app
from agent_runtime_framework.runtime import Runtime

__all__ = ["worker"]

_LOGGER = logging.getLogger("agent_runtime_framework.worker")
_DRAIN_S = 30.0
_PRUNE_EVERY_S = 3600.0
_ONE_WISH_S = 0.5
"""Signals that come so close are one: a terminal and `timeout` tell the whole group of processes, and each process."""


def worker(
    app: Annotated[
        str,
        typer.Argument(
            metavar="APP",
            help="What to work for: module:name or path/to/file.py[:name] of a Runtime, an agent, or a list of agents.",
        ),
    ],
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="The engine, such as sqlite:///runs.db or postgresql://...; a Runtime has one."
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where conversations are kept; a Runtime or an agent may have one."),
    ] = None,
    concurrency: Annotated[int | None, typer.Option(metavar="N", min=1, help="Runs at once; 32 by default.")] = None,
    drain: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0, help="How long runs that are on may take to end at the stop; 30."),
    ] = None,
    hand_over: Annotated[
        bool, typer.Option("--hand-over", help="At the stop, leave the runs that are on to other workers at once.")
    ] = False,
    keep_runs: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Once an hour, forget the runs that are over for so long, such as 30d."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Log in lines of JSON.")] = False,
) -> None:
    """Do runs until SIGTERM or Ctrl-C; start any number of these, on any machine.

    The log goes to the error output. Exit code 0 after a stop: runs that did not end in time are done by other workers,
    or by this one after its next start. A second signal, after half a second, ends the process at once.
    """
    if hand_over and drain is not None:
        raise CommandError("give --drain or --hand-over: the first waits for runs, the second does not.")
    drain_s = 0.0 if hand_over else _DRAIN_S if drain is None else drain
    keep = _span(keep_runs)
    found = load_app(app)
    if not logging.getLogger().handlers:  # the application has not set up its own
        configure_logging(json=json)
    elif json:
        raise CommandError(f"--json: {app} has set up the log itself; it decides how records look.")
    asyncio.run(_serve(found, app, engine, store, concurrency=concurrency, drain_s=drain_s, keep=keep))


def _span(text: str | None) -> timedelta | None:
    try:
        return None if text is None else read_span(text)
    except (ValueError, OverflowError) as error:
        raise CommandError(f"--keep-runs {text}: {error}") from error


async def _serve(
    found: Runtime | list[object],
    app: str,
    engine: str | None,
    store: str | None,
    *,
    concurrency: int | None,
    drain_s: float,
    keep: timedelta | None,
) -> None:
    """Work until a signal comes.

    Raises:
        CommandError: It cannot begin.
    """
    runtime = _runtime(found, app, engine, store)
    pruning: asyncio.Task[None] | None = None
    try:
        with _signals() as told:
            try:
                await _check_stores(runtime)
                _check_models(runtime)
                await runtime.start(concurrency=concurrency)
            except (AgentRuntimeError, RuntimeError) as error:
                raise CommandError(sentence(error)) from error
            agents = ", ".join(sorted(runtime.agents))
            where = f" on {shown_engine(engine)}" if engine else ""
            _LOGGER.info("Worker %d started for %s%s", os.getpid(), agents, where)
            if keep is not None:
                pruning = asyncio.create_task(_prune(runtime.engine, keep))
            name, begun = await told, time.monotonic()
            await runtime.stop(drain_s=drain_s)
            _LOGGER.info("Worker %d stopped %.1f s after %s", os.getpid(), time.monotonic() - begun, name)
    finally:
        if pruning is not None:
            await stop(pruning)
        await runtime.close()
        await runtime.engine.close()  # it may have been given as an object, and this process ends


def _runtime(found: Runtime | list[object], app: str, engine: str | None, store: str | None) -> Runtime:
    """The runtime to work for.

    Raises:
        CommandError: It has no engine that other processes can use, or has one and is given another.
    """
    if isinstance(found, Runtime):
        given = [name for name, value in (("--engine", engine), ("--store", store)) if value is not None]
        if given:
            raise CommandError(
                f"{app} is a Runtime, which has its own engine and store: leave out {' and '.join(given)}."
            )
        if isinstance(found.engine, InProcessRunEngine):
            raise CommandError(
                f"the engine of {app} is memory://, whose runs are in the process that submits them; give it the URL "
                f"of a SQLite file or of PostgreSQL."
            )
        return found
    if engine is None:
        raise CommandError("--engine is missing: name the engine, such as sqlite:///runs.db or postgresql://...")
    opened = shared_engine(engine)
    missing = [
        agent.key for agent in found if isinstance(agent, KeptConversations) and agent.keeps_in_its_memory and not store
    ]
    if missing:
        raise CommandError(
            f"--store is missing: the conversations of {', '.join(map(repr, missing))} would end with this process. "
            f"Name a store, such as sqlite:///journeys.db or postgresql://..."
        )
    try:
        return Runtime(found, store, opened)
    except AgentRuntimeError as error:
        raise CommandError(f"--store: {sentence(error)}") from error


async def _check_stores(runtime: Runtime) -> None:
    """Make sure that the agents' stores can be read: without that each run would fail.

    Raises:
        StoreError: One cannot.
    """
    for agent in runtime.agents.values():
        if isinstance(agent, KeptConversations):
            await agent.store.load("agent-runtime worker", agent.key, max_messages=0)


def _check_models(runtime: Runtime) -> None:
    """Make sure that the agents have a model: without one each run would fail.

    Raises:
        ConfigError: One has none, and none is configured.
    """
    for agent in runtime.agents.values():
        if isinstance(agent, JourneyAgent) and agent.llm_client is None:
            agent._default_client.get()


async def _prune(engine: RunEngine, keep: timedelta) -> None:
    """Forget old runs, now and once an hour."""
    while True:
        try:
            number = await engine.prune(finished_before=datetime.now(UTC) - keep)
        except EngineError as error:
            _LOGGER.warning("Old runs could not be forgotten, and are in an hour: %s", sentence(error))
        else:
            if number:
                _LOGGER.info("Forgot %d runs that were over for more than %s", number, keep)
        await asyncio.sleep(_PRUNE_EVERY_S)


@contextmanager
def _signals() -> Iterator[asyncio.Future[str]]:
    """The name of the first signal that asks to stop; the second ends the process like a kill."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[str] = loop.create_future()
    since = 0.0

    def asked(number: signal.Signals) -> None:
        nonlocal since
        if not told.done():
            since = time.monotonic()
            told.set_result(number.name)
        elif time.monotonic() - since > _ONE_WISH_S:
            os._exit(INTERRUPTED)

    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, asked, number)
    try:
        yield told
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
