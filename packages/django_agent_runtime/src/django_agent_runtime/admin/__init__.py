"""The pages of Django's admin: conversations with what was said and where they stand, runs with what happened."""

from django_agent_runtime.admin.conversation import AgentConversationAdmin
from django_agent_runtime.admin.run import AgentRunAdmin

__all__ = ["AgentConversationAdmin", "AgentRunAdmin"]
