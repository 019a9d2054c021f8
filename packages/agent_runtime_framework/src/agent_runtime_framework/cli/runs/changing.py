"""`agent-runtime runs retry`, `cancel` and `prune`."""

from __future__ import annotations

from typing import Annotated

import typer

import agent_runtime_core.housekeeping as housekeeping
from agent_runtime_core.engines import RunEngine, RunInfo, RunStatus
from agent_runtime_framework.cli.age import read_age
from agent_runtime_framework.cli.failure import FAILED, CommandError
from agent_runtime_framework.cli.runs.opening import EngineURL, RunId, no_run, with_engine
from agent_runtime_framework.cli.runs.words import as_json, as_line, shown_time
from agent_runtime_framework.cli.store.opening import JSON, Confirmed, confirm, counted, print_json, print_line

__all__ = ["cancel", "prune", "retry"]


def retry(run: RunId, engine: EngineURL, json: JSON = False) -> None:
    """Do a run again that failed, timed out, was cancelled or is parked; what its journal holds is not repeated."""

    async def retried(opened: RunEngine) -> RunInfo:
        try:
            return await opened.retry(run)
        except ValueError as error:
            raise CommandError(str(error), exit_code=FAILED) from error

    info = with_engine(engine, retried)
    if json:
        print_json(as_json(info, text=False))
    else:
        print_line(as_line(info))


def cancel(run: RunId, engine: EngineURL, json: JSON = False) -> None:
    """Ask a run to stop. One that waits never begins; one that is on ends soon: a tool that is on ends first."""

    async def cancelled(opened: RunEngine) -> RunInfo:
        was_under_way = await opened.cancel(run)
        info = await opened.status(run)
        if info is None:
            raise no_run(run)
        if not was_under_way:
            ended = f" since {shown_time(info.finished_at)}" if info.finished_at else ""
            raise CommandError(
                f"run {run!r} is over{ended}: {info.status.value}. There is nothing to cancel.", exit_code=FAILED
            )
        return info

    info = with_engine(engine, cancelled)
    if json:
        print_json(as_json(info, text=False))
    elif info.status is RunStatus.CANCELLED:
        print_line(f"Run {run} is cancelled.")
    else:
        print_line(f"Run {run} was asked to stop; it is {info.status.value}.")


def prune(
    engine: EngineURL,
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="How long they must be over: 12h, 30d, 8w; or since a day: 2026-01-31.")
    ],
    yes: Confirmed = False,
    json: JSON = False,
) -> None:
    """Forget the runs that are over for long, with their events. Conversations stay as they are."""
    try:
        before = housekeeping.older_than_time(read_age(older_than))
    except (ValueError, OverflowError) as error:
        raise CommandError(f"--older-than {older_than}: {error}") from error
    confirm(f"Forget the runs that were over before {shown_time(before)}?", yes=yes)

    async def pruned(opened: RunEngine) -> int:
        return await opened.prune(finished_before=before)

    number = with_engine(engine, pruned)
    if json:
        print_json({"runs": number})
    else:
        print_line(f"Forgot {counted(number, 'run')}.")
