"""The steps that a stored conversation has been through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from agent_runtime_core.errors import StateDecodeError, VersionNotFound
from agent_runtime_framework.agents.conversation import own_copy
from agent_runtime_framework.tools.notes import JourneyNotes

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["path_taken"]


async def path_taken(
    agent: JourneyAgent[Any, Any, Any], conversation_id: UUID | str, *, owner: str = ""
) -> tuple[Any, ...]:
    """The steps of a conversation in the order in which it came to them, the one it started in first.

    It is read from the stored versions, so it knows a step when a turn has ended there. Versions that the store does
    not keep any more are not part of it.

    Args:
        agent: The journey, with its store.
        conversation_id: The conversation.
        owner: Whose conversation it is.

    Returns:
        The steps; empty when nothing of this journey is stored there.

    Raises:
        StateDecodeError: A stored state cannot be read.
        StoreUnavailable: The store cannot be read.
    """
    name = str(conversation_id)
    initial = agent.get_initial_state()
    steps: list[Any] = []
    for info in await agent.store.versions(name, owner=owner):
        if agent.key not in info.agent_keys:
            continue
        try:
            checkpoint = await agent.store.load(name, agent.key, max_messages=0, at_version=info.version, owner=owner)
        except VersionNotFound:  # it was dropped in the meantime
            continue
        if checkpoint.state is None:
            continue
        data = own_copy(checkpoint.state)
        JourneyNotes.taken_from(data)
        try:
            step = type(initial).from_dict(data).get_step()
        except Exception as error:  # the user's from_dict() may raise anything on data it does not know
            raise StateDecodeError(
                f"the state of conversation {name!r} (agent {agent.key!r}) at version {info.version} is not one that "
                f"{type(initial).__name__}.from_dict() reads: {type(error).__name__}: {error}."
            ) from error
        if not steps:
            steps.append(initial.get_step())
        if steps[-1] != step:
            steps.append(step)
    return tuple(steps)
