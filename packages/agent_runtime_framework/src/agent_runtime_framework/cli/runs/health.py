"""`agent-runtime runs health`: how an engine does, for people and for probes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from agent_runtime_core.engines import EngineHealth, RunEngine
from agent_runtime_framework.cli.failure import FAILED
from agent_runtime_framework.cli.runs.opening import EngineURL, with_engine
from agent_runtime_framework.cli.store.opening import JSON, counted, print_json, print_line

__all__ = ["health"]


def health(
    engine: EngineURL,
    max_wait: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0, help="Fail, too, when a run has waited longer than this."),
    ] = None,
    json: JSON = False,
) -> None:
    """Show how many runs wait, are on and are parked. Exit code 1 when no worker is alive, or with --max-wait."""

    async def asked(opened: RunEngine) -> EngineHealth:
        return await opened.health()

    found = with_engine(engine, asked)
    problems = _problems(found, max_wait)
    if json:
        print_json({**asdict(found), "problems": problems})
    else:
        print_line(f"workers        {found.workers:,}")
        print_line(f"scheduled      {found.scheduled:,}")
        print_line(f"queued         {found.queued:,}")
        print_line(f"running        {found.running:,}")
        print_line(f"parked         {found.parked:,}")
        print_line(f"oldest queued  {found.oldest_queued_s:,.1f} s")
        for problem in problems:
            typer.echo(problem, err=True)
    if problems:
        raise typer.Exit(FAILED)


def _problems(found: EngineHealth, max_wait: float | None) -> list[str]:
    problems = []
    if found.workers == 0:
        waiting = (
            f"; {counted(found.queued + found.running, 'run')} cannot go on" if found.queued or found.running else ""
        )
        problems.append(f"No worker is alive{waiting}.")
    if max_wait is not None and found.oldest_queued_s > max_wait:
        problems.append(f"A run has waited for {found.oldest_queued_s:,.1f} s, which is more than {max_wait:g} s.")
    return problems
