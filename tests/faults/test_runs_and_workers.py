"""Workers that are killed, frozen, replaced or told to stop: every run ends once, and nothing recorded is repeated."""

from __future__ import annotations

import asyncio
import random
import shutil
from typing import Any

import pytest

from agent_runtime_core.engines import RunInfo, RunRequest, RunStatus
from agent_runtime_core.engines.dbos import DBOSRunEngine
from tests.faults.workers import check_steps, request
from tests.postgresql import execute

EVENTS = ["started", "did a", "did b", "did c", "finished"]


async def submitted(engine: DBOSRunEngine, *requests: RunRequest) -> None:
    for each in requests:
        await engine.submit(each)


async def ended(engine: DBOSRunEngine, *requests: RunRequest) -> list[RunInfo]:
    return list(await asyncio.gather(*(engine.wait(each.run_id) for each in requests)))


async def told(engine: DBOSRunEngine, run_id: str) -> list[str]:
    events = [event async for _, event in engine.events(run_id)]
    return [f"did {event['step']}" if event["kind"] == "did" else event["kind"] for event in events]


@pytest.mark.parametrize(("point", "repeats"), [("before a", 0), ("in b", 1), ("after b", 0), ("in c", 1)])
def test_killed_anywhere_a_run_is_taken_up_by_another_worker(start_worker, ask, effects, point, repeats):
    first, second = request("first", "one"), request("second", "one")
    victim = start_worker(gates=[point])
    ask(lambda engine: submitted(engine, first, second))
    victim.wait_for("at", point, "first")
    start_worker()

    victim.kill()
    infos = ask(lambda engine: ended(engine, first, second))

    assert [info.status for info in infos] == [RunStatus.SUCCEEDED] * 2
    assert [info.attempts for info in infos] == [2, 1]
    check_steps(effects, [first, second], repeats=repeats)
    assert ask(lambda engine: told(engine, "first")) == EVENTS


def test_killed_again_and_again_at_random_moments(start_worker, ask, effects, scale):
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # shown when the test fails
    chance = random.Random(seed)
    kills = scale("KILLS", 6)
    running = [start_worker(engine={"max_interruptions": kills + 1}) for _ in range(2)]
    requests: list[RunRequest] = []

    for kill in range(kills):
        more = [request(f"{kill}-{number}", f"key {number % 3}") for number in range(6)]
        requests += more
        ask(lambda engine, more=more: submitted(engine, *more))
        running.pop(chance.randrange(2)).kill(after_s=chance.uniform(0, 0.3))
        running.append(start_worker(engine={"max_interruptions": kills + 1}))
    infos = ask(lambda engine: ended(engine, *requests))

    assert {info.status for info in infos} == {RunStatus.SUCCEEDED}
    # At each kill at most one run of each order key was on, in one of its steps.
    check_steps(effects, requests, repeats=kills * 3)
    for each in requests:
        assert ask(lambda engine, each=each: told(engine, each.run_id)) == EVENTS


def test_a_worker_that_was_frozen_and_taken_over_records_nothing_when_it_wakes_up(
    start_worker, ask, effects, engine_url, tmp_path
):
    first, later = request("first"), request("later")
    frozen = start_worker(freezes_at="in b")
    ask(lambda engine: submitted(engine, first))
    frozen.wait_until_frozen()
    if engine_url.startswith("sqlite"):
        # Whoever is frozen keeps its lock; here somebody has tidied up, as its machine's end would.
        shutil.rmtree(tmp_path / "runs.db-workers")
    else:
        server_says_it_is_gone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
        server_says_it_is_gone += "current_database() AND application_name = 'agent_runtime_worker'"
        execute(engine_url, server_says_it_is_gone)
    other = start_worker()
    [info] = ask(lambda engine: ended(engine, first))
    assert info.result == {"attempt": 2}

    frozen.carry_on()
    frozen.wait_for("broken off", "first")

    lines = check_steps(effects, [first], repeats=1)
    assert [step for _, step, _ in lines] == ["a", "b", "b", "c"]
    assert ask(lambda engine: told(engine, "first")) == EVENTS
    other.kill()
    ask(lambda engine: submitted(engine, later))
    [info] = ask(lambda engine: ended(engine, later))  # it takes part again
    assert f"-{frozen.pid}-" in info.worker


def test_a_newer_version_of_the_work_goes_on_with_what_an_older_one_began(start_worker, ask, effects):
    victim = start_worker(gates=["in b"])
    asked = request("run")
    ask(lambda engine: submitted(engine, asked))
    victim.wait_for("at", "in b")
    start_worker(steps=["a", "new", "b", "c"])

    victim.kill()
    [info] = ask(lambda engine: ended(engine, asked))

    assert info.status is RunStatus.SUCCEEDED
    assert [line.split()[1] for line in effects.read_text().splitlines()] == ["a", "b", "new", "b", "c"]


