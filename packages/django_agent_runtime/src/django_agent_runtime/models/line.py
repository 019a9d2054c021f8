"""Who waits in a conversation's line, and what was answered: rows that the store alone reads and writes."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from django_agent_runtime.models.conversation import AgentConversation
from django_agent_runtime.models.names import KEY_LENGTH, NameField

__all__ = ["Receipt", "WaitingMessage"]


class WaitingMessage(models.Model):
    """A message of a user that waits for its run; it is not in the history yet."""

    place = models.BigAutoField(primary_key=True)
    conversation = models.ForeignKey(
        AgentConversation, on_delete=models.CASCADE, related_name="waiting", db_index=False
    )
    message_id = NameField(max_length=KEY_LENGTH)
    body = models.TextField()
    remember = models.BooleanField()
    merges = models.BooleanField()
    until = models.FloatField()
    seconds = models.FloatField()

    class Meta:
        db_table = "agent_runtime_waiting"
        ordering: ClassVar[list[str]] = ["place"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["conversation", "message_id"], name="agent_runtime_waiting_id"),
        ]

    def __str__(self) -> str:
        return f"Waiting {self.message_id}"


class Receipt(models.Model):
    """A message in the history whose id may come again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        AgentConversation, on_delete=models.CASCADE, related_name="receipts", db_index=False
    )
    message_id = NameField(max_length=KEY_LENGTH)
    position = models.PositiveBigIntegerField()
    end_position = models.PositiveBigIntegerField(null=True)
    """Where the answer ends; NULL while there is none."""
    remember = models.BooleanField()
    result = models.TextField(null=True)
    """What is known of the run that answered it, as JSON text; NULL while there is none."""

    class Meta:
        db_table = "agent_runtime_receipt"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["conversation", "message_id"], name="agent_runtime_receipt_id"),
        ]

    def __str__(self) -> str:
        return f"Receipt {self.message_id}"
