"""The durable engine keeps the contract on SQLite and on PostgreSQL, and what it promises beyond it."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import subprocess
import sys
import threading
import traceback
from collections.abc import AsyncGenerator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.engines import DurableContext, RunEnd, RunRequest, RunStatus, open_engine
from agent_runtime_core.engines.dbos import DBOSRunEngine
from agent_runtime_core.errors import ConfigError, EngineUnavailable, LLMUnavailable
from agent_runtime_core.testing.contracts import RunEngineContract
from tests.postgresql import execute


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


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/runs.db"


@pytest.fixture
async def engine(url: str) -> AsyncGenerator[DBOSRunEngine, None]:
    engine = DBOSRunEngine(url, poll_s=0.02, retry_pause_s=0.001)
    yield engine
    await engine.close()


def asked(run_id: str = "run", **fields: Any) -> RunRequest:
    return RunRequest(run_id=run_id, agent_key="agent", order_key=f"of {run_id}", **fields)


async def nothing(ctx: DurableContext) -> RunEnd:
    return RunEnd()


async def value(given: Any) -> Any:
    return given


# One DBOS in a process.


async def test_a_second_engine_of_the_process_cannot_be_started_but_used(engine: DBOSRunEngine, url: str) -> None:
    await engine.start(nothing)
    other = DBOSRunEngine(url)

    with pytest.raises(RuntimeError, match="has a DBOS already"):
        await other.start(nothing)
    await other.submit(asked())

    assert (await other.wait("run", timeout_s=30)).status is RunStatus.SUCCEEDED
    await engine.stop()
    await other.start(nothing)  # as soon as the place is free
    assert (await other.health()).workers == 1
    await other.close()


async def test_of_engines_that_are_started_at_once_one_is(engine: DBOSRunEngine, url: str) -> None:
    other = DBOSRunEngine(url)
    outcomes = await asyncio.gather(engine.start(nothing), other.start(nothing), return_exceptions=True)
    await other.close()

    assert [type(outcome) for outcome in outcomes if outcome] == [RuntimeError]


def test_a_process_that_ends_without_closing_fails_no_run(url: str) -> None:
    program = f"""
import asyncio
from agent_runtime_core.engines import RunEnd, RunRequest
from agent_runtime_core.engines.dbos import DBOSRunEngine

async def main():
    begun = asyncio.Event()
    async def work(ctx):
        begun.set()
        await asyncio.Event().wait()
    engine = DBOSRunEngine({url!r}, poll_s=0.01)
    await engine.start(work)
    for name in ("on", "next"):
        await engine.submit(RunRequest(run_id=name, agent_key="agent", order_key=name))
        await begun.wait()

asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)

    async def go_on() -> list[RunStatus]:
        engine = DBOSRunEngine(url, poll_s=0.02, grace_s=0.0)
        await engine.start(nothing)
        infos = [await engine.wait(name, timeout_s=30) for name in ("on", "next")]
        await engine.close()
        return [info.status for info in infos]

    assert asyncio.run(go_on()) == [RunStatus.SUCCEEDED] * 2


async def test_an_engine_can_be_stopped_and_started_and_closed_and_used_again(engine: DBOSRunEngine) -> None:
    for number in range(3):
        await engine.submit(asked(f"run {number}"))
        await engine.start(nothing)
        assert (await engine.wait(f"run {number}", timeout_s=30)).status is RunStatus.SUCCEEDED
        await engine.stop()
        if number == 1:
            await engine.close()
    assert len(await engine.runs()) == 3


async def test_it_may_be_stopped_as_soon_as_it_is_started(engine: DBOSRunEngine) -> None:
    for _ in range(5):
        await engine.start(nothing)
        await engine.stop(drain_s=0.0)

    assert (await engine.health()).workers == 0


async def test_nothing_is_left_running_when_it_is_closed(url: str) -> None:
    before = set(threading.enumerate())
    engine = DBOSRunEngine(url)
    await engine.start(nothing)
    await engine.submit(asked())
    await engine.wait("run", timeout_s=30)
    await engine.close()

    left = [thread for thread in set(threading.enumerate()) - before if not thread.name.startswith("asyncio")]
    assert left == []


