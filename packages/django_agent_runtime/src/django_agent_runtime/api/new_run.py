"""A run that somebody asks for: whether they may, what it belongs to, and that it begins once."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, IntegrityError, router, transaction
from django.utils import timezone
from rest_framework.exceptions import NotFound, PermissionDenied

from django_agent_runtime.api.errors import Refused
from django_agent_runtime.api.owner import Owner
from django_agent_runtime.conf import get_hook, runtime_settings
from django_agent_runtime.models import AgentConversation, AgentRun, Message
from django_agent_runtime.runtime.runs import submit

__all__ = ["NewRun"]


class NewRun:
    """Begins a run.

    Args:
        owner: Whose it will be.
        data: What `NewRunSerializer` has made sure of.
    """

    def __init__(self, owner: Owner, data: dict[str, Any]) -> None:
        self._owner = owner
        self._data = data
        self._alias = router.db_for_write(AgentRun) or DEFAULT_DB_ALIAS

    def begun(self) -> tuple[AgentRun, bool]:
        """The run, and whether it is a new one.

        Raises:
            PermissionDenied: `AUTHZ_HOOK` says no.
            Refused: `QUOTA_HOOK` does, with status 429.
            NotFound: The conversation is not theirs.
        """
        earlier = self._earlier()
        if earlier is not None:
            return earlier, False
        self._ask_hooks()
        try:
            with transaction.atomic(using=self._alias):
                return self._written(), True
        except IntegrityError:
            earlier = self._earlier()  # the same request, at the same time
            if earlier is None:
                raise
            return earlier, False

    def _earlier(self) -> AgentRun | None:
        key = self._data.get("idempotency_key")
        if key is None:
            return None
        return AgentRun.objects.using(self._alias).filter(owner_key=self._owner.key, idempotency_key=key).first()

    def _ask_hooks(self) -> None:
        settings, user = runtime_settings(), self._owner.user_for_hooks
        may, has_quota = get_hook(settings.AUTHZ_HOOK), get_hook(settings.QUOTA_HOOK)
        if may is not None and not may(user, "create_run", dict(self._data)):
            raise PermissionDenied("You may not begin this run.")
        if has_quota is not None and not has_quota(user, self._data["agent_key"]):
            raise Refused("The quota is used up.", 429)

    def _written(self) -> AgentRun:
        data = self._data
        conversation = self._conversation()
        run = AgentRun(
            conversation=conversation,
            owner_key=self._owner.key,
            agent_key=data["agent_key"],
            input={"messages": data["messages"], "params": data["params"]},
            max_attempts=data["max_attempts"],
            idempotency_key=data.get("idempotency_key"),
            metadata={**data["metadata"], "conversation_id": str(conversation.pk), **self._owner.identity},
        )
        run.save(using=self._alias, force_insert=True)
        index = data.get("supersede_from_message_index")
        if index is not None:
            self._supersede(conversation, index, run)
        submit(run)
        return run

    def _conversation(self) -> AgentConversation:
        wanted = self._data.get("conversation_id")
        if wanted is None:
            conversation = AgentConversation(agent_key=self._data["agent_key"], **self._owner.columns)
            conversation.save(using=self._alias, force_insert=True)
            return conversation
        # Written before it is read: on SQLite whoever writes first in a transaction is the only writer.
        theirs = self._owner.conversations().using(self._alias).filter(pk=wanted)
        if not theirs.update(updated_at=timezone.now()):
            raise NotFound("Conversation not found")
        return theirs.get()

    def _supersede(self, conversation: AgentConversation, index: int, run: AgentRun) -> None:
        """What was said from this message on is said anew: its runs, and those begun after them, do not count."""
        shown = Message.objects.using(self._alias).filter(conversation=conversation, run__superseded_by=None)
        first = shown.order_by("seq").values_list("run__created_at", flat=True)[index : index + 1]
        since = next((time for time in first if time is not None), None)
        if since is None:
            return
        runs = AgentRun.objects.using(self._alias).filter(
            conversation=conversation, superseded_by=None, created_at__gte=since
        )
        runs.exclude(pk=run.pk).update(superseded_by=run)
