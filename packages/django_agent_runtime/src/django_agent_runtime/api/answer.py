"""A person's answer to a tool call that waits for it: whether they may give it, and that it is carried out once."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, IntegrityError, router, transaction
from django.utils import timezone
from rest_framework.exceptions import NotFound, PermissionDenied

from django_agent_runtime.api.errors import Refused
from django_agent_runtime.api.owner import Owner
from django_agent_runtime.conf import get_hook, runtime_settings
from django_agent_runtime.models import AgentConversation, AgentRun
from django_agent_runtime.models.names import answer_key
from django_agent_runtime.runtime.approvals import pending_approvals
from django_agent_runtime.runtime.runs import submit

__all__ = ["Answer"]


class Answer:
    """Begins the run that carries an answer out.

    Its idempotency key is the server's own: runs of answers have an `owner_key` that no client has.

    Args:
        owner: Who answers.
        conversation: A conversation of theirs.
        approval_id: What they answer.
        granted: Whether they say yes.
    """

    def __init__(self, owner: Owner, conversation: AgentConversation, approval_id: str, *, granted: bool) -> None:
        self._owner = owner
        self._conversation = conversation
        self._approval_id = approval_id
        self._granted = granted
        self._key = answer_key(approval_id)
        self._alias = router.db_for_write(AgentRun) or DEFAULT_DB_ALIAS

    def begun(self) -> tuple[AgentRun, bool]:
        """The run, and whether it is a new one. An answer that came to nothing, and so still waits, begins another.

        Raises:
            NotFound: Nothing waits under this id, or it was answered otherwise.
            PermissionDenied: `AUTHZ_HOOK` says no.
            Refused: `QUOTA_HOOK` does, with status 429.
        """
        earlier = self._earlier()
        if earlier is not None and not earlier.is_terminal:
            return self._same(earlier), False
        # Asked when that run is over: what still waits then was not answered by it.
        approval = self._waiting()
        if approval is None:
            return self._same(self._earlier()), False
        self._ask_hooks(approval)
        try:
            with transaction.atomic(using=self._alias):
                return self._written(earlier), True
        except IntegrityError:
            if self._earlier() is None:
                raise
            return self._same(self._earlier()), False  # the same request, at the same time

    def _earlier(self) -> AgentRun | None:
        runs = AgentRun.objects.using(self._alias).filter(owner_key=self._key, conversation=self._conversation)
        return runs.order_by("-created_at").first()

    def _same(self, run: AgentRun | None) -> AgentRun:
        """The run, if it gives the same answer."""
        if run is None:
            raise NotFound("No such approval waits: it was never asked for, or its time has run out.")
        if run.input["approval"]["granted"] is not self._granted:
            raise NotFound("The approval does not wait: it was answered otherwise.")
        return run

    def _waiting(self) -> Any:
        found = pending_approvals(self._conversation)
        return next((each for each in found if each.approval_id == self._approval_id), None)

    def _ask_hooks(self, approval: Any) -> None:
        settings, user, agent_key = runtime_settings(), self._owner.user_for_hooks, self._conversation.agent_key
        may, has_quota = get_hook(settings.AUTHZ_HOOK), get_hook(settings.QUOTA_HOOK)
        data = {
            "agent_key": agent_key,
            "conversation_id": str(self._conversation.pk),
            "approval_id": self._approval_id,
            "granted": self._granted,
            "tool": approval.tool,
            "arguments": approval.arguments,
        }
        if may is not None and not may(user, "approve", data):
            raise PermissionDenied("You may not answer this.")
        if has_quota is not None and not has_quota(user, agent_key):
            raise Refused("The quota is used up.", 429)

    def _written(self, earlier: AgentRun | None) -> AgentRun:
        conversation = self._conversation
        # Written before it is read: on SQLite whoever writes first in a transaction is the only writer.
        theirs = self._owner.conversations().using(self._alias).filter(pk=conversation.pk)
        if not theirs.update(updated_at=timezone.now()):
            raise NotFound("Conversation not found")
        number = 1 if earlier is None else int(str(earlier.idempotency_key).rpartition(":")[2]) + 1
        answer = {"approval_id": self._approval_id, "granted": self._granted, "by": self._owner.name}
        run = AgentRun(
            conversation=conversation,
            owner_key=self._key,
            agent_key=conversation.agent_key,
            input={"messages": [], "params": {}, "approval": answer},
            max_attempts=min(10, runtime_settings().DEFAULT_MAX_ATTEMPTS),
            idempotency_key=f"{conversation.pk}:{number}",
            metadata={"conversation_id": str(conversation.pk), **self._owner.identity},
        )
        run.save(using=self._alias, force_insert=True)
        submit(run)
        return run
