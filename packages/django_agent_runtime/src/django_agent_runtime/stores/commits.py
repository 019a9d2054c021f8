"""Writing a commit: messages, state, version and receipts, with the conversation's row locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from agent_runtime_core.errors import LeaseLost, StoreConflict
from django_agent_runtime.models import AgentCheckpoint, Message, Receipt
from django_agent_runtime.models.names import key_of, long_name
from django_agent_runtime.stores.head import Head, locked_head, locked_or_new_head, new_version

__all__ = ["Commit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What is to be written; its values are JSON text already. See `CheckpointStore.commit`."""

    owner: str
    conversation_id: str
    agent_key: str
    expected_version: int | None
    state: str | None
    state_version: int
    messages: Sequence[str]
    lease: int | None
    finish: str | None
    keep: int
    """How many versions are kept."""
    run_id: UUID | None = None
    """Whose rows they are, where no lease tells it."""

    def write(self, alias: str) -> int:
        """Write it and return the version that it made.

        Raises:
            LeaseLost: The lease is not the present one.
            StoreConflict: The version is another.
        """
        head = self._head(alias)
        run_id = head.current_run_id if self.lease is not None else self.run_id
        if self.messages:
            Message.objects.using(alias).bulk_create(
                Message(
                    conversation_id=head.pk,
                    seq=head.message_count + n,
                    body=body,
                    run_id=run_id,
                    created_at=head.time,
                )
                for n, body in enumerate(self.messages)
            )
        if self.state is not None:
            AgentCheckpoint.objects.using(alias).create(
                conversation_id=head.pk,
                agent_key=key_of(self.agent_key),
                long_agent=long_name(self.agent_key),
                seq=head.version + 1,
                journey_version=self.state_version,
                body=self.state,
                run_id=run_id,
                created_at=head.time,
            )
        count = head.message_count + len(self.messages)
        if self.finish is None:
            return new_version(alias, head, count, self.keep)
        self._answer(alias, head, count)
        ended = {"lease": 0, "lease_until": 0.0, "running_id": "", "current_run": None}
        return new_version(alias, head, count, self.keep, **ended)

    def _head(self, alias: str) -> Head:
        if self.lease is None and not self.expected_version:
            head: Head | None = locked_or_new_head(alias, self.owner, self.conversation_id, self.agent_key)
        else:
            head = locked_head(alias, self.owner, self.conversation_id)
        version = 0 if head is None else head.version
        if self.lease is not None and (head is None or head.lease != self.lease):
            raise LeaseLost(self.conversation_id, self.expected_version, version)
        if head is None or self.expected_version not in (None, version):
            raise StoreConflict(self.conversation_id, self.expected_version or 0, version)
        return head

    def _answer(self, alias: str, head: Head, count: int) -> None:
        """All messages of users that are in the history are answered by what is in it up to here."""
        unanswered = Receipt.objects.using(alias).filter(conversation=head.pk, end_position=None)
        if head.running_id:  # whoever finishes knows the answer
            unanswered.filter(message_id=head.running_id, remember=False).delete()
        unanswered.update(end_position=count, result=self.finish)
