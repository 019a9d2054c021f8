"""The views that a project's addresses lead to, and those that it builds its own on."""

from django_agent_runtime.api.views.conversations import BaseAgentConversationViewSet
from django_agent_runtime.api.views.models import BaseModelsViewSet
from django_agent_runtime.api.views.runs import BaseAgentRunViewSet
from django_agent_runtime.api.views.streams import async_event_stream, event_stream, sync_event_stream

__all__ = [
    "BaseAgentConversationViewSet",
    "BaseAgentRunViewSet",
    "BaseModelsViewSet",
    "async_event_stream",
    "event_stream",
    "sync_event_stream",
]
