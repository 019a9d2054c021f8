"""The engine of this process keeps the contract, and its memory within bounds."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest

from agent_runtime_core.engines import DurableContext, InProcessRunEngine, RunEnd, RunRequest, RunStatus, open_engine
from agent_runtime_core.engines.dbos import DBOSRunEngine
from agent_runtime_core.errors import ConfigError
from agent_runtime_core.testing.contracts import RunEngineContract


@pytest.fixture
async def engine() -> AsyncGenerator[InProcessRunEngine, None]:
    engine = InProcessRunEngine(retry_pause_s=0.001)
    yield engine
    await engine.close()


class TestInProcessRunEngine(RunEngineContract):
    """All that an engine promises."""


def asked(run_id: str) -> RunRequest:
    return RunRequest(run_id=run_id, agent_key="agent", order_key=run_id)


async def work(ctx: DurableContext) -> RunEnd:
    if ctx.request.run_id == "endless":
        await ctx.wait_cancelled()
    return RunEnd()


async def test_it_forgets_the_oldest_runs_that_are_over():
    engine = InProcessRunEngine(keep_finished=2)
    await engine.start(work)
    for name in "abc":
        await engine.submit(asked(name))
        if name != "a":
            await engine.wait(name)

    assert await engine.status("a") is None
    assert [info.run_id for info in await engine.runs()] == ["c", "b"]
    await engine.close()


async def test_a_run_that_outlasts_the_stop_is_told_as_interrupted(engine: InProcessRunEngine):
    await engine.start(work)
    await engine.submit(asked("endless"))
    await engine.stop(drain_s=0.01)

    ended = await engine.status("endless")
    assert ended is not None
    assert ended.status is RunStatus.FAILED
    assert ended.error is not None
    assert ended.error["type"] == "Interrupted"


async def test_a_closed_engine_begins_nothing_that_was_scheduled(engine: InProcessRunEngine):
    await engine.start(work)
    await engine.submit(asked("later"), at=datetime.now(UTC) + timedelta(seconds=0.01))
    await engine.close()
    with pytest.raises(TimeoutError):
        await engine.wait("later", timeout_s=0.05)


@pytest.mark.parametrize("odd", ["nul \0", "half \ud800"])
async def test_ids_that_no_database_takes_are_refused_here_as_well(engine: InProcessRunEngine, odd: str):
    with pytest.raises(ValueError, match=r"run_id is .* no database"):
        await engine.submit(asked(odd))


def test_an_engine_is_named_by_a_url():
    engine = open_engine("memory://")
    assert isinstance(engine, InProcessRunEngine)
    assert open_engine(engine) is engine
    assert isinstance(open_engine("MEMORY://"), InProcessRunEngine)
    assert isinstance(open_engine("SQLite:///runs.db"), DBOSRunEngine)


@pytest.mark.parametrize("wrong", ["memory", "mysql://user:secret@host/db", "", InProcessRunEngine, 3])
def test_what_names_no_engine_is_told_without_the_password(wrong: object):
    with pytest.raises(ConfigError) as caught:
        open_engine(wrong)  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)
    assert "sqlite:///runs.db" in str(caught.value)
