"""Conversations as JSON data, to hand out or to keep elsewhere."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from agent_runtime_core.errors import StoreUnavailable, VersionNotFound
from agent_runtime_core.housekeeping.damage import is_damage, key_without_state, missing_messages, readable_states
from agent_runtime_core.housekeeping.listing import each_conversation, find_conversation
from agent_runtime_core.interfaces import Checkpoint, CheckpointStore, ConversationInfo, VersionInfo

__all__ = ["FORMAT", "export_conversation", "export_owner"]

FORMAT = "agent-runtime-conversation/1"
"""What an export says that it is."""

_TRIES = 10


async def export_conversation(
    store: CheckpointStore, conversation_id: str, *, owner: str = ""
) -> dict[str, Any] | None:
    """A conversation with all that is kept of it, or None when there is no such one.

    The shape, as JSON data; times are ISO 8601, UTC::

        {"format": "agent-runtime-conversation/1", "owner": str, "conversation_id": str, "version": int,
         "created_at": str, "updated_at": str, "messages": [...],
         "states": {agent key: {"state": {...}, "state_version": int}},
         "versions": [{"version": int, "message_count": int, "committed_at": str, "agent_keys": [str]}]}

    Messages and states are of one moment, also while runs go on. Messages that wait for a run are not in it. What is
    damaged is left out; there is then one more key, `"unreadable": [str]`, with a sentence for each such thing.

    Raises:
        StoreUnavailable: The store cannot be read, or the conversation is written to all the time.
    """
    info = await find_conversation(store, conversation_id, owner=owner)
    return None if info is None else await _exported(store, info)


async def export_owner(store: CheckpointStore, owner: str) -> AsyncGenerator[dict[str, Any], None]:
    """Each conversation of an owner as `export_conversation` gives it; one at a time is in memory.

    Raises:
        StoreUnavailable: As `export_conversation`.
    """
    async with aclosing(each_conversation(store, owner=owner)) as conversations:
        async for info in conversations:
            exported = await _exported(store, info)
            if exported is not None:  # else it was removed since the page was read
                yield exported


async def _exported(store: CheckpointStore, info: ConversationInfo) -> dict[str, Any] | None:
    for _ in range(_TRIES):
        try:
            return await _of_one_moment(store, info)
        except VersionNotFound:  # it was rewound, or so much was written that this version is not kept any more
            found = await find_conversation(store, info.conversation_id, owner=info.owner)
            if found is None:
                return None
            info = found
    raise StoreUnavailable(
        f"conversation {info.conversation_id!r} is written to so often that it cannot be read as of one moment; "
        f"export it again later.",
        key=info.conversation_id,
    )


async def _of_one_moment(store: CheckpointStore, info: ConversationInfo) -> dict[str, Any] | None:
    """The export.

    Raises:
        VersionNotFound: The version that was read first is gone.
    """
    name = info.conversation_id
    try:
        checkpoint = await store.load(name, key_without_state(info), owner=info.owner)
    except StoreUnavailable as error:
        if not is_damage(error, name):
            raise
        return _export(info, Checkpoint(version=info.version), {}, [], [str(error)])
    if checkpoint.version == 0:
        return None
    if checkpoint.version != info.version:  # there may be more agents by now
        raise VersionNotFound(name, info.version)
    states, unreadable = await readable_states(store, info, at_version=checkpoint.version)
    unreadable += missing_messages(checkpoint.message_count, len(checkpoint.messages))
    versions = await store.versions(name, owner=info.owner)
    return _export(info, checkpoint, states, versions, unreadable)


def _export(
    info: ConversationInfo,
    checkpoint: Checkpoint,
    states: dict[str, Any],
    versions: list[VersionInfo],
    unreadable: list[str],
) -> dict[str, Any]:
    exported = {
        "format": FORMAT,
        "owner": info.owner,
        "conversation_id": info.conversation_id,
        "version": checkpoint.version,
        "created_at": info.created_at.isoformat(),
        "updated_at": info.updated_at.isoformat(),
        "messages": checkpoint.messages,
        "states": states,
        "versions": [
            {
                "version": each.version,
                "message_count": each.message_count,
                "committed_at": each.committed_at.isoformat(),
                "agent_keys": list(each.agent_keys),
            }
            for each in versions
            if each.version <= checkpoint.version
        ],
    }
    return {**exported, "unreadable": unreadable} if unreadable else exported
