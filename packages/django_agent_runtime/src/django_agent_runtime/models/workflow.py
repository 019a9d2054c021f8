"""The progress of workflows: checkpointed steps of `agent_runtime_core.steps`, and what happened in them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from django_agent_runtime.models.documents import AnyTextJSONField

__all__ = ["StepCheckpoint", "StepEvent"]


class StepCheckpoint(models.Model):
    """How far one execution of a workflow is."""

    class Status(models.TextChoices):
        """What it is at."""

        PENDING = "pending", "pending"
        RUNNING = "running", "running"
        COMPLETED = "completed", "completed"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"
        RETRYING = "retrying", "retrying"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="step_checkpoints"
    )
    run_id = models.UUIDField(db_index=True)
    conversation_id = models.UUIDField(null=True, blank=True, db_index=True)
    checkpoint_key = models.CharField(max_length=255, default="_step_executor_state")
    execution_id = models.UUIDField(default=uuid.uuid4)
    current_step_index = models.PositiveIntegerField(default=0)
    completed_steps = AnyTextJSONField(default=list, blank=True)
    step_results = AnyTextJSONField(default=dict, blank=True)
    custom_state = AnyTextJSONField(default=dict, blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PENDING, db_index=True)
    started_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    total_attempts = models.PositiveIntegerField(default=0)
    metadata = AnyTextJSONField(default=dict, blank=True)

    class Meta:
        db_table = "agent_step_checkpoint"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run_id", "checkpoint_key"], name="agent_step_checkpoint_key"),
        ]

    def __str__(self) -> str:
        return f"{self.checkpoint_key} - {self.status} - {self.run_id}"


class StepEvent(models.Model):
    """A fact about a workflow."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    checkpoint = models.ForeignKey(
        StepCheckpoint, null=True, blank=True, on_delete=models.CASCADE, related_name="events"
    )
    run_id = models.UUIDField(db_index=True)
    event_type = models.CharField(max_length=50)
    step_name = models.CharField(max_length=255, blank=True)
    step_index = models.IntegerField(null=True, blank=True)
    payload = AnyTextJSONField(default=dict, blank=True)
    timestamp = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        db_table = "agent_step_event"
        ordering: ClassVar[list[str]] = ["timestamp"]

    def __str__(self) -> str:
        return f"{self.event_type} {self.step_name}".strip()
