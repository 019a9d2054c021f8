"""The models that a client may offer for choice."""

from __future__ import annotations

from typing import Any

from rest_framework import viewsets
from rest_framework.response import Response

from django_agent_runtime.api.openapi import views, words
from django_agent_runtime.api.permissions import IsAuthenticatedOrAnonymousSession
from django_agent_runtime.api.serializers import ModelsSerializer
from django_agent_runtime.api.views.surroundings import Surroundings
from django_agent_runtime.conf import runtime_settings
from django_agent_runtime.runtime.models_config import list_models_for_ui

__all__ = ["BaseModelsViewSet"]


@views(list=words(responses=ModelsSerializer, operation_id="models_retrieve"))
class BaseModelsViewSet(Surroundings, viewsets.ViewSet):
    """Models."""

    permission_classes = (IsAuthenticatedOrAnonymousSession,)

    def list(self, request: Any) -> Response:
        """All that are known, and the one that is taken when none is named."""
        return Response({"models": list_models_for_ui(), "default": runtime_settings().DEFAULT_MODEL})
