"""Values that somebody else has changed: what cannot be read is named by its place, never by its content."""

from __future__ import annotations

import logging
import re
from typing import Any

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces.checkpoint import VersionInfo
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.stores.json_data import decoded
from agent_runtime_core.stores.redis.replies import version_of
from agent_runtime_core.stores.way_back import way_back

__all__ = [
    "read_object",
    "read_state",
    "readable_messages",
    "readable_result",
    "readable_versions",
    "state_damage",
]

_LOGGER = logging.getLogger(__name__)

_REMOVED = re.compile(rb"[0-9]+ -")


def read_object(data: bytes) -> dict[str, Any]:
    """The dict in a text.

    Raises:
        ValueError: There is none.
    """
    if not data:
        raise ValueError("there is nothing in it")
    value = decoded(data)
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    return value


def read_state(row: bytes | None) -> tuple[dict[str, Any] | None, int]:
    """A state and the journey's version that wrote it; None and 0 where there is none, or it was removed.

    Raises:
        ValueError: The row cannot be read.
    """
    if row is None or _REMOVED.fullmatch(row):
        return None, 0
    parts = row.split(b" ", 2)
    if len(parts) != 3 or not (parts[0].isdigit() and parts[1].lstrip(b"-").isdigit()):
        raise ValueError("it does not begin with its versions")
    return read_object(parts[2]), int(parts[1])


def readable_messages(conversation_id: str, start: int, rows: list[bytes]) -> list[MessageDict]:
    """Those of the messages that can be read; each other one is logged by its position.

    Args:
        conversation_id: The conversation.
        start: The position of the first row.
        rows: The messages' texts.
    """
    messages = []
    for position, row in enumerate(rows, start):
        try:
            messages.append(read_object(row))
        except ValueError as error:
            _LOGGER.warning(
                "message %d of conversation %r is damaged (%s) and was left out; a backup may have it",
                position,
                conversation_id,
                error,
            )
    return messages


def readable_versions(conversation_id: str, rows: list[bytes]) -> list[VersionInfo]:
    """Those of the commits that can be read; that others are there is logged."""
    versions = []
    for row in rows:
        try:
            versions.append(version_of(row))
        except (ValueError, OverflowError):  # whose text may have what is there
            _LOGGER.warning("a version of conversation %r is damaged and was left out", conversation_id)
    return versions


def readable_result(conversation_id: str, data: bytes) -> dict[str, Any]:
    """What is known of the run that answered a message; empty and logged when it cannot be read."""
    try:
        return read_object(data)
    except ValueError as error:
        _LOGGER.warning("what is known of a run of conversation %r is damaged (%s)", conversation_id, error)
        return {}


def state_damage(
    conversation_id: str, owner: str, agent_key: str, problem: ValueError, readable_version: int | None
) -> StoreUnavailable:
    """The error for a state that cannot be read, with the way back.

    Args:
        conversation_id: The conversation.
        owner: Whose it is.
        agent_key: Whose state it is.
        problem: What is wrong with it.
        readable_version: The last version whose state can be read; None when there is none.
    """
    advice = "Restore it from a backup, or delete this state."
    if readable_version is not None:
        advice = f"{way_back(conversation_id, owner, readable_version)}, or restore it from a backup."
    return StoreUnavailable(
        f"the state of agent {agent_key!r} of conversation {conversation_id!r} is damaged ({problem}). {advice}",
        key=conversation_id,
    )