async def test_who_follows_a_run_when_the_engine_is_closed_is_told(engine: DBOSRunEngine, url: str) -> None:
    await engine.submit(asked())
    following = asyncio.ensure_future(engine.wait("run"))
    await asyncio.wait([following], timeout=0.1)  # lets it begin; nobody does the run

    await engine.close()

    with pytest.raises(EngineUnavailable, match="was closed"):
        await following


# What the work may do.


async def test_a_run_that_a_stopping_worker_hands_over_goes_on_from_its_journal(
    engine: DBOSRunEngine, caplog: pytest.LogCaptureFixture
) -> None:
    counts = {"step": 0}
    reached = asyncio.Event()

    async def counted() -> int:
        counts["step"] += 1
        return counts["step"]

    async def work(ctx: DurableContext) -> RunEnd:
        await ctx.emit("begun", {"by": ctx.attempt})
        result = await ctx.step("count", counted)
        if ctx.attempt == 1:
            reached.set()
            await asyncio.Event().wait()
        return RunEnd(result={"count": result, "earlier": list(ctx.earlier_events)})

    await engine.start(work)
    await engine.submit(asked())
    await reached.wait()
    await engine.stop(drain_s=0.0)
    waiting = await engine.status("run")
    await engine.start(work)
    ended = await engine.wait("run", timeout_s=30)

    assert waiting is not None
    assert waiting.status is RunStatus.QUEUED
    assert ended.attempts == 2
    assert ended.result == {"count": 1, "earlier": [{"by": 1}]}
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


async def test_a_step_whose_record_was_not_waited_for_is_recorded(engine: DBOSRunEngine) -> None:
    counts = {"step": 0}
    is_done = asyncio.Event()

    async def counted() -> int:
        counts["step"] += 1
        is_done.set()
        return counts["step"]

    async def work(ctx: DurableContext) -> RunEnd:
        writing = asyncio.ensure_future(ctx.step("count", counted))
        await is_done.wait()  # its result is on the way to the database
        writing.cancel()
        await asyncio.wait([writing])
        return RunEnd(result={"count": await ctx.step("count", counted)})

    await engine.start(work)
    await engine.submit(asked())

    assert (await engine.wait("run", timeout_s=30)).result == {"count": 1}


@pytest.mark.parametrize("error", [asyncio.CancelledError(), GeneratorExit("odd")])
async def test_work_that_breaks_off_by_itself_has_failed(engine: DBOSRunEngine, error: BaseException) -> None:
    async def work(ctx: DurableContext) -> RunEnd:
        raise error

    await engine.start(work)
    await engine.submit(asked())
    ended = await engine.wait("run", timeout_s=30)

    assert ended.status is RunStatus.FAILED
    assert ended.error is not None
    assert ended.error["type"] == type(error).__name__


async def test_attempts_are_counted_over_failures_and_workers(engine: DBOSRunEngine) -> None:
    attempts: list[int] = []
    reached = asyncio.Event()

    async def work(ctx: DurableContext) -> RunEnd:
        attempts.append(ctx.attempt)
        await ctx.emit(f"begun {ctx.attempt}", {})
        await ctx.flush()
        if ctx.attempt == 1:
            raise LLMUnavailable("once more")
        if ctx.attempt == 2:
            reached.set()
            await asyncio.Event().wait()
        return RunEnd()

    await engine.start(work)
    await engine.submit(asked(max_attempts=3))
    await reached.wait()
    await engine.stop(drain_s=0.0)
    await engine.start(work)

    assert (await engine.wait("run", timeout_s=30)).attempts == 3
    assert attempts == [1, 2, 3]


@pytest.mark.parametrize("text", ["\x00", "\ud800", "日本語 🙂", "a" * 1_000_000])
async def test_any_text_survives(engine: DBOSRunEngine, text: str) -> None:
    async def work(ctx: DurableContext) -> RunEnd:
        await ctx.emit("said", {"text": text})
        return RunEnd(result={"same": await ctx.step("say", lambda: value(text)) == ctx.request.input["text"]})

    await engine.start(work)
    await engine.submit(asked(input={"text": text}))

    assert (await engine.wait("run", timeout_s=30)).result == {"same": True}
    assert [event async for _, event in engine.events("run")] == [{"text": text}]


