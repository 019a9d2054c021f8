"""What the API takes and gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rest_framework import serializers

from django_agent_runtime.api.owner import IDENTITY
from django_agent_runtime.conf import runtime_settings
from django_agent_runtime.models import AgentConversation, AgentEvent, AgentRun

__all__ = [
    "AnswerSerializer",
    "ApprovalSerializer",
    "CancelledSerializer",
    "ConversationDetailSerializer",
    "ConversationSerializer",
    "ErrorSerializer",
    "EventSerializer",
    "ModelsSerializer",
    "NewRunSerializer",
    "RunDetailSerializer",
    "RunSerializer",
]

if TYPE_CHECKING:
    _Conversations = serializers.ModelSerializer[AgentConversation]
    _Runs = serializers.ModelSerializer[AgentRun]
    _Events = serializers.ModelSerializer[AgentEvent]
    _Data = serializers.Serializer[dict[str, Any]]
else:
    _Conversations = _Runs = _Events = serializers.ModelSerializer
    _Data = serializers.Serializer

_SERVERS = ("system", "developer")
"""Roles in which nobody but the server speaks to a model."""


class ConversationSerializer(_Conversations):
    """A conversation."""

    agent_key = serializers.CharField(max_length=100)
    metadata = serializers.DictField(required=False)

    class Meta:
        model = AgentConversation
        fields: ClassVar[list[str]] = ["id", "agent_key", "title", "metadata", "created_at", "updated_at"]
        read_only_fields: ClassVar[list[str]] = ["id", "created_at", "updated_at"]


class ConversationDetailSerializer(ConversationSerializer):
    """A conversation with a page of its messages, counted from the newest, oldest first."""

    messages = serializers.ListField(child=serializers.DictField(), read_only=True)
    total_messages = serializers.IntegerField(read_only=True)
    has_more = serializers.BooleanField(read_only=True)

    class Meta(ConversationSerializer.Meta):
        fields: ClassVar[list[str]] = [*ConversationSerializer.Meta.fields, "messages", "total_messages", "has_more"]


class EventSerializer(_Events):
    """What happened in a run."""

    run_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = AgentEvent
        fields: ClassVar[list[str]] = ["id", "run_id", "seq", "event_type", "payload", "timestamp"]
        read_only_fields = fields


class RunSerializer(_Runs):
    """A run."""

    conversation_id = serializers.UUIDField(read_only=True, allow_null=True)

    class Meta:
        model = AgentRun
        fields: ClassVar[list[str]] = [
            "id",
            "conversation_id",
            "agent_key",
            "status",
            "input",
            "output",
            "error",
            "attempt",
            "max_attempts",
            "idempotency_key",
            "created_at",
            "started_at",
            "finished_at",
            "metadata",
        ]
        read_only_fields = fields

    def to_representation(self, instance: AgentRun) -> dict[str, Any]:
        """The run; of an error without its stack, which is for the project's people."""
        data = super().to_representation(instance)
        if isinstance(data["error"], dict) and "stack" in data["error"]:
            data["error"] = {name: value for name, value in data["error"].items() if name != "stack"}
        return data


class RunDetailSerializer(RunSerializer):
    """A run with a page of its events."""

    events = EventSerializer(many=True, read_only=True)
    has_more = serializers.BooleanField(read_only=True)

    class Meta(RunSerializer.Meta):
        fields: ClassVar[list[str]] = [*RunSerializer.Meta.fields, "events", "has_more"]
        read_only_fields = fields


class NewRunSerializer(_Data):
    """What a run begins with."""

    agent_key = serializers.CharField(max_length=100)
    messages = serializers.ListField(child=serializers.DictField(), allow_empty=False)
    conversation_id = serializers.UUIDField(required=False, allow_null=True)
    params = serializers.DictField(required=False)
    max_attempts = serializers.IntegerField(required=False, min_value=1, max_value=10)
    idempotency_key = serializers.CharField(required=False, allow_null=True, max_length=255)
    metadata = serializers.DictField(required=False)
    supersede_from_message_index = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=2**31 - 1
    )

    def validate_messages(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Messages say who speaks, and none speaks for the server."""
        for number, message in enumerate(messages):
            role = message.get("role")
            if not isinstance(role, str) or not role:
                raise serializers.ValidationError(f"Message {number} has no role.")
            if role in _SERVERS:
                raise serializers.ValidationError(f"Message {number} has the role {role!r}, which is the server's.")
        return messages

    def validate_metadata(self, metadata: dict[str, Any]) -> dict[str, Any]:
        """Without what only the server says."""
        return {name: value for name, value in metadata.items() if name not in IDENTITY}

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """With what is not given."""
        defaults = {"params": {}, "metadata": {}, "max_attempts": min(10, runtime_settings().DEFAULT_MAX_ATTEMPTS)}
        return {**defaults, **data}


class CancelledSerializer(_Data):
    """A run that was asked to stop."""

    status = serializers.CharField()


class ModelsSerializer(_Data):
    """Models that can be chosen."""

    models = serializers.ListField(child=serializers.DictField())
    default = serializers.CharField()


class ApprovalSerializer(_Data):
    """A tool call that waits for a person."""

    approval_id = serializers.CharField()
    tool = serializers.CharField()
    question = serializers.CharField()
    arguments = serializers.DictField()
    asked_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


class _YesOrNo(serializers.BooleanField):
    """`true` or `false`; nothing else is taken for one of them, and nothing is taken for no answer."""

    default_empty_html = serializers.empty

    def to_internal_value(self, data: Any) -> bool:
        """The answer."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class AnswerSerializer(_Data):
    """What a person says to it."""

    granted = _YesOrNo()


class ErrorSerializer(_Data):
    """What went wrong."""

    error = serializers.CharField()
