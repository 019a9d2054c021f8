"""Processes with an agent in them, as a test handles them: told what to send, listened to, stopped and killed."""

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

from agent_runtime_core.interfaces import OnBusy
from tests.faults.server import Settings, serve

__all__ = ["AgentProcess", "Starter", "starter"]

_PATIENCE_S = 60.0
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "tests.faults.server",
        "agent_runtime_core.stores.postgresql",
        "agent_runtime_core.stores.redis",
        "sqlalchemy.dialects.postgresql.asyncpg",
    ]
)


class AgentProcess:
    """One process. What it tells is read in order; whoever waits for it gives up after a minute."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=serve, args=(theirs, url, settings), daemon=True)
        self._process.start()
        theirs.close()
        # Read all the time, so that no process ever has to wait until it is listened to.
        self._told: queue.SimpleQueue[tuple[str, tuple[Any, ...]] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.failures: list[tuple[Any, ...]] = []
        """What it told of sends that raised: conversation, message, error, text."""
        self.answers: dict[str, tuple[str, bool]] = {}
        """What it told of sends that returned, by message: the answer, and whether it was a stored one."""

    def send(self, conversation_id: str, *texts: str, on_busy: OnBusy = "queue", named: bool = True) -> None:
        """Let it send the messages to the conversation, each when the one before is answered.

        Each is named by its own text, unless `named` is False.
        """
        self._connection.send(("send", (conversation_id, texts, on_busy, named)))

    def let(self, calls: int = 100) -> None:
        """Let a gated model answer that many calls."""
        self._connection.send(("let", (calls,)))

    def next_event(self) -> tuple[str, tuple[Any, ...]]:
        """The next thing that it tells.

        Raises:
            EOFError: It is dead, and has told everything.
            TimeoutError: It tells nothing.
        """
        try:
            told = self._told.get(timeout=_PATIENCE_S)
        except queue.Empty:
            raise TimeoutError(f"the process told nothing for {_PATIENCE_S} seconds") from None
        if told is None:
            raise EOFError
        event, facts = told
        if event == "failed":
            self.failures.append(facts)
        elif event == "answered":
            self.answers[facts[1]] = facts[2:]
        return event, facts

    def wait_for(self, event: str) -> tuple[Any, ...]:
        """The facts of the next event of this name."""
        while True:
            name, facts = self.next_event()
            if name == event:
                return facts

    def wait_until_done(self, texts: Sequence[str]) -> None:
        """Read until each of the messages was answered, or has failed."""
        while not set(texts) <= {*self.answers, *(failure[1] for failure in self.failures)}:
            self.next_event()

    def wait_for_death(self) -> None:
        """Read until it is dead."""
        try:
            while True:
                self.next_event()
        except EOFError:
            self._process.join(_PATIENCE_S)
            assert self._process.exitcode == -signal.SIGKILL

    def kill(self, *, after_s: float = 0) -> None:
        """Kill it, with what it has told so far read."""
        self._process.join(after_s)
        self._process.kill()
        self._process.join(_PATIENCE_S)
        try:
            while True:
                self.next_event()
        except EOFError:
            return

    def wait_until_stopped(self) -> None:
        """Wait until it has frozen itself."""
        stat = Path(f"/proc/{self._process.pid}/stat")
        deadline = time.monotonic() + _PATIENCE_S
        while stat.read_text().rpartition(")")[2].split()[0] != "T":
            assert time.monotonic() < deadline, "the process does not stop"
            time.sleep(0.001)

    def carry_on(self) -> None:
        """Let it go on."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        """End it, by its own end if it can, and in any case."""
        try:
            self._connection.send(("leave", ()))
        except OSError:
            pass  # it is dead
        self._process.join(5)
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


Starter = Callable[..., AgentProcess]
"""Starts a process: `start(url, lease_seconds=15.0, ...)`, see `Settings`."""


@contextmanager
def starter() -> Iterator[Starter]:
    """Starts processes; all of them are ended with the block."""
    processes: list[AgentProcess] = []

    def start(url: str, *, lease_seconds: float = 15.0, **settings: Any) -> AgentProcess:
        processes.append(process := AgentProcess(url, Settings(lease_seconds=lease_seconds, **settings)))
        return process

    try:
        yield start
    finally:
        for process in processes:
            process.close()
