"""What the tests of faults share: a fresh store of each kind, and processes that use it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from agent_runtime_core.interfaces import CheckpointStore
from agent_runtime_core.stores import open_store
from tests.faults.processes import Starter, starter

T = TypeVar("T")

Looking = Callable[[Callable[[CheckpointStore], Awaitable[T]]], T]


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