def test_told_to_stop_a_worker_hands_over_and_it_counts_against_no_run(start_worker, ask, effects):
    first, second = request("first", "one"), request("second", "one")
    leaving = start_worker(gates=["in b"], engine={"max_interruptions": 0})
    ask(lambda engine: submitted(engine, first, second))
    for _ in range(3):
        leaving.wait_for("at", "in b", "first")
        following = start_worker(gates=["in b"], engine={"max_interruptions": 0})
        leaving.terminate()
        leaving = following
    leaving.wait_for("at", "in b", "first")
    leaving.let()
    infos = ask(lambda engine: ended(engine, first, second))

    assert [info.status for info in infos] == [RunStatus.SUCCEEDED] * 2
    assert infos[0].attempts == 4
    check_steps(effects, [first, second], repeats=3)


def test_a_run_that_kills_its_workers_is_parked_and_the_conversation_goes_on(start_worker, ask, effects):
    bad, behind = request("bad", "one"), request("behind", "one")
    ask(lambda engine: submitted(engine, bad, behind))
    for _ in range(3):
        victim = start_worker(poison="bad", engine={"max_interruptions": 2}, is_waited_for=False)
        victim.wait_for_death()

    start_worker(engine={"max_interruptions": 2})
    infos = ask(lambda engine: ended(engine, bad, behind))

    assert [info.status for info in infos] == [RunStatus.PARKED, RunStatus.SUCCEEDED]
    assert infos[0].error is not None
    assert "died, 3 times" in infos[0].error["message"]
    assert ask(lambda engine: engine.health()).parked == 1
    # It was not the run's fault after all, or is no more: it goes on from its journal.
    ask(lambda engine: engine.retry("bad"))
    [info] = ask(lambda engine: ended(engine, bad))
    assert info.status is RunStatus.SUCCEEDED
    assert [line.split()[:2] for line in effects.read_text().splitlines()] == [
        ["bad", "a"],
        *[["bad", "b"]] * 3,
        *(["behind", step] for step in "abc"),
        *(["bad", step] for step in "bc"),
    ]


def test_a_run_that_gets_on_is_not_parked_however_many_workers_it_loses(start_worker, ask, effects):
    asked = request("run", steps="abcde")
    ask(lambda engine: submitted(engine, asked))
    for step in "abcd":
        victim = start_worker(dies_at=f"before {step}", engine={"max_interruptions": 1}, is_waited_for=False)
        victim.wait_for_death()
    start_worker(engine={"max_interruptions": 1})
    [info] = ask(lambda engine: ended(engine, asked))

    assert (info.status, info.attempts) == (RunStatus.SUCCEEDED, 5)
    check_steps(effects, [asked])


def test_workers_that_start_at_once_on_nothing_both_succeed(start_worker, ask, effects, engine_url):
    if engine_url.startswith("postgresql"):
        execute(engine_url, "DROP SCHEMA IF EXISTS agent_runtime CASCADE")
    starting = [start_worker(is_waited_for=False) for _ in range(4)]
    for worker in starting:
        worker.wait_for("ready")

    asked = [request(f"run {number}".replace(" ", "-")) for number in range(8)]
    ask(lambda engine: submitted(engine, *asked))
    infos = ask(lambda engine: ended(engine, *asked))

    assert {info.status for info in infos} == {RunStatus.SUCCEEDED}
    assert ask(lambda engine: engine.health()).workers == 4
    check_steps(effects, asked)


def test_a_worker_of_another_protocol_leaves_our_runs_alone(
    start_worker, ask, effects, engine_url, monkeypatch: pytest.MonkeyPatch
):
    asked = [request(f"run-{number}") for number in range(4)]
    ours = start_worker(gates=["in b"])
    ask(lambda engine: submitted(engine, *asked))
    for _ in asked:
        ours.wait_for("at", "in b")
    monkeypatch.setattr("agent_runtime_core.engines.dbos.desk.PROTOCOL", "of another release")

    async def submit_elsewhere(engine: DBOSRunEngine) -> RunStatus:
        return (await engine.submit(request("foreign"))).status

    ask(submit_elsewhere)
    ours.let()
    infos = ask(lambda engine: ended(engine, *asked))

    async def how_it_stands(engine: DBOSRunEngine) -> Any:
        return await engine.status("foreign")

    assert {info.status for info in infos} == {RunStatus.SUCCEEDED}
    assert ask(how_it_stands).status is RunStatus.QUEUED
    check_steps(effects, asked)