async def test_events_outlast_a_step_that_cannot_be_recorded(runs_url: str) -> None:
    async def work(ctx: DurableContext) -> RunEnd:
        await ctx.emit("said", {"text": "before"})
        await ctx.step("nul \0 is no text for PostgreSQL", lambda: value(1))
        return RunEnd()

    engine = DBOSRunEngine(runs_url, poll_s=0.02)
    await engine.start(work)
    await engine.submit(asked())
    ended = await engine.wait("run", timeout_s=30)
    told = [event async for _, event in engine.events("run")]
    await engine.close()

    assert ended.status is RunStatus.FAILED
    assert told == [{"text": "before"}]


async def test_so_many_runs_are_on_at_once_as_this_process_wants(engine: DBOSRunEngine, url: str) -> None:
    on = most = 0
    three = asyncio.Barrier(3)

    async def work(ctx: DurableContext) -> RunEnd:
        nonlocal on, most
        on += 1
        most = max(most, on)
        await three.wait()
        on -= 1
        return RunEnd()

    for number in range(12):
        await engine.submit(asked(f"run {number}"))
    await engine.start(work, concurrency=3)
    await asyncio.gather(*(engine.wait(f"run {number}", timeout_s=30) for number in range(12)))

    assert most == 3


# Forgetting.


