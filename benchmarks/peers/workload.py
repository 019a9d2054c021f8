"""What every peer is given to do, and how it is measured; nothing but the standard library, for any environment."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import sys
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

__all__ = ["DONE", "LINES", "PROMPTS", "Peer", "Place", "Stub", "message_json", "serve"]

LINES = ("My name is Ada", "ada@example.org")
DONE = {"step": "done", "name": "Ada", "email": "ada@example.org"}
PROMPTS = {"name": "Ask for the user's name.", "email": "Ask for the email.", "done": "Thank the user."}
_ARGUMENTS = {"save_name": {"name": "Ada"}, "save_email": {"email": "ada@example.org"}}
_SHORT = "All right, what next?"
_LONG = "That is noted, thank you; I have put it with the rest of what you told me before. " * 3
WARM_UP = 20


class Peer(Protocol):
    """A framework with its store."""

    stub: Stub

    async def send(self, conversation: str, text: str) -> None:
        """One run: load, answer, leave everything durable."""
        ...

    async def state(self, conversation: str) -> dict[str, Any]:
        """The journey's state as it is stored."""
        ...


class Place:
    """Where a peer keeps its conversations: a path of a SQLite file, or a PostgreSQL URL; and its variant.

    Args:
        text: The path or URL.
        variant: What the peer calls one of its ways to do it; empty for its default.
    """

    def __init__(self, text: str, variant: str) -> None:
        self.text = text
        self.variant = variant
        self.is_postgresql = text.startswith("postgresql://")


class Stub:
    """The model: calls the offered tool after a user's message, and answers in text after a tool or without tools."""

    def __init__(self) -> None:
        self.calls = 0
        self._ids = itertools.count()

    def answer(self, *, after_tool: bool, offered: str | None) -> tuple[str, str, dict[str, str]]:
        """A text with an empty tool name, or an id, a tool's name and its arguments."""
        self.calls += 1
        if after_tool:
            return _SHORT, "", {}
        if offered is None:
            return _LONG[:200], "", {}
        return f"call_{next(self._ids)}", offered, _ARGUMENTS[offered]


def line_of(run: int) -> str:
    """What the user says in a run of the long conversation."""
    return LINES[run] if run < len(LINES) else f"{run}: " + "this is something else that I would like to say to you. "


def message_json(first_run: int, last_run: int) -> int:
    """Bytes of the messages of those runs of the long conversation, as compact JSON: a text and its answer each."""
    return sum(
        len(json.dumps({"role": "user", "content": line_of(run)}, separators=(",", ":")))
        + len(json.dumps({"role": "assistant", "content": _LONG[:200]}, separators=(",", ":")))
        for run in range(first_run, last_run + 1)
    )


Opener = Callable[[Place], AbstractAsyncContextManager[Peer]]


async def _conversations(peer: Peer, count: int) -> dict[str, Any]:
    """CPU of this process per run, in conversations of two runs each."""
    prefix = f"{time.time_ns()}-"
    await peer.send(f"{prefix}checked", LINES[0])
    await peer.send(f"{prefix}checked", LINES[1])
    state = await peer.state(f"{prefix}checked")
    assert state == DONE, state
    assert peer.stub.calls == 4, peer.stub.calls
    names = [f"{prefix}{number}" for number in range(WARM_UP + count)]
    for name in names[:WARM_UP]:
        for line in LINES:
            await peer.send(name, line)
    gc.collect()
    start = time.process_time()
    for name in names[WARM_UP:]:
        for line in LINES:
            await peer.send(name, line)
    return {"us_per_run": (time.process_time() - start) / (2 * count) * 1e6}


async def _long(peer: Peer, first: int, last: int) -> dict[str, Any]:
    """CPU of each run of one conversation, from run `first` to run `last`, counted from 0."""
    if not first:  # a process that has just begun: its first runs import and compile
        for number in range(WARM_UP):
            await peer.send(f"warm-{number}", LINES[0])
    spent = []
    for run in range(first, last + 1):
        start = time.process_time()
        await peer.send("long", line_of(run))
        spent.append((time.process_time() - start) * 1e6)
    return {"us_of_runs": spent}


def serve(opener: Opener) -> None:
    """Do one job in this process and print its figures as JSON: `<place> <variant> conversations|long <numbers>`."""
    text, variant, job, *numbers = sys.argv[1:]

    async def work() -> dict[str, Any]:
        async with opener(Place(text, variant)) as peer:
            if job == "conversations":
                return await _conversations(peer, int(numbers[0]))
            return await _long(peer, int(numbers[0]), int(numbers[1]))

    print(json.dumps(asyncio.run(work())))
