"""Workers that are killed while people talk to them: nothing is lost, and nothing happens twice.

python examples/durable/chaos.py [--database postgresql://user:password@host/database] [--kills 10]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from agent_runtime_framework.runtime import RunNotSucceeded, Runtime

if __package__:
    from examples.durable.donation import LEDGER_VARIABLE, Donation
else:
    from donation import LEDGER_VARIABLE, Donation  # type: ignore[import-not-found, no-redef]  # run as a script

TALK = ("I'm {name}.", "I give 20 euros.", "{name}@example.org")
NAMES = ("ada", "bob", "cleo", "dan", "eve", "finn", "gus", "hana", "ivo", "jo")
ENGINE_OPTIONS = "poll_s=0.05&grace_s=0.5&max_interruptions=1000"
"""Killed that often, a run would be parked by default: it looks like one that kills its workers."""


@dataclass
class Report:
    """What has happened."""

    sent: int = 0
    answered: int = 0
    lost: int = 0
    doubled: int = 0
    kills: int = 0
    taken_up: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    """Lines of donations, by conversation."""
    donations: Counter[str] = field(default_factory=Counter)
    """Those with a new key: what a payment service would have made."""
    receipts: Counter[str] = field(default_factory=Counter)
    unknown: set[str] = field(default_factory=set)
    """Conversations of whose receipt nobody knows."""


class Workers:
    """`agent-runtime worker`, some of them, one of which is killed now and then.

    Args:
        number: How many there are at a time.
        engine: The engine's URL.
        store: The store's URL.
        ledger: The file that stands for the world outside.
    """

    def __init__(self, number: int, engine: str, store: str, ledger: Path) -> None:
        app = f"{Path(__file__).with_name('donation.py')}:worker_app"
        self._command = [sys.executable, "-m", "agent_runtime_framework.cli", "worker", app]
        self._command += ["--engine", engine, "--store", store]
        self._environment = {**os.environ, LEDGER_VARIABLE: str(ledger), "AGENT_RUNTIME_LOG_LEVEL": "ERROR"}
        self.number = number
        self._running = [self._start() for _ in range(number)]

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, env=self._environment)

    def kill_one(self) -> None:
        """SIGKILL: no goodbye, no clean-up. Another one is started in its place."""
        victim = self._running.pop(0)  # the one that has lived longest
        victim.kill()
        victim.wait()
        self._running.append(self._start())

    def stop(self) -> None:
        """SIGTERM, as whoever deploys would: runs that are on come to their ends."""
        for worker in self._running:
            worker.terminate()
        for worker in self._running:
            worker.wait()


async def talk(runtime: Runtime, conversation: str, name: str, report: Report) -> None:
    """One person: each message after the answer to the one before, submitted twice as by an impatient client."""
    for number, text in enumerate(TALK):
        report.sent += 1
        for _ in range(2):
            info = await runtime.submit(conversation, text.format(name=name), message_id=f"{conversation}-{number}")
        try:
            await runtime.result(info.run_id)
        except RunNotSucceeded as error:
            print(error, file=sys.stderr)
        else:
            report.answered += 1
        ended = await runtime.status(info.run_id)
        report.taken_up += ended is not None and ended.attempts > 1


async def person(
    runtime: Runtime, place: int, report: Report, conversations: dict[str, str], over: asyncio.Event
) -> None:
    """Have one conversation after the other, until the killing is over."""
    while not over.is_set():
        conversation = f"{uuid4().hex[:8]}-{place}"  # a database may hold those of an earlier time
        conversations[conversation] = NAMES[place % len(NAMES)]
        await talk(runtime, conversation, conversations[conversation], report)


async def kill(runtime: Runtime, workers: Workers, report: Report, kills: int, over: asyncio.Event) -> None:
    """Kill workers at random moments, as often as wanted; each time the one before has come to work."""
    try:
        while report.kills < kills:
            while (await runtime.engine.health()).workers < workers.number:  # noqa: ASYNC110  # other processes
                await asyncio.sleep(0.1)
            await asyncio.sleep(random.uniform(0, 1))
            await asyncio.to_thread(workers.kill_one)
            report.kills += 1
    finally:
        over.set()


async def look_back(runtime: Runtime, conversations: dict[str, str], ledger: Path, report: Report) -> None:
    """Compare what is stored, and what has happened outside, with what was sent."""
    store = runtime.agents["donation"].store
    for conversation, name in conversations.items():
        history = await store.history(conversation)
        said = [message["content"] for message in history if message["role"] == "user"]
        for text in TALK:
            times = said.count(text.format(name=name))
            report.lost += times == 0
            report.doubled += max(times - 1, 0)
        results = [str(message["content"]) for message in history if message["role"] == "tool"]
        if any("not known whether send_receipt" in result for result in results):
            report.unknown.add(conversation)
    keys: set[str] = set()
    for line in (await asyncio.to_thread(ledger.read_text)).splitlines():
        conversation, what, *key = line.split()
        if what == "donation":
            report.asked[conversation] += 1
            report.donations[conversation] += key[0] not in keys
            keys.update(key)
        elif what == "receipt":
            report.receipts[conversation] += 1


def table(report: Report, conversations: dict[str, str]) -> tuple[str, bool]:
    """The report for people, and whether all is well."""
    rows = [("messages", report.sent, report.answered, report.sent - report.answered + report.lost, report.doubled)]
    for name, found in (("donations", report.donations), ("receipts", report.receipts)):
        known = report.unknown if name == "receipts" else set()
        lost = sum(found[each] == 0 and each not in known for each in conversations)
        rows.append((name, len(conversations), sum(found.values()), lost, sum(max(n - 1, 0) for n in found.values())))
    lines = [f"{'':<12}{'wanted':>10}{'happened':>10}{'lost':>10}{'doubled':>10}"]
    lines += [f"{name:<12}{''.join(f'{cell:>10}' for cell in cells)}" for name, *cells in rows]
    repeated = sum(report.asked.values()) - sum(report.donations.values())
    lines += [
        "",
        f"{report.kills} workers killed; {report.taken_up} runs were taken up by another one.",
        f"{repeated} donations were asked for again, with the same key: they are made once.",
        f"{len(report.unknown)} receipts may have been sent or not when a worker died: not tried again, and said so.",
    ]
    return "\n".join(lines), not any(lost or doubled for _, _, _, lost, doubled in rows)


async def upgraded(database: str) -> tuple[str, str]:
    """The URLs of the engine and of the store in a PostgreSQL database, with tables."""
    from agent_runtime_core.stores.postgresql import upgrade

    await upgrade(database)
    return f"{database}{'&' if '?' in database else '?'}{ENGINE_OPTIONS}", database


async def main() -> int:
    """Talk, kill, and count; 1 when something was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default=os.environ.get("DURABLE_DATABASE", ""), help="PostgreSQL; else SQLite")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--kills", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "ledger"
        ledger.touch()
        if given.database:
            engine, store = await upgraded(given.database)
        else:
            engine, store = f"sqlite:///{folder}/runs.db?{ENGINE_OPTIONS}", f"sqlite:///{folder}/journeys.db"
        kind = "PostgreSQL" if given.database else "SQLite"
        print(f"{given.workers} workers on {kind}, {given.people} people at a time, {given.kills} kills")
        report, conversations, over, begun = Report(), dict[str, str](), asyncio.Event(), time.monotonic()
        workers = Workers(given.workers, engine, store, ledger)
        try:
            async with Runtime(Donation(), store, engine) as runtime:
                people = [person(runtime, place, report, conversations, over) for place in range(given.people)]
                await asyncio.gather(kill(runtime, workers, report, given.kills, over), *people)
                await look_back(runtime, conversations, ledger, report)
        finally:
            await asyncio.to_thread(workers.stop)
        text, is_well = table(report, conversations)
        print(f"{text}\n{time.monotonic() - begun:.0f} seconds.")
        return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
