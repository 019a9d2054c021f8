"""The commands of `agent-runtime store`."""

from __future__ import annotations

import typer

from agent_runtime_framework.cli.store.checking import check
from agent_runtime_framework.cli.store.exporting import export
from agent_runtime_framework.cli.store.looking import info, list_conversations, show, versions
from agent_runtime_framework.cli.store.removing import erase, prune
from agent_runtime_framework.cli.store.rewinding import fork, rewind
from agent_runtime_framework.cli.store.upgrading import upgrade

__all__ = ["store"]

store = typer.Typer(
    name="store",
    help="Look after stored conversations.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
store.command("info")(info)
store.command("list")(list_conversations)
store.command("show")(show)
store.command("versions")(versions)
store.command("export")(export)
store.command("erase")(erase)
store.command("prune")(prune)
store.command("rewind")(rewind)
store.command("fork")(fork)
store.command("check")(check)
store.command("upgrade")(upgrade)
