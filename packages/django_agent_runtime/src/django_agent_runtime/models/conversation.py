"""A conversation: what its project says of it, and the head of its history, which the store alone writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils import timezone

from django_agent_runtime.conf import runtime_settings
from django_agent_runtime.models.base import AbstractAgentConversation, RunStatus
from django_agent_runtime.models.names import KEY_LENGTH, ConversationNameField, NameField

if TYPE_CHECKING:
    from django_agent_runtime.models.history import AgentCheckpoint

__all__ = ["AgentConversation"]

_SHOWN = ("role", "content", "name", "tool_call_id", "tool_calls", "metadata")


class AgentConversation(AbstractAgentConversation):
    """A thread of messages, its states and its runs.

    `save()` writes what belongs to the project (owner, agent, title, metadata). What the store keeps here (version,
    lease, ...) only the store writes, so that an object that was read earlier can be saved while a run is on.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="agent_conversations",
    )

    # The store's part. A long name stands whole beside its key.
    store_owner = NameField(max_length=KEY_LENGTH, default="", blank=True, editable=False)
    store_name = ConversationNameField(max_length=KEY_LENGTH, default="", editable=False)
    long_owner = models.TextField(null=True, editable=False)
    long_name = models.TextField(null=True, editable=False)
    version = models.PositiveBigIntegerField(default=0, editable=False)
    message_count = models.PositiveBigIntegerField(default=0, editable=False)
    lease = models.BigIntegerField(default=0, editable=False)
    lease_until = models.FloatField(default=0.0, editable=False)
    lease_seconds = models.FloatField(default=0.0, editable=False)
    running_id = NameField(max_length=KEY_LENGTH, default="", editable=False)
    current_run = models.ForeignKey(
        "django_agent_runtime.AgentRun", null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        db_table = "agent_runtime_conversation"
        verbose_name = "conversation"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["store_owner", "store_name"], name="agent_runtime_conversation_name"),
        ]

    _OF_THE_PROJECT = (
        "user",
        "anonymous_session_id",
        "agent_key",
        "title",
        "metadata",
        "updated_at",
    )

    def save(self, *args: Any, **options: Any) -> None:
        """Write what belongs to the project; a new conversation is written whole.

        Raises:
            DatabaseError: The conversation was removed meanwhile.
        """
        is_there = not self._state.adding and options.get("using") in (None, self._state.db)
        if is_there and not args and not options.get("force_insert") and options.get("update_fields") is None:
            self.updated_at = timezone.now()
            unread = self.get_deferred_fields()
            own = (field for field in self._meta.concrete_fields if field.name in self._OF_THE_PROJECT)
            options["update_fields"] = [field.name for field in own if field.attname not in unread]
        super().save(*args, **options)

    @property
    def owner(self) -> Any:
        """Whose it is: the user, else the anonymous session, else None."""
        return self.user if self.user_id is not None else self.get_anonymous_session()

    def get_anonymous_session(self) -> Any:
        """The session without a user that it belongs to, of the model `ANONYMOUS_SESSION_MODEL`; or None."""
        model = runtime_settings().ANONYMOUS_SESSION_MODEL
        if self.anonymous_session_id is None or model is None:
            return None
        return apps.get_model(model)._default_manager.filter(pk=self.anonymous_session_id).first()

    @property
    def anonymous_session(self) -> Any:
        """As `get_anonymous_session()`; may be set to a session, or None."""
        return self.get_anonymous_session()

    @anonymous_session.setter
    def anonymous_session(self, session: Any) -> None:
        self.anonymous_session_id = None if session is None else session.pk

    def get_message_storage_mode(self) -> str:
        """`normalized`: messages are rows."""
        return "normalized"

    def get_message_history(
        self, include_failed_runs: bool = False, *, limit: int | None = None
    ) -> list[dict[str, Any]]:
        """The messages of users, assistants and tools, oldest first.

        Each has those of `role`, `content`, `name`, `tool_call_id`, `tool_calls` and `metadata` that were given. System
        messages and empty ones are left out, and so is what is damaged, and what was said in runs that others have
        superseded.

        Args:
            include_failed_runs: Whether the messages of runs that did not succeed are among them.
            limit: How many of the last ones are looked at; None for all.
        """
        rows = self.messages.filter(run__superseded_by=None)
        if not include_failed_runs:
            rows = rows.filter(models.Q(run=None) | models.Q(run__status=RunStatus.SUCCEEDED))
        found: list[dict[str, Any]] = []
        for row in rows if limit is None else reversed(rows.order_by("-seq")[:limit]):
            try:
                message = row.to_dict()
            except ValueError:
                continue
            if message.get("role") != "system" and (message.get("content") or message.get("tool_calls")):
                found.append({key: message[key] for key in _SHOWN if message.get(key) is not None})
        return found

    def get_last_assistant_message(self) -> dict[str, Any] | None:
        """The last message of an assistant that says something, or None."""
        said = (each for each in reversed(self.get_message_history()) if each["role"] == "assistant")
        return next((each for each in said if each.get("content")), None)

    def latest_checkpoints(self) -> list[AgentCheckpoint]:
        """The present state of each agent that has one, by agent."""
        latest: dict[str, AgentCheckpoint] = {}
        for each in self.checkpoints.all():
            latest[each.agent_key] = each
        return [latest[key] for key in sorted(latest) if latest[key].body is not None]
