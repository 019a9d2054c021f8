"""Runs, and the log of what happened in each."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from django_agent_runtime.models.base import AbstractAgentEvent, AbstractAgentRun
from django_agent_runtime.models.conversation import AgentConversation
from django_agent_runtime.models.names import KEY_LENGTH, NameField

__all__ = ["AgentEvent", "AgentRun"]


class AgentRun(AbstractAgentRun):
    """One message of a user to its final answer: what was asked, how far it is, what came of it."""

    conversation = models.ForeignKey(
        AgentConversation, null=True, blank=True, on_delete=models.CASCADE, related_name="runs"
    )
    superseded_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="supersedes"
    )
    owner_key = NameField(max_length=KEY_LENGTH, default="", blank=True, editable=False)
    """Whose run it is, as text; idempotency keys are those of their owner. Runs of answers go by `answer_key`."""

    class Meta:
        db_table = "agent_runtime_run"
        verbose_name = "run"
        ordering: ClassVar[list[str]] = ["-created_at"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["status", "created_at"], name="agent_runtime_run_line"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["owner_key", "idempotency_key"], name="agent_runtime_run_idempotency"),
        ]


class AgentEvent(AbstractAgentEvent):
    """A fact about a run; the log is appended to and never rewritten."""

    run = models.ForeignKey(AgentRun, on_delete=models.CASCADE, related_name="events", db_index=False)

    class Meta(AbstractAgentEvent.Meta):
        db_table = "agent_runtime_event"
        verbose_name = "event"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "seq"], name="agent_runtime_event_place"),
        ]
