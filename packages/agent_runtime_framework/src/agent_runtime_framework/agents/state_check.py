"""What would become of each stored state under the journey's present code, found out without writing."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from agent_runtime_core.errors import AgentRuntimeError
from agent_runtime_core.housekeeping import each_conversation
from agent_runtime_core.interfaces import CheckpointStore
from agent_runtime_framework.agents.stored_state import read_stored_state

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["StateCheck", "check_states"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCheck:
    """What would become of one stored state. Nothing in it was said in the conversation."""

    conversation_id: str
    """The conversation."""
    owner: str
    """Whose it is."""
    outcome: Literal["fits", "migrates", "pinned", "restarts", "fails"]
    """`fits`: goes on as it is; `migrates`: goes on after its migrations, which were tried; `pinned`: goes on with the
    older journey; `restarts`: does not fit, and would begin anew; `fails`: does not fit, and would be an error."""
    state_version: int
    """The journey's version that it was stored with; 0 when it cannot be read at all."""
    step: str | None
    """The step it stands at, if it tells one."""
    reason: str
    """Why it does not fit; empty when it does."""


async def check_states(
    agent: JourneyAgent[Any, Any, Any], store: CheckpointStore, *, owner: str | None = None
) -> AsyncGenerator[StateCheck, None]:
    """Try to read each state that the agent has in a store, page by page. Nothing is written.

    Args:
        agent: The journey. Its `load_state` must be the one that it came with.
        store: The store.
        owner: Only conversations of this owner; None for all.

    Raises:
        ConfigError: An older journey in `pinned` cannot be built.
        StoreUnavailable: The store cannot be read.
    """
    async with aclosing(each_conversation(store, owner=owner)) as conversations:
        async for info in conversations:
            if agent.key in info.agent_keys:
                yield await _checked(agent, store, info.conversation_id, info.owner)


async def _checked(
    agent: JourneyAgent[Any, Any, Any], store: CheckpointStore, conversation_id: str, owner: str
) -> StateCheck:
    try:
        checkpoint = await store.load(conversation_id, agent.key, max_messages=0, owner=owner)
    except AgentRuntimeError as error:  # a damaged one: the others are still to be looked at
        words = f"the store cannot read it ({type(error).__name__})"
        return StateCheck(
            conversation_id=conversation_id, owner=owner, outcome="fails", state_version=0, step=None, reason=words
        )
    if checkpoint.state is None:  # removed since the page was read: it would begin with the initial state
        return StateCheck(
            conversation_id=conversation_id, owner=owner, outcome="fits", state_version=0, step=None, reason=""
        )
    found = read_stored_state(agent, checkpoint)
    restarts = found.outcome == "fails" and agent.config.on_old_state == "restart" and not found.is_newer
    return StateCheck(
        conversation_id=conversation_id,
        owner=owner,
        outcome="restarts" if restarts else found.outcome,
        state_version=found.version,
        step=found.step,
        reason=found.reason,
    )
