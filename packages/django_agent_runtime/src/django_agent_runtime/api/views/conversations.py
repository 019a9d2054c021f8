"""Conversations: list, begin, read, rename, remove, and answer what waits for a person in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from django_agent_runtime.api.answer import Answer
from django_agent_runtime.api.openapi import query, views, words
from django_agent_runtime.api.pagination import LatestUpdateFirst, whole_number
from django_agent_runtime.api.serializers import (
    AnswerSerializer,
    ApprovalSerializer,
    ConversationDetailSerializer,
    ConversationSerializer,
    ErrorSerializer,
    RunSerializer,
)
from django_agent_runtime.api.throttling import RunThrottle
from django_agent_runtime.api.views.surroundings import Surroundings
from django_agent_runtime.models import AgentConversation, Message
from django_agent_runtime.runtime.approvals import pending_approvals

__all__ = ["BaseAgentConversationViewSet"]

if TYPE_CHECKING:
    _ViewSet = viewsets.ModelViewSet[AgentConversation]
else:
    _ViewSet = viewsets.ModelViewSet

_MESSAGES, _MOST_MESSAGES = 100, 500
_LONGEST_KEY = 100


@views(
    list=words(
        parameters=[
            query("agent_key", "Conversations of this agent only."),
            query("limit", "How many; 200 at most.", int),
        ]
    ),
    retrieve=words(
        parameters=[
            query("limit", "How many messages; 500 at most.", int),
            query("offset", "How many of the newest messages are left out.", int),
        ],
        responses=ConversationDetailSerializer,
    ),
    approvals=words(responses={200: ApprovalSerializer(many=True), 404: ErrorSerializer}),
    answer=words(
        request=AnswerSerializer,
        responses={
            201: RunSerializer,
            200: RunSerializer,
            403: ErrorSerializer,
            404: ErrorSerializer,
            429: ErrorSerializer,
        },
    ),
)
class BaseAgentConversationViewSet(Surroundings, _ViewSet):
    """Conversations of whoever asks. Those of others are not there."""

    queryset = AgentConversation.objects.none()
    serializer_class = ConversationSerializer
    pagination_class = LatestUpdateFirst
    lookup_value_converter = "str"

    def get_queryset(self) -> QuerySet[AgentConversation]:
        """Their conversations."""
        rows = self.owner.conversations()
        agent_key = self.request.query_params.get("agent_key") if self.action == "list" else None
        if agent_key is None:
            return rows
        if "\0" in agent_key or len(agent_key) > _LONGEST_KEY:
            raise ValidationError({"agent_key": [f"Give the key of an agent, {_LONGEST_KEY} characters at most."]})
        return rows.filter(agent_key=agent_key)

    def get_throttles(self) -> list[Any]:
        """What sets a model to work has a rate of its own."""
        return [*super().get_throttles(), *([RunThrottle()] if self.action == "answer" else [])]

    def perform_create(self, serializer: Any) -> None:
        """It is theirs."""
        serializer.save(**self.owner.columns)

    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """A conversation with its latest messages."""
        given = request.query_params
        limit = whole_number(given.get("limit"), "limit", default=_MESSAGES, least=1, most=_MOST_MESSAGES)
        offset = whole_number(given.get("offset"), "offset", default=0)
        conversation = self.get_object()
        rows = conversation.messages.filter(Q(run=None) | Q(run__superseded_by=None))
        total = rows.count()
        newest = list(rows.order_by("-seq")[offset : offset + limit]) if offset < total else []
        data = ConversationSerializer(conversation, context=self.get_serializer_context()).data
        messages = [_shown(row) for row in reversed(newest)]
        more = {"messages": messages, "total_messages": total, "has_more": offset + limit < total}
        return Response({**data, **more})

    @action(detail=True, methods=["get"], pagination_class=None)
    def approvals(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """The tool calls that wait for somebody to say yes or no."""
        waiting: Any = pending_approvals(self.get_object())
        return Response(ApprovalSerializer(waiting, many=True).data)

    @action(detail=True, methods=["post"], url_path="approvals/(?P<approval_id>[^/]+)")
    def answer(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Say yes or no to one of them. The run that carries it out begins once."""
        conversation = self.get_object()
        serializer = AnswerSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        granted = serializer.validated_data["granted"]
        run, is_new = Answer(self.owner, conversation, kwargs["approval_id"], granted=granted).begun()
        return Response(RunSerializer(run).data, status=201 if is_new else 200)


def _shown(row: Message) -> dict[str, Any]:
    """A message as clients get it; of a damaged one, that there is one."""
    try:
        return {**row.to_dict(), "created_at": row.created_at.isoformat()}
    except ValueError:
        return {"role": "", "content": None, "is_damaged": True, "created_at": row.created_at.isoformat()}
