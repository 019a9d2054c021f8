"""Who submits, follows and cancels from other processes, and a database whose connections break."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.engines import RunInfo, RunRequest, RunStatus
from agent_runtime_core.engines.dbos import DBOSRunEngine
from agent_runtime_core.errors import EngineUnavailable
from tests.faults.workers import check_steps, request, workers
from tests.postgresql import ServerMissing, execute
from tests.postgresql_server import Server, own_server

CUT_ALL = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def ended(engine: DBOSRunEngine, *requests: RunRequest) -> list[RunInfo]:
    return list(await asyncio.gather(*(engine.wait(each.run_id) for each in requests)))


def test_a_run_that_eight_submit_at_once_is_done_once(start_worker, ask, effects):
    for _ in range(2):
        start_worker()
    asked = [request(f"run-{number}") for number in range(5)]
    infos: list[list[RunInfo]] = []
    together = threading.Barrier(8)

    async def submit_all(engine: DBOSRunEngine) -> list[RunInfo]:
        await engine.health()  # connected, before all begin together
        together.wait()
        for each in asked:
            await engine.submit(each)
        return await ended(engine, *asked)

    submitters = [threading.Thread(target=lambda: infos.append(ask(submit_all))) for _ in range(8)]
    for submitter in submitters:
        submitter.start()
    for submitter in submitters:
        submitter.join()

    assert len(infos) == 8
    assert all(each == infos[0] for each in infos)
    assert [info.status for info in infos[0]] == [RunStatus.SUCCEEDED] * 5
    check_steps(effects, asked)


def test_a_reader_that_comes_back_anywhere_misses_nothing_and_sees_nothing_twice(start_worker, ask):
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # shown when the test fails
    chance = random.Random(seed)
    asked = request("run", steps="abcdefgh", deltas=10)

    async def read_in_pieces(engine: DBOSRunEngine) -> list[tuple[int, dict[str, Any]]]:
        seen: list[tuple[int, dict[str, Any]]] = []
        while True:
            patience = chance.randint(1, 15)
            async with aclosing(engine.events("run", after=seen[-1][0] if seen else 0)) as events:
                async for event in events:
                    seen.append(event)
                    patience -= 1
                    if not patience:
                        break
                else:
                    return seen

    async def read_all(engine: DBOSRunEngine) -> list[tuple[int, dict[str, Any]]]:
        return [event async for event in engine.events("run")]

    ask(lambda engine: engine.submit(asked))
    start_worker(dies_at="in e", is_waited_for=False).wait_for_death()
    start_worker()
    pieces, whole = ask(read_in_pieces), ask(read_all)

    assert pieces == whole
    assert [offset for offset, _ in whole] == list(range(1, len(whole) + 1))
    lasting = [event.get("step", event["kind"]) for _, event in whole if event["kind"] != "delta"]
    assert lasting == ["started", *"abcdefgh", "finished"]
    for step in "fgh":
        texts = [event["text"] for _, event in whole if event.get("text", "").startswith(step)]
        assert texts == [f"{step} {number}" for number in range(10)]


def test_cancelled_from_another_process_while_queued_and_while_in_a_step(start_worker, ask, effects):
    on = request("on", "one", until_cancelled="b")
    queued, behind = request("queued", "one"), request("behind", "one")
    worker = start_worker()

    async def submit_and_cancel_the_one_that_waits(engine: DBOSRunEngine) -> list[bool]:
        for each in (on, queued, behind):
            await engine.submit(each)
        return [await engine.cancel("queued"), await engine.cancel("queued")]

    assert ask(submit_and_cancel_the_one_that_waits) == [True, False]
    worker.wait_for("at", "in b", "on")
    assert ask(lambda engine: engine.cancel("on")) is True
    infos = ask(lambda engine: ended(engine, on, queued, behind))

    assert [info.status for info in infos] == [RunStatus.CANCELLED, RunStatus.CANCELLED, RunStatus.SUCCEEDED]
    assert [info.attempts for info in infos] == [1, 0, 1]
    assert [line.split()[:2] for line in effects.read_text().splitlines()] == [
        *(["on", step] for step in "ab"),
        *(["behind", step] for step in "abc"),
    ]


def test_connections_that_break_at_any_moment_lose_and_double_nothing(runs_url, effects, scale):
    asked = [request(f"run-{number}", f"key {number % 4}", "abcdefgh") for number in range(24)]

    async def submit_all() -> None:
        engine = DBOSRunEngine(runs_url)
        for each in asked:
            await engine.submit(each)
        await engine.close()

    async def wait_for_all() -> list[RunInfo]:
        engine = DBOSRunEngine(runs_url)
        infos = []
        for each in asked:
            infos.append(await engine.wait(each.run_id))
        await engine.close()
        return infos

    asyncio.run(submit_all())
    with workers(runs_url, effects) as start:
        for _ in range(2):
            start(concurrency=2, engine={"max_interruptions": 100})
        cuts = scale("CUTS", 8)
        for _ in range(cuts):
            threading.Event().wait(0.1)  # lets them get on: what is cut may be anything
            execute(runs_url, CUT_ALL)
        infos = asyncio.run(wait_for_all())

    assert {info.status for info in infos} == {RunStatus.SUCCEEDED}
    # A worker that has lost its lock may be taken for dead; then what it was in is done again, and its records refused.
    check_steps(effects, asked, repeats=cuts * 4)


@pytest.fixture
def server(service_missing: Callable[[str, str], None]) -> Iterator[Server]:
    """A running server without tables."""
    try:
        with own_server() as server:
            yield server
    except ServerMissing as missing:
        service_missing("a PostgreSQL server of the tests' own", str(missing))


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_restarts_in_the_middle_holds_runs_up_and_breaks_none(server, effects, mode):
    asked = request("run")

    async def submit() -> None:
        engine = DBOSRunEngine(server.url())
        await engine.submit(asked)
        await engine.close()

    async def refused() -> None:
        engine = DBOSRunEngine(server.url())
        try:
            with pytest.raises(EngineUnavailable, match="cannot be reached") as caught:
                await engine.status("run")
            assert "p@ss" not in str(caught.value)
        finally:
            await engine.close()

    async def wait() -> RunInfo:
        engine = DBOSRunEngine(server.url())
        info = await engine.wait("run")
        await engine.close()
        return info

    asyncio.run(submit())
    with workers(server.url(), effects) as start:
        worker = start(gates=["in b"])
        worker.wait_for("at", "in b")
        server.stop(mode)
        worker.let()
        asyncio.run(refused())
        server.start()
        info = asyncio.run(wait())

    assert (info.status, info.attempts) == (RunStatus.SUCCEEDED, 1)
    check_steps(effects, [asked])


def test_a_client_that_is_connected_goes_on_after_its_connections_broke(runs_url, effects: Path):
    async def ask_twice() -> list[RunStatus]:
        engine = DBOSRunEngine(runs_url)
        infos = [await engine.submit(request("first"))]
        await asyncio.to_thread(execute, runs_url, CUT_ALL)
        infos.append(await engine.submit(request("second")))
        await engine.close()
        return [info.status for info in infos]

    assert asyncio.run(ask_twice()) == [RunStatus.QUEUED, RunStatus.QUEUED]
