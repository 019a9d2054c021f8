"""The durable engine keeps the contract on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from agent_runtime_core.engines.dbos import DBOSRunEngine
from agent_runtime_core.testing.contracts import RunEngineContract


class TestOnSQLite(RunEngineContract):
    """All that an engine promises, in a file."""

    @pytest.fixture
    async def engine(self, tmp_path: Path) -> AsyncGenerator[DBOSRunEngine, None]:
        engine = DBOSRunEngine(f"sqlite:///{tmp_path}/runs.db", poll_s=0.02, retry_pause_s=0.001)
        yield engine
        await engine.close()


class TestOnPostgreSQL(RunEngineContract):
    """All that an engine promises, in a database that many machines share."""

    @pytest.fixture
    async def engine(self, runs_url: str) -> AsyncGenerator[DBOSRunEngine, None]:
        engine = DBOSRunEngine(runs_url, poll_s=0.02, retry_pause_s=0.001)
        yield engine
        await engine.close()
