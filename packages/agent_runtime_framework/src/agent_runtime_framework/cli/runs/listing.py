"""`agent-runtime runs list`: which runs there are."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import typer

from agent_runtime_core.engines import RunEngine, RunInfo, RunStatus
from agent_runtime_framework.cli.runs.opening import EngineURL, with_engine
from agent_runtime_framework.cli.runs.words import as_json, as_line
from agent_runtime_framework.cli.store.opening import print_json, print_line
from agent_runtime_framework.runtime.tasks import order_key

__all__ = ["list_runs"]

_PAGE = 200


def list_runs(
    engine: EngineURL,
    status: Annotated[RunStatus | None, typer.Option(help="Only those that stand so.")] = None,
    agent: Annotated[str | None, typer.Option(metavar="KEY", help="Only those of this agent.")] = None,
    conversation: Annotated[str | None, typer.Option(metavar="ID", help="Only those of this conversation.")] = None,
    owner: Annotated[
        str | None, typer.Option(metavar="OWNER", help="Only those of this owner; with an ID, nobody's without it.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="How many at most.")] = 50,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each.")] = False,
) -> None:
    """List runs, those submitted last first. What was said in them is not shown."""
    key = None if conversation is None else order_key(owner or "", conversation)

    async def listed(opened: RunEngine) -> None:
        number = 0
        async with aclosing(_each(opened, status, agent, key)) as found:
            async for info in found:
                if key is None and owner is not None and info.request.input.get("owner", "") != owner:
                    continue
                if json:
                    print_json(as_json(info, text=False))
                else:
                    print_line(as_line(info))
                number += 1
                if number == limit:
                    return

    with_engine(engine, listed)


async def _each(
    engine: RunEngine, status: RunStatus | None, agent: str | None, key: str | None
) -> AsyncGenerator[RunInfo, None]:
    """All runs that match, page by page; one that is submitted meanwhile may show another one twice: it is left out."""
    seen: set[str] = set()
    offset = 0
    while page := await engine.runs(status=status, agent_key=agent, order_key=key, limit=_PAGE, offset=offset):
        for info in page:
            if info.run_id not in seen:
                seen.add(info.run_id)
                yield info
        offset += len(page)
