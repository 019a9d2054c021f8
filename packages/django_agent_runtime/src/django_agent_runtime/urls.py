"""The addresses of the API: `path("agent/", include("django_agent_runtime.urls", namespace="agent_runtime"))`."""

from __future__ import annotations

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from django_agent_runtime.api.views import (
    BaseAgentConversationViewSet,
    BaseAgentRunViewSet,
    BaseModelsViewSet,
    event_stream,
)

__all__ = ["app_name", "urlpatterns"]

app_name = "django_agent_runtime"

_router = SimpleRouter()
_router.register("conversations", BaseAgentConversationViewSet, basename="conversation")
_router.register("runs", BaseAgentRunViewSet, basename="run")
_router.register("models", BaseModelsViewSet, basename="models")

urlpatterns = [
    path("runs/<str:run_id>/events/", event_stream, name="run_events"),
    path("", include(_router.urls)),
]
