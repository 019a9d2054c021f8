"""Journeys on durable engines whose workers die: every message is answered once, and what happens once happens once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.engines import RunInfo, RunStatus
from agent_runtime_framework.runtime import Runtime
from tests.faults.journey_worker import Counter, schedule_and_die
from tests.faults.ledger import check_consistent, check_whole, done, entered
from tests.faults.workers import WorkerProcess

POINTS = {
    "asked": "llm 1",
    "entering": "before enter",
    "entered": "after enter",
    "committing": "before commit 1",
    "committed": "after commit 1",
    "charging": "before charge",
    "charged": "after charge",
    "announcing": "before announce",
    "announced": "after announce",
    "streaming": "streaming",
    "ending": "before commit 4",
    "ended": "after commit 4",
}


async def sent(runtime: Runtime, *texts: str) -> list[RunInfo]:
    """Submit messages, each named by itself and to the conversation that it begins with."""
    return [await runtime.submit(text.partition("-")[0], text, message_id=text) for text in texts]


async def answers(runtime: Runtime, infos: Sequence[RunInfo]) -> list[str]:
    return [(await runtime.result(info.run_id)).response for info in infos]


async def told(runtime: Runtime, run_id: str, after: int = 0) -> list[tuple[int, dict[str, Any]]]:
    async with aclosing(runtime.events(run_id, after=after)) as events:
        return [pair async for pair in events]


def left_by(effects: Path) -> list[list[str]]:
    """What the tools have left: conversation, tool, and what names the call."""
    return [line.split() for line in effects.read_text().splitlines()]


def check_events(events: Sequence[tuple[int, dict[str, Any]]]) -> None:
    """What is told once is told once, and the offsets rise."""
    offsets = [offset for offset, _ in events]
    assert offsets == sorted(set(offsets))
    kinds = [event["kind"] for _, event in events]
    assert kinds.count("run_started") == kinds.count("run_finished") == 1
    for kind in ("llm_call", "tool_call"):
        assert kinds.count(f"{kind}_started") == kinds.count(f"{kind}_finished")
    asked = [event["turn"] for _, event in events if event["kind"] == "llm_call_finished"]
    assert asked == [event["turn"] for _, event in events if event["kind"] == "turn_finished"] == sorted(set(asked))


async def check_all(runtime: Runtime, effects: Path, texts: dict[str, list[str]], *, kills: int) -> list[str]:
    """Whatever was killed: nothing is lost, doubled or interleaved, and what happens once has happened once.

    Args:
        runtime: Where it happened.
        effects: What the tools have left.
        texts: The messages by conversation.
        kills: How many workers were killed, each of which may have left one `enter` of each conversation in vain.

    Returns:
        The conversations whose announcement is not known of.
    """
    lines = await asyncio.to_thread(left_by, effects)
    store = runtime.agents["ledger"].store
    unknown = []
    for name, mine in texts.items():
        history = await check_consistent(store, name)
        check_whole(history, mine)
        words = [m["content"] for m in history if m["role"] == "user" or (m["role"] == "assistant" and m["content"])]
        assert words == [word for text in mine for word in (text, done(text))], name
        made = [number for conversation, tool, *number in lines if (conversation, tool) == (name, "enter")]
        numbers = {number for number, _ in entered(history)}
        assert numbers <= {number for [number] in made}
        assert len(made) - len(numbers) <= kills
        keys = [key for conversation, tool, *key in lines if (conversation, tool) == (name, "charge")]
        assert len({key for [key] in keys}) == 1, (name, keys)
        announced = sum((conversation, tool) == (name, "announce") for conversation, tool, *_ in lines)
        result = next(m["content"] for m in history if m.get("tool_call_id") == f"{name}-announce")
        if "not known" in result:
            unknown.append(name)
        assert announced <= 1
        assert announced == 1 or name in unknown
    return unknown


def test_killed_at_any_point_a_run_is_finished_by_another_worker(start_journeys, submit, effects):
    victim = start_journeys(held=POINTS)
    first = submit(lambda runtime: sent(runtime, *(f"{name}-0" for name in POINTS)))
    for _ in POINTS:
        victim.wait_for("held")
    more = submit(lambda runtime: sent(runtime, *(f"{name}-1" for name in POINTS)))

    victim.kill()
    start_journeys()
    replies = submit(lambda runtime: answers(runtime, [*first, *more]))

    assert replies == [done(f"{name}-{number}") for number in range(2) for name in POINTS]
    texts = {name: [f"{name}-0", f"{name}-1"] for name in POINTS}
    unknown = submit(lambda runtime: check_all(runtime, effects, texts, kills=1))
    assert unknown == ["announcing", "announced"]
    lines = left_by(effects)
    assert ["announcing", "announce"] not in lines  # nobody knows, so nobody tries again
    assert ["announced", "announce"] in lines
    charges = [name for name, tool, *_ in lines if tool == "charge"]
    assert {name for name in charges if charges.count(name) > 1} == {"charged"}  # with one key: it was charged once
    for info in first:
        check_events(submit(lambda runtime, info=info: told(runtime, info.run_id)))
        assert submit(lambda runtime, info=info: runtime.status(info.run_id)).attempts == 2


@pytest.mark.parametrize("workers", [2, 4])
def test_killed_at_random_moments_nothing_is_lost_and_nothing_doubled(start_journeys, submit, effects, scale, workers):
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # shown when the test fails
    chance = random.Random(seed)
    kills = scale("KILLS", 4)
    names = [f"c{number}" for number in range(4)]
    texts: dict[str, list[str]] = {name: [] for name in names}
    running: list[WorkerProcess] = [start_journeys() for _ in range(workers)]
    infos: list[RunInfo] = []

    for kill in range(kills):
        for name in names:
            texts[name].append(f"{name}-{kill}")
            infos += submit(lambda runtime, text=f"{name}-{kill}": sent(runtime, text))
        running.pop(chance.randrange(workers)).kill(after_s=chance.uniform(0, 0.4))
        running.append(start_journeys())
    replies = submit(lambda runtime: answers(runtime, infos))

    assert replies == [done(f"{name}-{kill}") for kill in range(kills) for name in names]
    unknown = submit(lambda runtime: check_all(runtime, effects, texts, kills=kills))
    for info in infos:
        check_events(submit(lambda runtime, info=info: told(runtime, info.run_id)))
    print(f"{kills} kills, {len(infos)} messages, {len(unknown)} announcements not known of")


@pytest.mark.timeout(300)
def test_a_run_is_cancelled_while_it_waits_while_it_streams_and_in_a_tool(start_journeys, submit, effects):
    worker = start_journeys(held={"talk": "streaming", "pay": "before charge"})
    [talking, behind, paying] = submit(lambda runtime: sent(runtime, "talk-0", "talk-1", "pay-0"))
    worker.wait_for("held")
    worker.wait_for("held")

    for info in (behind, talking, paying):
        assert submit(lambda runtime, info=info: runtime.cancel(info.run_id)) is True
    last = submit(lambda runtime: told(runtime, talking.run_id))[-1][1]  # it ends although nobody lets it go on
    paying_after = submit(lambda runtime: runtime.status(paying.run_id))
    worker.let()
    paid = submit(lambda runtime: runtime.result(paying.run_id))
    [again] = submit(lambda runtime: sent(runtime, "talk-2"))
    [reply] = submit(lambda runtime: answers(runtime, [again]))

    assert (last["kind"], last["reason"]) == ("run_finished", "cancelled")
    assert submit(lambda runtime: told(runtime, behind.run_id)) == [(1, {"kind": "run_cancelled"})]
    assert paying_after.status is RunStatus.RUNNING  # a tool that is on ends first
    assert paying_after.is_cancel_requested
    assert paid.metadata["stopped_reason"] == "cancelled"
    statuses = [submit(lambda runtime, i=i: runtime.status(i.run_id)).status for i in (talking, behind, paying, again)]
    assert statuses == [RunStatus.CANCELLED] * 3 + [RunStatus.SUCCEEDED]
    assert reply.endswith("talk-2")
    lines = [line[:2] for line in left_by(effects)]
    assert lines.count(["pay", "charge"]) == 1
    assert ["pay", "announce"] not in lines

    async def histories(runtime: Runtime) -> list[list[str]]:
        store = runtime.agents["ledger"].store
        return [[m["content"] for m in await check_consistent(store, name)] for name in ("talk", "pay")]

    talk, pay = submit(histories)
    assert "talk-1" not in talk
    assert pay[-1] == "Charged."


def test_a_message_that_is_submitted_by_many_at_once_is_answered_once(start_journeys, submit, effects):
    start_journeys()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: submit(lambda runtime: sent(runtime, "c1-0")), range(8)))

    runs = {info.run_id for [info] in found}
    assert len(runs) == 1
    assert submit(lambda runtime: answers(runtime, found[0])) == [done("c1-0")]
    submit(lambda runtime: check_all(runtime, effects, {"c1": ["c1-0"]}, kills=0))
    assert [info.run_id for info in submit(lambda runtime: runtime.runs())] == [*runs]


def test_a_reader_that_comes_back_at_any_offset_misses_nothing(start_journeys, submit, effects):
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # shown when the test fails
    chance = random.Random(seed)
    victim = start_journeys(held={"c1": "after commit 2"})
    [info] = submit(lambda runtime: sent(runtime, "c1-0"))
    victim.wait_for("held")

    async def read_on(runtime: Runtime) -> list[tuple[int, dict[str, Any]]]:
        read: list[tuple[int, dict[str, Any]]] = []
        was_killed = False
        while not read or read[-1][1]["kind"] != "run_finished":
            number = chance.randint(1, 4)
            async with aclosing(runtime.events(info.run_id, after=read[-1][0] if read else 0)) as events:
                while number and (not read or read[-1][1]["kind"] != "run_finished"):
                    if len(read) >= 5 and not was_killed:
                        await asyncio.to_thread(victim.kill)
                        await asyncio.to_thread(start_journeys)
                        was_killed = True
                    read.append(await anext(events))
                    number -= 1
        return read

    read = submit(read_on)
    every = submit(lambda runtime: told(runtime, info.run_id))

    assert read == every
    check_events(every)
    assert submit(lambda runtime: told(runtime, info.run_id, after=every[-1][0])) == []
    for offset, _ in every:
        assert submit(lambda runtime, offset=offset: told(runtime, info.run_id, offset)) == [
            pair for pair in every if pair[0] > offset
        ]


def test_a_reminder_comes_although_whoever_asked_for_it_is_gone(start_journeys, submit, effects, urls):
    worker = start_journeys()
    [first] = submit(lambda runtime: sent(runtime, "c1-0"))
    submit(lambda runtime: answers(runtime, [first]))
    asking = WorkerProcess(schedule_and_die, urls, effects, "c1")
    [run_id] = asking.wait_for("scheduled")
    asking.wait_for_death()
    asking.close()
    worker.kill()  # it, too, and nobody is there any more
    assert submit(lambda runtime: runtime.status(run_id)).status in {RunStatus.SCHEDULED, RunStatus.QUEUED}

    start_journeys()
    result = submit(lambda runtime: runtime.result(run_id))
    history = submit(lambda runtime: check_consistent(runtime.agents["ledger"].store, "c1"))

    assert result.response == "Are you still there?"
    assert [message["content"] for message in history].count("Are you still there?") == 1
    assert history[-1]["content"] == "Are you still there?"


def test_the_journey_of_these_tests_says_which_tools_run_once() -> None:
    tools = Counter.declared.tools

    assert {name for name, spec in tools.items() if spec.once} == {"charge", "announce"}
    assert {name for name, spec in tools.items() if spec.idempotent} == {"charge"}
