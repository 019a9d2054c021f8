"""`agent-runtime worker`: it does runs until it is told to stop, and then loses none."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.engines import RunInfo, RunStatus
from agent_runtime_framework.runtime import Runtime
from tests.waiting import until

from . import engine_apps

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
ENGINE, STORE = "sqlite:///runs.db", "sqlite:///journeys.db"
URLS = ("--engine", f"{ENGINE}?poll_s=0.02", "--store", STORE)
COMMAND = [sys.executable, "-m", "agent_runtime_framework.cli", "worker"]

Run = Callable[..., Any]
Start = Callable[..., Any]


class WorkerProcess:
    """A worker, its log read line by line."""

    def __init__(self, directory: Path, *arguments: str, **environment: str) -> None:
        self._process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=directory,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": f"{HERE}{os.pathsep}{ROOT}", **environment},
        )
        self.log: list[str] = []

    def read_until(self, words: str) -> str:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.log.append(line)
            if words in line:
                return line
        raise AssertionError(f"it has ended with {self._process.wait()}: {self.log}")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop; its exit code."""
        self._process.send_signal(number)
        return self.ended()

    def tell(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def has_ended_when_told(self, number: signal.Signals) -> bool:
        self.tell(number)
        return self._process.poll() is not None

    def ended(self) -> int:
        _, rest = self._process.communicate(timeout=60)
        self.log += rest.splitlines(keepends=True)
        return self._process.returncode

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a worker and wait until it works."""
    started: list[WorkerProcess] = []

    def begin(*arguments: str, **environment: str) -> WorkerProcess:
        started.append(WorkerProcess(tmp_path, *arguments, **environment))
        started[-1].read_until("started")
        return started[-1]

    yield begin
    for process in started:
        process.kill()


@contextmanager
def there(directory: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)


def asked(directory: Path, work: Callable[[Runtime], Any], engine: str = ENGINE) -> Any:
    """Do something with a runtime that takes no part in the work."""

    async def run() -> Any:
        async with Runtime([engine_apps.Talk(), engine_apps.Other()], STORE, engine) as runtime:
            return await work(runtime)

    with there(directory):
        return asyncio.run(run())


def test_runs_are_done_and_a_stop_says_so(start: Start, tmp_path: Path) -> None:
    worker = start("engine_apps:Talk", *URLS, "--concurrency", "4")

    result = asked(tmp_path, lambda runtime: runtime.send("c1", "hello", agent="talk"))
    code = worker.end()

    assert result.response == "You said: hello"
    assert code == 0
    assert len(worker.log) == 2, worker.log
    assert "started for talk on sqlite:///runs.db" in worker.log[0]
    assert "after SIGTERM" in worker.log[1]
    assert "hello" not in "".join(worker.log)


@pytest.mark.parametrize("name", ["both", "app"])
def test_a_list_of_agents_and_a_runtime_are_worked_for(start: Start, tmp_path: Path, name: str) -> None:
    worker = start(f"engine_apps:{name}", *(URLS if name == "both" else ()), WITH_RUNTIME="1")

    async def sent(runtime: Runtime) -> list[str]:
        return [(await runtime.send("c1", "hi", agent=agent)).response for agent in ("talk", "other")]

    assert asked(tmp_path, sent) == ["You said: hi"] * 2
    assert worker.end(signal.SIGINT) == 0
    assert "started for other, talk" in worker.log[0]


def test_a_run_that_is_on_is_waited_for(start: Start, tmp_path: Path) -> None:
    worker = start("engine_apps:ready", *URLS)
    info: RunInfo = asked(tmp_path, lambda runtime: runtime.submit("c1", "wait door", agent="talk"))
    until(lambda: (tmp_path / "door.asked").exists())

    worker.tell(signal.SIGTERM)
    (tmp_path / "door").touch()

    assert worker.ended() == 0
    ended = asked(tmp_path, lambda runtime: runtime.status(info.run_id))
    assert (ended.status, ended.attempts) == (RunStatus.SUCCEEDED, 1)


def test_a_run_is_handed_over_and_another_worker_does_it(start: Start, tmp_path: Path) -> None:
    first = start("engine_apps:ready", *URLS, "--hand-over")
    info: RunInfo = asked(tmp_path, lambda runtime: runtime.submit("c1", "wait door", agent="talk"))
    until(lambda: (tmp_path / "door.asked").exists())

    code = first.end()
    between = asked(tmp_path, lambda runtime: runtime.status(info.run_id))
    (tmp_path / "door").touch()
    start("engine_apps:ready", *URLS)
    result = asked(tmp_path, lambda runtime: runtime.result(info.run_id))

    assert code == 0
    assert not between.status.is_over
    assert result.response == "You said: wait door"


def test_a_second_signal_ends_it_at_once(start: Start, tmp_path: Path) -> None:
    worker = start("engine_apps:ready", *URLS, "--drain", "600")
    asked(tmp_path, lambda runtime: runtime.submit("c1", "wait door", agent="talk"))
    until(lambda: (tmp_path / "door.asked").exists())

    worker.tell(signal.SIGTERM)
    until(lambda: worker.has_ended_when_told(signal.SIGINT))  # those that come with the first are one with it

    assert worker.ended() == 130


def test_a_signal_that_comes_doubled_is_one(start: Start, tmp_path: Path) -> None:
    worker = start("engine_apps:ready", *URLS)
    asked(tmp_path, lambda runtime: runtime.submit("c1", "wait door", agent="talk"))
    until(lambda: (tmp_path / "door.asked").exists())

    worker.tell(signal.SIGTERM)  # as `timeout` does: to the process, and to its group
    worker.tell(signal.SIGINT)
    (tmp_path / "door").touch()

    assert worker.ended() == 0
    assert "stopped" in worker.log[-1]


def test_old_runs_are_forgotten(start: Start, tmp_path: Path) -> None:
    worker = start("engine_apps:ready", *URLS)
    asked(tmp_path, lambda runtime: runtime.send("c1", "hello", agent="talk"))
    worker.end()

    second = start("engine_apps:ready", *URLS, "--keep-runs", "0h")
    line = second.read_until("Forgot")

    assert "Forgot 1 runs" in line
    assert asked(tmp_path, lambda runtime: runtime.runs()) == []


def test_the_log_can_be_json_with_the_ids_of_runs(start: Start, tmp_path: Path) -> None:
    worker = start("engine_apps:ready", *URLS, "--json")
    info: RunInfo = asked(tmp_path, lambda runtime: runtime.submit("c1", "fail now", agent="talk"))
    asked(tmp_path, lambda runtime: runtime.engine.wait(info.run_id))
    worker.end()

    records = [json.loads(line) for line in worker.log]
    failed = next(record for record in records if "failed" in record["message"])
    assert (failed["run_id"], failed["conversation_id"], failed["agent"]) == (info.run_id, "c1", "talk")
    assert "fail now" not in "".join(worker.log)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("engine_apps:Talk", "--store", STORE), "--engine is missing"),
        (("engine_apps:Talk", "--engine", "memory://", "--store", STORE), "the runs of memory://"),
        (("engine_apps:Talk", "--engine", "mysql://me:secret@host/db"), "--engine: no engine is known"),
        (("engine_apps:Talk", "--engine", ENGINE), "--store is missing: the conversations of 'talk'"),
        (("engine_apps:Talk", "--engine", ENGINE, "--store", "memory://"), "the runs of 'talk' would outlive"),
        (("engine_apps:Talk", "--engine", STORE, "--store", STORE), "is a SQLite file of another program"),
        (("engine_apps:Speechless", *URLS), "OPENAI_API_KEY"),
        (("engine_apps:Talk", "--engine", ENGINE, "--store", "nowhere://x"), "--store: "),
        (("engine_apps:Talk", "--engine", ENGINE, "--store", "sqlite:///no/such/folder/x.db"), "no/such/folder"),
        (("engine_apps:Talk", *URLS, "--keep-runs", "long"), "--keep-runs long: give a time"),
        (("engine_apps:Talk", *URLS, "--drain", "3", "--hand-over"), "--drain or --hand-over"),
        (("engine_apps:number", *URLS), "is no agent"),
        (("engine_apps:nothing", *URLS), "needs an agent"),
        (("engine_apps:nobody", *URLS), "has no name 'nobody'"),
        (("engine_apps:local",), "is memory://"),
        (("engine_apps:local", "--store", STORE), "leave out --store"),
        (("engine_apps:Talk", "--engine", "postgresql://nobody:secret@127.0.0.1:1/runs", "--store", STORE), "reach"),
    ],
)
def test_what_cannot_begin_is_told_in_one_line(in_process: Run, arguments: tuple[str, ...], words: str) -> None:
    done = in_process("worker", *arguments)

    assert done.returncode == 2, done.stderr
    errors = [line for line in done.stderr.splitlines() if " WARNING " not in line]  # what the driver has logged
    assert len(errors) == 1
    assert words in errors[0]
    assert "secret" not in done.stderr
