"""What the tests of faults share: a fresh store of each kind, and processes that use it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from agent_runtime_core.engines.dbos import DBOSRunEngine
from agent_runtime_core.interfaces import CheckpointStore
from agent_runtime_core.stores import open_store
from agent_runtime_core.testing import ScriptedLLM
from agent_runtime_framework.runtime import Runtime
from tests.faults.journey_worker import Counter, JourneySettings, serve_journey
from tests.faults.processes import Starter, starter
from tests.faults.workers import StartWorker, WorkerProcess, workers

T = TypeVar("T")

Looking = Callable[[Callable[[CheckpointStore], Awaitable[T]]], T]
Asking = Callable[[Callable[[DBOSRunEngine], Awaitable[T]]], T]


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store in which nothing is stored."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/conversations.db"
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture
def start() -> Iterator[Starter]:
    """Starts processes that use a store."""
    with starter() as started:
        yield started


@pytest.fixture
def look(url: str) -> Looking[T]:
    """Look into the store, from this process."""

    def looked(work: Callable[[CheckpointStore], Awaitable[T]]) -> T:
        async def run() -> T:
            async with open_store(url) as store:  # type: ignore[attr-defined]
                return await work(store)

        return asyncio.run(run())

    return looked


@pytest.fixture
def scale() -> Callable[[str, int], int]:
    """How much of something a test does: `scale("KILLS", 6)` is 6, or the number in AGENT_RUNTIME_FAULTS_KILLS."""

    def chosen(name: str, default: int) -> int:
        return int(os.environ.get(f"AGENT_RUNTIME_FAULTS_{name}", default))

    return chosen


@pytest.fixture(params=["dbos-sqlite", "dbos-postgresql"])
def engine_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a durable engine without a run."""
    if request.param == "dbos-sqlite":
        return f"sqlite:///{tmp_path}/runs.db"
    found: str = request.getfixturevalue("runs_url")
    return found


@pytest.fixture
def effects(tmp_path: Path) -> Path:
    """The file in which workers leave a line for each step."""
    path = tmp_path / "effects"
    path.touch()
    return path


@pytest.fixture
def start_worker(engine_url: str, effects: Path) -> Iterator[StartWorker]:
    """Starts workers of the engine."""
    with workers(engine_url, effects) as start:
        yield start


@pytest.fixture
def urls(engine_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The URLs of a durable engine and of a store of the same kind, both empty."""
    if engine_url.startswith("sqlite"):
        return engine_url, f"sqlite:///{tmp_path}/conversations.db"
    return engine_url, request.getfixturevalue("postgresql_url")


@pytest.fixture
def start_journeys(urls: tuple[str, str], effects: Path) -> Iterator[Callable[..., WorkerProcess]]:
    """Starts workers for a journey: `start_journeys(held={"c1": "in llm"})`, see `JourneySettings`."""
    started: list[WorkerProcess] = []

    def start(**settings: Any) -> WorkerProcess:
        started.append(WorkerProcess(serve_journey, urls, JourneySettings(effects=effects, **settings)))
        started[-1].wait_for("ready")
        return started[-1]

    yield start
    for worker in started:
        worker.close()


@pytest.fixture
def submit(urls: tuple[str, str], effects: Path) -> Callable[[Callable[[Runtime], Awaitable[T]]], T]:
    """Do something with a runtime in this process, which takes no part in the work."""

    def submitted(work: Callable[[Runtime], Awaitable[T]]) -> T:
        async def run() -> T:
            agent = Counter(ScriptedLLM([]))
            async with Runtime(agent, urls[1], urls[0], run_timeout_s=60) as runtime, asyncio.timeout(100):
                return await work(runtime)

        return asyncio.run(run())

    return submitted


@pytest.fixture
def ask(engine_url: str) -> Asking[T]:
    """Ask the engine something, from this process, which is no worker."""

    def asked(question: Callable[[DBOSRunEngine], Awaitable[T]]) -> T:
        async def run() -> T:
            engine = DBOSRunEngine(engine_url)
            try:
                async with asyncio.timeout(60):
                    return await question(engine)
            finally:
                await engine.close()

        return asyncio.run(run())

    return asked
