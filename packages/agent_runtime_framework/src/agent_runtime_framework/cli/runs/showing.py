"""`agent-runtime runs show`: one run, and what has happened in it."""

from __future__ import annotations

import asyncio
import json as json_text
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Annotated, Any

import typer

from agent_runtime_core.engines import RunEngine, RunInfo
from agent_runtime_framework.agents.durable_journal import is_for_readers
from agent_runtime_framework.cli.runs.opening import EngineURL, RunId, no_run, with_engine
from agent_runtime_framework.cli.runs.words import as_json, conversation_of, shown_time
from agent_runtime_framework.cli.store.opening import JSON, print_json, print_line
from agent_runtime_framework.cli.terminal_text import one_line

__all__ = ["show"]

_SAFE = (
    "kind",
    "attempt",
    "turn",
    "step",
    "from_step",
    "to_step",
    "name",
    "status",
    "reason",
    "model",
    "finish_reason",
    "message_count",
    "usage",
    "cost",
)
"""What is shown of an event: none of it was said by anybody."""

_NEWS_S = 1.0
"""So long the next event of a run that is on may take to be shown with those that are there."""

Told = list[tuple[int, dict[str, Any]]]


def show(
    run: RunId,
    engine: EngineURL,
    text: Annotated[
        bool, typer.Option("--text", help="Show what was said, too: messages, arguments, results, words of errors.")
    ] = False,
    json: JSON = False,
) -> None:
    """Show a run and its events; what was said in it only with --text."""

    async def found(opened: RunEngine) -> tuple[RunInfo, Told]:
        info = await opened.status(run)
        if info is None:
            raise no_run(run)
        return info, await _told(opened, info, text=text)

    info, events = with_engine(engine, found)
    if json:
        print_json({**as_json(info, text=text), "events": [{"offset": place, **event} for place, event in events]})
        return
    for name, value in _facts(info, text=text):
        print_line(f"{name:<13} {one_line(value)}")
    for place, event in events:
        print_line(f"{place:>5}  {_words(event)}")


def _facts(info: RunInfo, *, text: bool) -> list[tuple[str, str]]:
    error, given = info.error or {}, info.request.input
    words = f": {error.get('message')}" if text else ""
    asked = " (asked to stop)" if info.is_cancel_requested and not info.status.is_over else ""
    facts = [
        ("run", info.run_id),
        ("status", f"{info.status.value}{asked}"),
        ("agent", info.request.agent_key),
        ("conversation", conversation_of(info)),
        ("kind", str(given.get("kind") or "")),
        ("submitted", shown_time(info.submitted_at)),
        ("due", shown_time(info.due_at)),
        ("started", shown_time(info.started_at)),
        ("finished", shown_time(info.finished_at)),
        ("attempts", str(info.attempts)),
        ("worker", info.worker),
        ("error", f"{error['type']}{words}" if error else ""),
    ]
    if text:
        facts += [("input", json_text.dumps(given)), ("result", json_text.dumps(info.result) if info.result else "")]
    return [(name, value) for name, value in facts if value]


async def _told(engine: RunEngine, info: RunInfo, *, text: bool) -> Told:
    """The events that are there, without the pieces of texts: the whole of them comes in a later event."""
    found: Told = []
    async with aclosing(_so_far(engine, info)) as events:
        async for place, event in events:
            if is_for_readers(event) and event.get("kind") != "text_delta":
                found.append((place, event if text else _without_words(event)))
    return found


async def _so_far(engine: RunEngine, info: RunInfo) -> AsyncGenerator[tuple[int, dict[str, Any]], None]:
    """All events of a run that is over; of one under way those that are there."""
    async with aclosing(engine.events(info.run_id)) as events:
        while True:
            try:
                async with asyncio.timeout(None if info.status.is_over else _NEWS_S):
                    told = await anext(events)
            except (StopAsyncIteration, TimeoutError):
                return
            yield told


def _without_words(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: event[name] for name in _SAFE if event.get(name) is not None}


def _words(event: Mapping[str, Any]) -> str:
    facts = [f"{name}={_value(value)}" for name, value in event.items() if name != "kind" and value is not None]
    return "  ".join(one_line(part) for part in (str(event.get("kind")), " ".join(facts)) if part)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json_text.dumps(value)
