"""`agent-runtime store rewind` and `fork`: back to an earlier version, or on from it under another id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from agent_runtime_core.errors import VersionNotFound
from agent_runtime_core.interfaces import CheckpointStore
from agent_runtime_framework.cli.store.opening import (
    JSON,
    Confirmed,
    Conversation,
    Owner,
    StoreURL,
    confirm,
    no_conversation,
    print_json,
    print_line,
    with_store,
)

__all__ = ["fork", "rewind"]


def rewind(
    conversation: Conversation,
    version: Annotated[int, typer.Argument(metavar="VERSION", help="One that `versions` lists.")],
    store: StoreURL,
    owner: Owner = "",
    yes: Confirmed = False,
    json: JSON = False,
) -> None:
    """Go back to a version: what came after it is gone. No tool is run again."""
    confirm(f"Take back all of conversation {conversation!r} that came after version {version}?", yes=yes)
    new = _new_version(store, conversation, owner, lambda opened: opened.rewind(conversation, version, owner=owner))
    if json:
        print_json({"version": new})
    else:
        print_line(f"Conversation {conversation!r} is as version {version} left it; this is its version {new}.")


def fork(
    conversation: Conversation,
    new_id: Annotated[str, typer.Argument(metavar="NEW_ID", help="The id of the copy.")],
    store: StoreURL,
    version: Annotated[
        int | None, typer.Option(metavar="N", help="One that `versions` lists; the present one without it.")
    ] = None,
    owner: Owner = "",
    json: JSON = False,
) -> None:
    """Copy a conversation as it was at a version. No tool is run again."""
    new = _new_version(
        store, conversation, owner, lambda opened: opened.fork(conversation, new_id, version=version, owner=owner)
    )
    if json:
        print_json({"conversation_id": new_id, "version": new})
    else:
        print_line(f"Conversation {new_id!r} is a copy of {conversation!r} at version {new}.")


def _new_version(store: str, conversation: str, owner: str, work: Callable[[CheckpointStore], Awaitable[int]]) -> int:
    try:
        return with_store(store, work)
    except VersionNotFound as error:
        if error.has_conversation:
            raise
        raise no_conversation(conversation, owner) from error
