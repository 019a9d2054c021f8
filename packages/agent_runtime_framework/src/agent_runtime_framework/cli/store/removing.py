"""`agent-runtime store erase` and `prune`: conversations go, with a report of what went."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

import agent_runtime_core.housekeeping as housekeeping
from agent_runtime_core.interfaces import CheckpointStore, Removal
from agent_runtime_framework.cli.age import read_age
from agent_runtime_framework.cli.failure import CommandError
from agent_runtime_framework.cli.store.opening import (
    JSON,
    Confirmed,
    StoreURL,
    confirm,
    no_conversation,
    print_json,
    print_line,
    removal_words,
    with_store,
)

__all__ = ["erase", "prune"]


def erase(
    store: StoreURL,
    conversation: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The conversation; all of --owner without it.")
    ] = None,
    owner: Annotated[str | None, typer.Option(metavar="OWNER", help="Whose conversations.")] = None,
    yes: Confirmed = False,
    json: JSON = False,
) -> None:
    """Remove one conversation, or all of an owner, with all that belongs to it. It cannot be undone."""
    if conversation is None and owner is None:
        raise CommandError("say what to erase: the ID of a conversation, or --owner OWNER for all of one owner.")
    whose = f" of {owner!r}" if owner else ""
    what = (
        f"all conversations{whose or ' of nobody'}" if conversation is None else f"conversation {conversation!r}{whose}"
    )
    confirm(f"Erase {what}?", yes=yes)

    async def erased(opened: CheckpointStore) -> Removal:
        if conversation is None:
            return await housekeeping.erase_owner(opened, owner or "")
        removed = await opened.delete(conversation, owner=owner or "")
        if not removed:
            raise no_conversation(conversation, owner or "")
        return removed

    _report(with_store(store, erased), json=json)


def prune(
    store: StoreURL,
    older_than: Annotated[
        str,
        typer.Option(
            metavar="AGE", help="How long nobody must have written: 12h, 90d, 8w; or since a day: 2026-01-31."
        ),
    ],
    owner: Annotated[
        str | None, typer.Option(metavar="OWNER", help="Only those of this owner; all without it.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Confirmed = False,
    json: JSON = False,
) -> None:
    """Remove the conversations that nobody has written to for long. It cannot be undone."""
    try:
        age = read_age(older_than)
        before = housekeeping.older_than_time(age)
    except (ValueError, OverflowError) as error:
        raise CommandError(f"--older-than {older_than}: {error}") from error

    async def pruned(opened: CheckpointStore) -> Removal | None:
        found = await housekeeping.prune(opened, older_than=before, owner=owner, dry_run=True)
        if dry_run or not found:
            return found
        warning = "" if age else " This removes every conversation that nobody writes to at this moment."
        confirm(f"Remove {removal_words(found)}?{warning}", yes=yes)
        return await housekeeping.prune(opened, older_than=before, owner=owner)

    _report(with_store(store, pruned) or Removal(), json=json, planned=dry_run)


def _report(removed: Removal, *, json: bool, planned: bool = False) -> None:
    if json:
        print_json(asdict(removed))
    else:
        print_line(f"{'Would remove' if planned else 'Removed'} {removal_words(removed)}.")
