"""The commands of `agent-runtime runs`."""

from __future__ import annotations

import typer

from agent_runtime_framework.cli.runs.changing import cancel, prune, retry
from agent_runtime_framework.cli.runs.health import health
from agent_runtime_framework.cli.runs.listing import list_runs
from agent_runtime_framework.cli.runs.showing import show

__all__ = ["runs"]

runs = typer.Typer(
    name="runs",
    help="Look after the runs of a durable engine.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
runs.command("list")(list_runs)
runs.command("show")(show)
runs.command("retry")(retry)
runs.command("cancel")(cancel)
runs.command("prune")(prune)
runs.command("health")(health)
