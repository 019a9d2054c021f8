"""What the commands on a store share: its option, opening it, and asking before something is removed."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from agent_runtime_core.errors import AgentRuntimeError
from agent_runtime_core.interfaces import CheckpointStore, Removal
from agent_runtime_core.stores import InMemoryCheckpointStore, open_store
from agent_runtime_framework.cli.failure import FAILED, CommandError, OutputClosed, sentence
from agent_runtime_framework.cli.terminal_text import plain
from agent_runtime_framework.cli.user_input import is_terminal

__all__ = [
    "JSON",
    "Confirmed",
    "Conversation",
    "Owner",
    "StoreURL",
    "confirm",
    "counted",
    "no_conversation",
    "print_json",
    "print_line",
    "removal_words",
    "with_store",
]

ResultT = TypeVar("ResultT")

StoreURL = Annotated[str, typer.Option("--store", metavar="URL", help="The store, such as sqlite:///journeys.db.")]
Conversation = Annotated[str, typer.Argument(metavar="ID", help="The conversation.")]
Owner = Annotated[str, typer.Option(metavar="OWNER", help="Whose conversation it is; nobody's without it.")]
JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Confirmed = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def with_store(url: str, work: Callable[[CheckpointStore], Awaitable[ResultT]]) -> ResultT:
    """Open the store, do the work, close it.

    Raises:
        CommandError: The URL names no store that is there.
    """

    async def opened() -> ResultT:
        try:
            store = open_store(url)
        except AgentRuntimeError as error:
            raise CommandError(f"--store: {sentence(error)}") from error  # the URL may hold a password
        try:
            path = getattr(store, "path", None)
            if isinstance(store, InMemoryCheckpointStore) or path == ":memory:":
                raise CommandError(
                    "--store: what is in memory is in that of another process, and cannot be looked at from here; "
                    "give the URL of a SQLite file or of a server."
                )
            if isinstance(path, str) and not await asyncio.to_thread(Path(path).exists):
                raise CommandError(f"--store: there is no file {path}.")
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(opened())


def confirm(question: str, *, yes: bool) -> None:
    """Go on only if the user says so, or has said so before.

    Raises:
        CommandError: Nobody can be asked.
        typer.Exit: The user said no.
    """
    if yes:
        return
    if not is_terminal(sys.stdin):
        raise CommandError(f"{question} Nobody can be asked here: give --yes. Nothing was changed.")
    if not typer.confirm(question, err=True):
        typer.echo("Nothing was changed.", err=True)
        raise typer.Exit(FAILED)


def print_line(text: str = "") -> None:
    """Print a line; what would command a terminal is left out.

    Raises:
        OutputClosed: Nobody reads it any more.
    """
    _write(plain(text))


def print_json(value: Any) -> None:
    """Print a value as one line of JSON, all of it in ASCII: nothing in it commands a terminal.

    Raises:
        OutputClosed: Nobody reads it any more.
    """
    _write(json.dumps(value))


def no_conversation(conversation_id: str, owner: str) -> CommandError:
    """There is none of this name."""
    whose = f" of owner {owner!r}" if owner else ""
    hint = "" if owner else " Whose is it? --owner says so."
    return CommandError(f"there is no conversation {conversation_id!r}{whose} in this store.{hint}", exit_code=FAILED)


def counted(number: int, noun: str) -> str:
    """The number with its noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def removal_words(removed: Removal) -> str:
    """What was or would be removed, in words."""
    parts = [
        counted(removed.conversations, "conversation"),
        counted(removed.messages, "message"),
        counted(removed.states, "state"),
    ]
    if removed.waiting:
        parts.append(counted(removed.waiting, "waiting message"))
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _write(text: str) -> None:
    try:
        sys.stdout.write(f"{text}\n")
    except BrokenPipeError as error:
        raise OutputClosed from error
