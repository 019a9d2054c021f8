"""Rows that somebody else has changed: what cannot be read is named by its place, never by its content."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.messages import MessageDict
from django_agent_runtime.models import AgentCheckpoint, ConversationVersion
from django_agent_runtime.models.documents import read_document
from django_agent_runtime.models.names import key_of

__all__ = ["readable_messages", "readable_result", "state_damage"]

_LOGGER = logging.getLogger(__name__)


def readable_messages(conversation_id: str, bodies: Mapping[int, str], start: int, stop: int) -> list[MessageDict]:
    """Those of the messages from one position to before another that can be read; each other one is logged."""
    messages = []
    for position in range(start, stop):
        try:
            if position not in bodies:
                raise ValueError("it is missing")
            messages.append(read_document(bodies[position]))
        except ValueError as error:
            _LOGGER.warning(
                "message %d of conversation %r is damaged (%s) and was left out; a backup may have it",
                position,
                conversation_id,
                error,
            )
    return messages


def readable_result(conversation_id: str, text: str | None) -> dict[str, Any]:
    """What is known of the run that answered a message; empty and logged when it cannot be read."""
    try:
        return read_document(text)
    except ValueError as error:
        _LOGGER.warning("what is known of a run of conversation %r is damaged (%s)", conversation_id, error)
        return {}


def state_damage(
    alias: str, owner: str, conversation_id: str, agent_key: str, pk: UUID, version: int, problem: ValueError
) -> StoreUnavailable:
    """The error for a state that cannot be read at a version, with the way back."""
    advice = "Restore it from a backup, or delete this state."
    readable = _last_readable_version(alias, pk, agent_key, version)
    if readable is not None:
        whose = f", owner={owner!r}" if owner else ""
        advice = (
            f"Its last readable version is {readable}: go back to it with `await DjangoCheckpointStore().rewind("
            f"{conversation_id!r}, {readable}{whose})`, or restore it from a backup."
        )
    return StoreUnavailable(
        f"the state of agent {agent_key!r} of conversation {conversation_id!r} is damaged ({problem}). {advice}",
        key=conversation_id,
    )


def _last_readable_version(alias: str, pk: UUID, agent_key: str, version: int) -> int | None:
    states = AgentCheckpoint.objects.using(alias).filter(conversation=pk, agent_key=key_of(agent_key))
    versions = ConversationVersion.objects.using(alias).filter(conversation=pk)
    before = version + 1
    for seq, body in states.filter(seq__lte=version).order_by("-seq").values_list("seq", "body"):
        kept = versions.filter(version__gte=seq, version__lt=before).order_by("-version")
        last = kept.values_list("version", flat=True).first()
        if last is None:
            return None  # what was before is not kept any more
        try:
            if body is not None:
                read_document(body)
            return last
        except ValueError:
            before = seq
    return None
