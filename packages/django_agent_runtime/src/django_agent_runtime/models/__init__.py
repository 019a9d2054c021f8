"""What is stored in Django's database: conversations with all that belongs to them, and runs with their events."""

from django_agent_runtime.models.base import (
    AbstractAgentCheckpoint,
    AbstractAgentConversation,
    AbstractAgentEvent,
    AbstractAgentRun,
    AbstractMessage,
    RunStatus,
)
from django_agent_runtime.models.conversation import AgentConversation
from django_agent_runtime.models.history import AgentCheckpoint, ConversationVersion, Message
from django_agent_runtime.models.line import Receipt, WaitingMessage
from django_agent_runtime.models.run import AgentEvent, AgentRun
from django_agent_runtime.models.workflow import StepCheckpoint, StepEvent

__all__ = [
    "AbstractAgentCheckpoint",
    "AbstractAgentConversation",
    "AbstractAgentEvent",
    "AbstractAgentRun",
    "AbstractMessage",
    "AgentCheckpoint",
    "AgentConversation",
    "AgentEvent",
    "AgentRun",
    "ConversationVersion",
    "Message",
    "Receipt",
    "RunStatus",
    "StepCheckpoint",
    "StepEvent",
    "WaitingMessage",
]
