"""What `RunEngine` promises, as tests."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from agent_runtime_core.interfaces.run_engine import RunEngine
from agent_runtime_core.testing.contracts.engine_ends import EngineEnds
from agent_runtime_core.testing.contracts.engine_journal import EngineJournal
from agent_runtime_core.testing.contracts.engine_runs import EngineRuns
from agent_runtime_core.testing.contracts.engine_work import Work

__all__ = ["RunEngineContract"]


class RunEngineContract(EngineRuns, EngineJournal, EngineEnds):
    """Subclass it and give the fixture `engine`: a new engine that was not started, closed after the test.

    Pauses between attempts should be short there (`retry_pause_s`), or the tests take long.
    """

    @pytest.fixture
    async def work(self, engine: RunEngine) -> AsyncGenerator[Work, None]:
        work = Work()
        await engine.start(work)
        yield work
        for gate in work.gates.values():
            gate.set()
