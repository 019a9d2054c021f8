"""Beginning a run: a look at the conversation's line, with its row locked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces import Answered, Begun, OnBusy, TurnAnswer, Waiting
from agent_runtime_core.stores.lease import is_held
from django_agent_runtime.models import AgentConversation, AgentRun, Message, Receipt, WaitingMessage
from django_agent_runtime.models.names import ANSWERS, key_of
from django_agent_runtime.stores.damage import readable_messages, readable_result
from django_agent_runtime.stores.head import Head, locked_or_new_head, new_version, uuid_of
from django_agent_runtime.stores.reading import read_checkpoint

__all__ = ["Turn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A message that wants a run. See `CheckpointStore.begin`."""

    owner: str
    conversation_id: str
    agent_key: str
    message_id: str
    body: str
    """The message as JSON text."""
    remember: bool
    lease_seconds: float
    on_busy: OnBusy
    max_messages: int | None
    lease: int
    """The token that the run gets."""
    keep: int
    """How many versions are kept."""

    def begin(self, alias: str) -> TurnAnswer | StoreUnavailable:
        """Begin, wait or be answered. An error is returned when it must not undo what was written."""
        head = locked_or_new_head(alias, self.owner, self.conversation_id, self.agent_key)
        receipts = Receipt.objects.using(alias).filter(conversation=head.pk)
        receipt = receipts.filter(message_id=key_of(self.message_id)).first()
        if receipt is not None and receipt.end_position is not None:
            return self._answered(alias, head, receipt)
        line = list(WaitingMessage.objects.using(alias).filter(conversation=head.pk))
        place = next((n for n, each in enumerate(line) if each.message_id == key_of(self.message_id)), None)
        if place is not None:
            self._stay(alias, head, line[place])
        ahead = len(line) if place is None else place
        is_first = not any(is_held(each.until, each.seconds, head.now) for each in line[:ahead])
        if head.is_busy() or not (receipt is not None or is_first):
            if receipt is not None:
                return Waiting(ahead=0)
            if place is None and self.on_busy != "reject":
                self._waiting(head).save(using=alias, force_insert=True)
            return Waiting(ahead=ahead)
        placed = 0
        if receipt is None:
            placed = self._place(alias, head, line if place is not None else [*line, self._waiting(head)], ahead)
        return self._begun(alias, head, placed)

    def _begun(self, alias: str, head: Head, placed: int) -> Begun | StoreUnavailable:
        try:
            checkpoint = read_checkpoint(alias, self.owner, self.conversation_id, self.agent_key, self.max_messages)
        except StoreUnavailable as damage:
            return damage  # the message is kept and will be answered; nobody runs meanwhile
        AgentConversation.objects.using(alias).filter(pk=head.pk).update(
            lease=self.lease,
            lease_until=head.now + self.lease_seconds,
            lease_seconds=self.lease_seconds,
            running_id=key_of(self.message_id),
            current_run=_runs_of(alias, head.pk, [self.message_id]).get(self.message_id),
        )
        return Begun(lease=self.lease, checkpoint=checkpoint, placed=placed)

    def _answered(self, alias: str, head: Head, receipt: Receipt) -> Answered:
        start, stop = receipt.position + 1, receipt.end_position or 0
        rows = Message.objects.using(alias).filter(conversation=head.pk, seq__gte=start, seq__lt=stop)
        if not self.remember:
            Receipt.objects.using(alias).filter(pk=receipt.pk, remember=False).delete()
        return Answered(
            version=head.version,
            messages=readable_messages(self.conversation_id, dict(rows.values_list("seq", "body")), start, stop),
            result=readable_result(self.conversation_id, receipt.result),
        )

    def _waiting(self, head: Head) -> WaitingMessage:
        return WaitingMessage(
            conversation_id=head.pk,
            message_id=key_of(self.message_id),
            body=self.body,
            remember=self.remember,
            merges=self.on_busy == "merge",
            until=head.now + self.lease_seconds,
            seconds=self.lease_seconds,
        )

    def _stay(self, alias: str, head: Head, own: WaitingMessage) -> None:
        WaitingMessage.objects.using(alias).filter(pk=own.pk).update(
            until=head.now + self.lease_seconds, seconds=self.lease_seconds
        )

    def _place(self, alias: str, head: Head, line: Sequence[WaitingMessage], ahead: int) -> int:
        """Put the message at this place of the line, and whoever goes with it, at the end of the history."""
        end = ahead + 1
        while end < len(line) and line[end].merges:
            end += 1
        leaving = line[:end]
        runs = _runs_of(alias, head.pk, [each.message_id for each in leaving])
        Message.objects.using(alias).bulk_create(
            Message(
                conversation_id=head.pk,
                seq=head.message_count + n,
                body=each.body,
                run_id=runs.get(each.message_id),
                created_at=head.time,
            )
            for n, each in enumerate(leaving)
        )
        Receipt.objects.using(alias).bulk_create(
            Receipt(
                conversation_id=head.pk,
                message_id=each.message_id,
                position=head.message_count + n,
                remember=each.remember,
            )
            for n, each in enumerate(leaving)
        )
        WaitingMessage.objects.using(alias).filter(pk__in=[each.pk for each in leaving if each.pk]).delete()
        new_version(alias, head, head.message_count + end, self.keep)
        return end


def _runs_of(alias: str, conversation: UUID, message_ids: Iterable[str]) -> dict[str, UUID]:
    """The runs of a conversation that these messages belong to.

    A host gives a run's id as `message_id`. The message that tells of a person's answer is named after what they were
    asked, and so is the run; a `+` behind it is another try.
    """
    ids: list[UUID] = []
    answers: dict[str, list[str]] = {}
    for each in message_ids:
        if (found := uuid_of(each)) is not None:
            ids.append(found)
        elif each.startswith(ANSWERS):
            answers.setdefault(each.rstrip("+"), []).append(each)
    runs = AgentRun.objects.using(alias).filter(conversation=conversation).order_by("created_at")
    of: dict[str, UUID] = {}
    if ids:
        of.update((str(pk), pk) for pk in runs.filter(pk__in=ids).values_list("pk", flat=True))
    if answers:
        for key, pk in runs.filter(owner_key__in=answers).values_list("owner_key", "pk"):
            of.update(dict.fromkeys(answers[key], pk))
    return of
