"""Runs: begin one, look at it, stop it. Nobody edits or removes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from django_agent_runtime.api.errors import Refused
from django_agent_runtime.api.new_run import NewRun
from django_agent_runtime.api.openapi import query, views, words
from django_agent_runtime.api.pagination import NewestFirst, whole_number
from django_agent_runtime.api.serializers import (
    CancelledSerializer,
    ErrorSerializer,
    EventSerializer,
    NewRunSerializer,
    RunDetailSerializer,
    RunSerializer,
)
from django_agent_runtime.api.throttling import RunThrottle
from django_agent_runtime.api.views.surroundings import Surroundings
from django_agent_runtime.models import AgentRun
from django_agent_runtime.runtime.runs import cancel

__all__ = ["BaseAgentRunViewSet"]

if TYPE_CHECKING:
    _ViewSet = viewsets.GenericViewSet[AgentRun]
else:
    _ViewSet = viewsets.GenericViewSet

_EVENTS, _MOST_EVENTS = 500, 1000


@views(
    list=words(parameters=[query("limit", "How many; 200 at most.", int)]),
    create=words(
        request=NewRunSerializer,
        responses={
            201: RunSerializer,
            200: RunSerializer,
            403: ErrorSerializer,
            404: ErrorSerializer,
            429: ErrorSerializer,
        },
    ),
    retrieve=words(
        parameters=[
            query("from_seq", "The number of the first event.", int),
            query("limit", "How many events; 1000 at most.", int),
        ],
        responses=RunDetailSerializer,
    ),
    cancel=words(request=None, responses={200: CancelledSerializer, 400: ErrorSerializer, 404: ErrorSerializer}),
)
class BaseAgentRunViewSet(Surroundings, mixins.ListModelMixin, _ViewSet):
    """Runs of whoever asks. Those of others are not there."""

    queryset = AgentRun.objects.none()
    serializer_class = RunSerializer
    pagination_class = NewestFirst
    lookup_value_converter = "str"

    def get_queryset(self) -> QuerySet[AgentRun]:
        """Their runs."""
        return self.owner.runs()

    def get_throttles(self) -> list[Any]:
        """What sets a model to work has a rate of its own."""
        return [*super().get_throttles(), *([RunThrottle()] if self.action == "create" else [])]

    def create(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Begin a run, or find the one that was begun under the same idempotency key."""
        serializer = NewRunSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        run, is_new = NewRun(self.owner, serializer.validated_data).begun()
        return Response(RunSerializer(run).data, status=201 if is_new else 200)

    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """A run with what happened in it."""
        given = request.query_params
        limit = whole_number(given.get("limit"), "limit", default=_EVENTS, least=1, most=_MOST_EVENTS)
        from_seq = whole_number(given.get("from_seq"), "from_seq", default=0)
        run = self.get_object()
        events = list(run.events.filter(seq__gte=from_seq).order_by("seq")[: limit + 1])
        more = {"events": EventSerializer(events[:limit], many=True).data, "has_more": len(events) > limit}
        return Response({**RunSerializer(run).data, **more})

    @action(detail=True, methods=["post"])
    def cancel(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Ask a run to stop."""
        run = self.get_object()
        if not cancel(run.pk):
            if not AgentRun.objects.filter(pk=run.pk).exists():
                raise NotFound
            raise Refused("Run is already complete")
        return Response({"status": "cancellation_requested"})
