"""The commands of `agent-runtime`, one file each; a new one is imported here and gets its line at the end."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from agent_runtime_framework.cli.chat import chat
from agent_runtime_framework.cli.graph import graph
from agent_runtime_framework.cli.lint import lint
from agent_runtime_framework.cli.runs import runs
from agent_runtime_framework.cli.store import store
from agent_runtime_framework.cli.worker import worker

__all__ = ["app"]

app = typer.Typer(
    name="agent-runtime",
    help="Guided conversations with LLMs, from the terminal.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # help texts are plain: brackets in them are brackets
    pretty_exceptions_enable=False,  # main() says what went wrong
)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"agent-runtime {version('agent_runtime_framework')}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Guided conversations with LLMs, from the terminal."""


app.command("chat")(chat)
app.add_typer(store)
app.command("worker")(worker)
app.add_typer(runs)
app.command("graph")(graph)
app.command("lint")(lint)
