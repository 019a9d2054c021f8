"""`agent-runtime store export`: conversations as lines of JSON."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any

import typer

from agent_runtime_core.housekeeping import export_conversation, export_owner
from agent_runtime_core.interfaces import CheckpointStore
from agent_runtime_framework.cli.failure import FAILED, CommandError
from agent_runtime_framework.cli.store.opening import StoreURL, counted, no_conversation, print_json, with_store
from agent_runtime_framework.cli.terminal_text import one_line

__all__ = ["export"]


def export(
    store: StoreURL,
    conversation: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The conversation; all of --owner without it.")
    ] = None,
    owner: Annotated[str | None, typer.Option(metavar="OWNER", help="Whose conversations.")] = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A new file that only you can read; the output without it.")
    ] = None,
) -> None:
    """Export one conversation, or all of an owner: each is one line of JSON, with all that is kept of it.

    Exit code 1 when one could not be read whole; all others are exported nevertheless.
    """
    if conversation is None and owner is None:
        raise CommandError("say what to export: the ID of a conversation, or --owner OWNER for all of one owner.")

    unreadable: list[str] = []

    def noted(each: dict[str, Any]) -> dict[str, Any]:
        if problems := each.get("unreadable"):
            unreadable.append(one_line(f"{each['conversation_id']}: {' '.join(problems)}"))
        return each

    async def exported(opened: CheckpointStore) -> None:
        if to is None:
            async with aclosing(_exports(opened, conversation, owner or "")) as exports:
                async for each in exports:
                    print_json(noted(each))
            return
        descriptor = _new_file(to)
        try:  # what waits for this file in the loop is this command alone
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                async with aclosing(_exports(opened, conversation, owner or "")) as exports:
                    async for each in exports:
                        file.write(f"{json.dumps(noted(each))}\n")
        except BaseException:  # half an export is none
            to.unlink(missing_ok=True)
            raise

    with_store(store, exported)
    if unreadable:
        typer.echo(f"{counted(len(unreadable), 'conversation')} could not be read whole:", err=True)
        for line in unreadable:
            typer.echo(line, err=True)
        raise typer.Exit(FAILED)


async def _exports(
    store: CheckpointStore, conversation_id: str | None, owner: str
) -> AsyncGenerator[dict[str, Any], None]:
    if conversation_id is None:
        async with aclosing(export_owner(store, owner)) as exports:
            async for each in exports:
                yield each
        return
    found = await export_conversation(store, conversation_id, owner=owner)
    if found is None:
        raise no_conversation(conversation_id, owner)
    yield found


def _new_file(path: Path) -> int:
    try:
        return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise CommandError(f"--to: cannot create {path}: {error.strerror}. It must be a new file.") from error
