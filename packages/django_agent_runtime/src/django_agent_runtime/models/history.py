"""What a conversation has gone through: its messages, the states of its agents, and the commits that wrote them."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Self

from django.db import models

from django_agent_runtime.models.base import AbstractAgentCheckpoint, AbstractMessage
from django_agent_runtime.models.conversation import AgentConversation
from django_agent_runtime.models.run import AgentRun

__all__ = ["AgentCheckpoint", "ConversationVersion", "Message"]


class Message(AbstractMessage):
    """One entry of a conversation's history. The store writes it; `body` holds the whole message."""

    conversation = models.ForeignKey(
        AgentConversation, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    run = models.ForeignKey(AgentRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="messages")
    """The run that it came with or that wrote it, where the store knows."""

    class Meta(AbstractMessage.Meta):
        db_table = "agent_runtime_message"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="agent_runtime_message_place"),
        ]

    @classmethod
    def from_dict(
        cls, data: dict[str, Any], conversation: AgentConversation, run: AgentRun | None = None, seq: int = 0
    ) -> Self:
        """A message that is not saved.

        Raises:
            TypeError: It is no dict of JSON data.
        """
        return cls(conversation=conversation, run=run, seq=seq, body=cls.body_of(data))


class AgentCheckpoint(AbstractAgentCheckpoint):
    """An agent's state in a conversation, as one commit wrote it. The last one of each agent is its present state."""

    conversation = models.ForeignKey(
        AgentConversation, null=True, on_delete=models.CASCADE, related_name="checkpoints", db_index=False
    )
    """NULL for the state of a run without a conversation."""
    run = models.ForeignKey(AgentRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="checkpoints")
    """The run that wrote it, where the store knows."""
    long_agent = models.TextField(null=True, editable=False)
    """The whole key, where the column is too short for it."""

    class Meta(AbstractAgentCheckpoint.Meta):
        db_table = "agent_runtime_checkpoint"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["conversation", "agent_key", "seq"], name="agent_runtime_checkpoint_place"),
            models.UniqueConstraint(fields=["run", "seq"], name="agent_runtime_checkpoint_of_run"),
        ]


class ConversationVersion(models.Model):
    """One commit of a conversation, which can be gone back to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        AgentConversation, on_delete=models.CASCADE, related_name="versions", db_index=False
    )
    version = models.PositiveBigIntegerField()
    message_count = models.PositiveBigIntegerField()
    committed_at = models.DateTimeField()

    class Meta:
        db_table = "agent_runtime_version"
        ordering: ClassVar[list[str]] = ["version"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["conversation", "version"], name="agent_runtime_version_place"),
        ]

    def __str__(self) -> str:
        return f"Version {self.version}"
