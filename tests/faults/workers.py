"""Workers in processes of their own, as a test handles them, and what must hold of what they did."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent_runtime_core.engines import RunRequest
from tests.faults.run_worker import WorkerSettings, serve_runs

__all__ = ["StartWorker", "WorkerProcess", "check_steps", "request", "workers"]

_PATIENCE_S = 60.0
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.faults.run_worker", "tests.faults.journey_worker", "tests.faults.server"])


class WorkerProcess:
    """One process. What it tells is read in order; whoever waits for it gives up after a minute.

    Args:
        serve: What runs in it, with a connection to us as its first argument.
        *arguments: The others.
    """

    def __init__(self, serve: Callable[..., None], *arguments: Any) -> None:
        self._connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=serve, args=(theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()
        # Read all the time, so that no process ever has to wait until it is listened to.
        self._told: queue.SimpleQueue[tuple[str, tuple[Any, ...]] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def next_event(self) -> tuple[str, tuple[Any, ...]]:
        """The next thing that it tells.

        Raises:
            EOFError: It is dead, and has told everything.
            TimeoutError: It tells nothing.
        """
        try:
            told = self._told.get(timeout=_PATIENCE_S)
        except queue.Empty:
            raise TimeoutError(f"the worker told nothing for {_PATIENCE_S} seconds") from None
        if told is None:
            self._told.put(None)
            raise EOFError
        return told

    def wait_for(self, *wanted: Any) -> tuple[Any, ...]:
        """The facts of the next event that begins with these."""
        while True:
            event, facts = self.next_event()
            if (event, *facts)[: len(wanted)] == wanted:
                return facts

    def wait_for_death(self) -> None:
        """Read until it is dead, by its own hand."""
        try:
            while True:
                self.next_event()
        except EOFError:
            self._process.join(_PATIENCE_S)
            assert self._process.exitcode == -signal.SIGKILL

    def let(self) -> None:
        """Open its gates."""
        self._connection.send(("let", ()))

    def kill(self, *, after_s: float = 0) -> None:
        """Kill it."""
        self._process.join(after_s)
        self._process.kill()
        self._process.join(_PATIENCE_S)

    def terminate(self) -> None:
        """Ask it to end, as whoever runs it would, and wait until it has."""
        self._process.terminate()
        self._process.join(_PATIENCE_S)
        assert self._process.exitcode == 0

    def wait_until_frozen(self) -> None:
        """Wait until it has stopped itself."""
        stat = Path(f"/proc/{self.pid}/stat")
        deadline = time.monotonic() + _PATIENCE_S
        while stat.read_text().rpartition(")")[2].split()[0] != "T":
            assert time.monotonic() < deadline, "the worker does not stop"
            time.sleep(0.001)

    def carry_on(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """End it, by its own end if it can, and in any case."""
        try:
            self._connection.send(("leave", ()))
        except OSError:
            pass  # it is dead
        self._process.join(10)
        self._process.kill()
        self._process.join(_PATIENCE_S)
        self._reader.join(_PATIENCE_S)
        self._connection.close()
        self._process.close()

    def _read(self) -> None:
        try:
            while True:
                self._told.put(self._connection.recv())
        except (EOFError, OSError):  # it has ended, or was killed while it wrote
            self._told.put(None)


StartWorker = Callable[..., WorkerProcess]
"""Starts a worker and waits until it takes part: `start_worker(gates=["in b"], ...)`, see `WorkerSettings`."""


@contextmanager
def workers(url: str, effects: Path) -> Iterator[StartWorker]:
    """Starts workers; all of them are ended with the block."""
    started: list[WorkerProcess] = []

    def start(*, is_waited_for: bool = True, **settings: Any) -> WorkerProcess:
        started.append(worker := WorkerProcess(serve_runs, url, WorkerSettings(effects=effects, **settings)))
        if is_waited_for:
            worker.wait_for("ready")
        return worker

    try:
        yield start
    finally:
        for worker in started:
            worker.close()


def request(run_id: str, order_key: str = "", steps: Sequence[str] = ("a", "b", "c"), **given: Any) -> RunRequest:
    """A run with these steps."""
    return RunRequest(
        run_id=run_id, agent_key="agent", order_key=order_key or f"of {run_id}", input={"steps": list(steps), **given}
    )


def check_steps(effects: Path, requests: Sequence[RunRequest], *, repeats: int = 0) -> list[list[str]]:
    """Make sure of what holds whatever happened to the workers, and give back the lines.

    Every step of every run was done, none after a later one (it is recorded before that begins), none more often than
    a worker was lost in it, and of one order key a run after the other.

    Args:
        effects: What the workers wrote.
        requests: The runs, in the order of their submission.
        repeats: So many steps may have been done a second time.
    """
    lines = [line.split() for line in effects.read_text().splitlines()]
    doubles = 0
    for each in requests:
        steps = [step for run_id, step, _ in lines if run_id == each.run_id]
        assert sorted(set(steps), key=steps.index) == each.input["steps"], (each.run_id, steps)
        assert steps == sorted(steps, key=each.input["steps"].index), (each.run_id, steps)
        doubles += len(steps) - len(set(steps))
    assert doubles <= repeats, f"{doubles} steps were done again"
    for key in {each.order_key for each in requests}:
        asked = [each.run_id for each in requests if each.order_key == key]
        done = [run_id for run_id, _, _ in lines if run_id in asked]
        assert done == sorted(done, key=asked.index), (key, done)
    return lines
