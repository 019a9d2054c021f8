"""What waits for a person in a conversation, as its agent says."""

from __future__ import annotations

from inspect import isawaitable
from typing import Any

from asgiref.sync import async_to_sync

from django_agent_runtime.models import AgentConversation
from django_agent_runtime.runtime.registry import get_runtime
from django_agent_runtime.runtime.stored_agents import keeps_conversations

__all__ = ["pending_approvals"]


def pending_approvals(conversation: AgentConversation) -> list[Any]:
    """The tool calls that wait for somebody to say yes or no, as objects; none where the agent is not known here.

    Agents are known by what they can do: `pending_approvals(conversation_id)`.

    Raises:
        StoreUnavailable: The conversation cannot be read.
    """
    try:
        runtime = get_runtime(conversation.agent_key)
    except KeyError:
        return []
    ask = getattr(runtime, "pending_approvals", None)
    if not callable(ask) or not keeps_conversations(runtime):
        return []

    async def asked() -> list[Any]:
        found = ask(str(conversation.pk))
        return list(await found if isawaitable(found) else found)

    return async_to_sync(asked)()