async def test_of_what_is_pruned_no_row_is_left(runs_url: str) -> None:
    async def work(ctx: DurableContext) -> RunEnd:
        await ctx.emit("said", {"text": "words"})
        return RunEnd(result={"value": await ctx.step("step", lambda: value(1))})

    engine = DBOSRunEngine(runs_url, poll_s=0.02)
    await engine.start(work)
    for number in range(3):
        await engine.submit(asked(f"run {number}"))
        await engine.wait(f"run {number}", timeout_s=30)
    await engine.stop()

    assert await engine.prune(finished_before=datetime.now(UTC) + timedelta(hours=1)) == 3
    await engine.close()
    rows = execute(runs_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'agent_runtime'")
    settings = {"queues", "application_versions", "dbos_migrations", "run_tables"}
    for table in {row["tablename"] for row in rows} - settings:
        assert execute(runs_url, f"SELECT count(*) FROM agent_runtime.{table}")[0][0] == 0, table


# Addresses.


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("sqlite://", "need a file"),
        ("sqlite:///:memory:", "need a file"),
        ("sqlite://runs.db", "two slashes"),
        ("sqlite:///runs.db?synchronous=off", "synchronous is 'off'"),
        ("sqlite:///runs.db?schema=a", "no option 'schema'"),
        ("sqlite:///runs.db?poll_s=soon", "give seconds"),
        ("sqlite:///runs.db?poll_s=0", "more than 0"),
        ("sqlite:///runs.db?poll_s=inf", "poll_s is inf; .* 86400 at most"),
        ("sqlite:///runs.db?grace_s=inf", "grace_s is inf; .* 86400 at most"),
        ("sqlite:///runs.db?retry_pause_s=nan", "retry_pause_s is nan"),
        ("sqlite:///runs.db?grace_s=-1", "grace_s is -1"),
        ("sqlite:///runs.db?max_interruptions=-1", "max_interruptions is -1"),
        ("sqlite:///runs.db?pool_size=1", "at least 2"),
        ("postgresql://ada:geheim@host", "names no database"),
        ("postgresql://ada:geh@eim@host/runs", "cannot be read"),
        ("postgresql://ada:geheim@host:port/runs", "cannot be read"),
        ("postgresql://ada:geheim@host/runs?schema=A-B", "small letters"),
        ("postgresql://ada:geheim@host/runs?colour=red", "no option 'colour'"),
        ("mysql://ada:geheim@host/runs", "begins with"),
    ],
)
def test_an_address_that_cannot_work_is_told_without_the_password(wrong: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        DBOSRunEngine(wrong)
    assert "geh" not in str(caught.value)


def test_a_url_opens_it() -> None:
    assert isinstance(open_engine("sqlite:///runs.db?poll_s=0.5&grace_s=3"), DBOSRunEngine)
    assert isinstance(open_engine("postgresql://ada:p%40ss@host:5432/runs?schema=mine&sslmode=require"), DBOSRunEngine)


async def test_a_database_that_is_not_there_is_told_without_the_password() -> None:
    engine = DBOSRunEngine("postgresql://ada:geheim@127.0.0.1:9/runs")
    for call in (engine.submit(asked()), engine.health(), engine.start(nothing)):
        with pytest.raises(EngineUnavailable, match=r"127\.0\.0\.1:9/runs cannot be reached") as caught:
            await call
        assert "geheim" not in str(caught.value)
    await engine.close()


async def test_a_database_whose_name_is_mistyped_is_not_made(runs_url: str) -> None:
    server, _, name = runs_url.rpartition("/")
    engine = DBOSRunEngine(f"{server}/{name}_mistyped")

    with pytest.raises(EngineUnavailable, match=f'"{name}_mistyped" does not exist'):
        await engine.health()
    await engine.close()

    names = await asyncio.to_thread(execute, runs_url, "SELECT datname FROM pg_database")
    assert f"{name}_mistyped" not in {row["datname"] for row in names}


def modes_for_others(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o077 for path in folder.glob("runs.db*") if path.is_file()}


async def test_what_is_said_in_a_file_is_for_its_owner_only(engine: DBOSRunEngine, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        await engine.start(nothing)
        await engine.submit(asked())
        await engine.wait("run", timeout_s=30)
    finally:
        os.umask(before)

    assert await asyncio.to_thread(modes_for_others, tmp_path) == dict.fromkeys(
        ["runs.db", "runs.db-wal", "runs.db-shm"], 0
    )


async def test_a_file_of_another_program_is_left_as_it_is(engine: DBOSRunEngine, tmp_path: Path) -> None:
    file = tmp_path / "runs.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE conversations (id)")
    before = file.read_bytes()

    with pytest.raises(ConfigError, match=r"runs\.db is a SQLite file of another program .*'conversations'"):
        await engine.submit(asked())

    assert file.read_bytes() == before


async def test_an_error_of_the_database_does_not_tell_what_was_said(engine: DBOSRunEngine, tmp_path: Path) -> None:
    await engine.health()
    with closing(sqlite3.connect(tmp_path / "runs.db")) as connection:
        connection.execute("DROP TABLE runs")
    request = asked(input={"text": "a secret of Ada's"})

    with pytest.raises(EngineUnavailable) as caught:
        await engine.submit(request)

    assert "secret" not in "".join(traceback.format_exception(caught.value))  # as an application would log it


async def test_two_schemas_of_a_database_know_nothing_of_each_other(runs_url: str) -> None:
    here, there = DBOSRunEngine(runs_url), DBOSRunEngine(f"{runs_url}?schema=elsewhere")
    await there.submit(asked())  # first: while a worker is on, DBOS waits a second with each of its indexes
    await here.submit(asked())
    await here.start(nothing)

    assert (await here.wait("run", timeout_s=30)).status is RunStatus.SUCCEEDED
    status = await there.status("run")
    assert status is not None
    assert status.status is RunStatus.QUEUED
    assert ((await here.health()).workers, (await there.health()).workers) == (1, 0)
    await here.close()
    await there.close()
    await asyncio.to_thread(execute, runs_url, "DROP SCHEMA elsewhere CASCADE")


@pytest.mark.parametrize("package", ["dbos", "psycopg"])
def test_a_missing_package_names_the_extra(package: str) -> None:
    program = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from agent_runtime_core.engines import open_engine\n"
        "from agent_runtime_core.errors import MissingDependency\n"
        "try:\n    open_engine('sqlite:///runs.db')\n"
        "except MissingDependency as error:\n    print(error)"
    )

    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert f"{package} is required for durable runs" in finished.stdout
    assert "pip install 'agent_runtime_core[durable]'" in finished.stdout


async def test_dbos_speaks_where_the_application_logs_and_not_of_what_it_is_told(
    engine: DBOSRunEngine, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work(ctx: DurableContext) -> RunEnd:
        raise KeyError("a secret of Ada's")

    caplog.set_level(logging.INFO)
    await engine.start(work)
    await engine.submit(asked(input={"text": "a secret of Ada's"}))
    await engine.wait("run", timeout_s=30)
    await engine.stop()

    assert "secret" not in caplog.text
    assert [record for record in caplog.records if record.name == "dbos"] == []
    assert capsys.readouterr().err == ""
