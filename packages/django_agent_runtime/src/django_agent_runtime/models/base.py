"""The columns of the contract's models without their relations, for projects that keep rows of their own like them."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from django_agent_runtime.models.documents import AnyTextJSONField, read_document, to_document
from django_agent_runtime.models.names import KEY_LENGTH, NameField

__all__ = [
    "AbstractAgentCheckpoint",
    "AbstractAgentConversation",
    "AbstractAgentEvent",
    "AbstractAgentRun",
    "AbstractMessage",
    "RunStatus",
]


class RunStatus(models.TextChoices):
    """How far a run is."""

    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    SUCCEEDED = "succeeded", "succeeded"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"
    TIMED_OUT = "timed_out", "timed out"


TERMINAL = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.TIMED_OUT})


class AbstractAgentConversation(models.Model):
    """A thread of messages."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    anonymous_session_id = models.UUIDField(null=True, blank=True, db_index=True)
    agent_key = models.CharField(max_length=100, blank=True, db_index=True)
    title = models.CharField(max_length=255, blank=True)
    metadata = AnyTextJSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.agent_key} - {self.id}"


class AbstractAgentRun(models.Model):
    """One message of a user to its final answer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agent_key = models.CharField(max_length=100, db_index=True)
    status = models.CharField(max_length=20, choices=RunStatus.choices, default=RunStatus.QUEUED, db_index=True)
    input = AnyTextJSONField(default=dict, blank=True)
    """`{"messages": [...], "params": {...}}`; in a run that carries a person's answer out also `approval`,
    `{"approval_id", "granted", "by"}`, which nothing that comes from a client may be put into."""
    output = AnyTextJSONField(default=dict, blank=True)
    error = AnyTextJSONField(default=dict, blank=True)
    """`{"type", "message", "stack", "retriable", "details"}`; empty while there is none."""
    attempt = models.PositiveIntegerField(default=1)
    max_attempts = models.PositiveIntegerField(default=3)
    lease_owner = models.CharField(max_length=255, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    metadata = AnyTextJSONField(default=dict, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.agent_key} - {self.status} - {self.id}"

    @property
    def is_terminal(self) -> bool:
        """Whether it has ended, well or not."""
        return self.status in TERMINAL


class AbstractAgentEvent(models.Model):
    """A fact about a run, numbered within it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    seq = models.PositiveBigIntegerField()
    event_type = models.CharField(max_length=50)
    payload = AnyTextJSONField(default=dict, blank=True)
    timestamp = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True
        ordering: ClassVar[list[str]] = ["seq"]

    def __str__(self) -> str:
        return f"{self.event_type} (seq={self.seq})"


class AbstractAgentCheckpoint(models.Model):
    """An agent's state as one commit wrote it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agent_key = NameField(max_length=KEY_LENGTH)
    seq = models.PositiveBigIntegerField()
    """The version of the conversation that the commit made."""
    journey_version = models.BigIntegerField(default=0)
    """The journey's version that wrote the state."""
    body = models.TextField(null=True)
    """The state as JSON text; NULL where the commit removed it."""
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True
        ordering: ClassVar[list[str]] = ["seq"]

    def __str__(self) -> str:
        return f"Checkpoint {self.seq}"

    @property
    def state(self) -> dict[str, Any] | None:
        """The state; None when the commit removed it.

        Raises:
            ValueError: It is damaged.
        """
        return None if self.body is None else read_document(self.body)


class AbstractMessage(models.Model):
    """One entry of a conversation's history; it is never rewritten."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    seq = models.PositiveBigIntegerField()
    """Its position; the first is 0."""
    body = models.TextField()
    """The whole message as JSON text. What follows reads it."""
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True
        ordering: ClassVar[list[str]] = ["seq"]

    def __str__(self) -> str:
        return f"Message {self.seq}"

    def to_dict(self) -> dict[str, Any]:
        """The message as it was given to the store.

        Raises:
            ValueError: It is damaged.
        """
        return read_document(self.body)

    @property
    def role(self) -> str:
        """Who speaks: `user`, `assistant`, `tool` or `system`."""
        return str(self.to_dict().get("role", ""))

    @property
    def content(self) -> Any:
        """What is said: a text, a list of parts, or None."""
        return self.to_dict().get("content")

    @property
    def tool_calls(self) -> list[Any]:
        """The tools that the assistant asks for."""
        return self.to_dict().get("tool_calls") or []

    @property
    def tool_call_id(self) -> str:
        """Which call a tool's message answers."""
        return str(self.to_dict().get("tool_call_id") or "")

    @property
    def name(self) -> str:
        """The tool, or whoever speaks."""
        return str(self.to_dict().get("name") or "")

    @property
    def metadata(self) -> dict[str, Any]:
        """Notes that came with it."""
        return self.to_dict().get("metadata") or {}

    @staticmethod
    def body_of(data: dict[str, Any]) -> str:
        """A message as the column `body` holds it.

        Raises:
            TypeError: It is no dict of JSON data.
        """
        return to_document(data, "message")
