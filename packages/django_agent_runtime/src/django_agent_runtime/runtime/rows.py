"""A run's row: taking the run up, and writing down what became of it. Each function is part of one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import F, Max, QuerySet
from django.utils import timezone

from agent_runtime_core.interfaces import EventType
from django_agent_runtime.conf import runtime_settings
from django_agent_runtime.models import AgentConversation, AgentEvent, AgentRun, RunStatus
from django_agent_runtime.runtime.event_log import RunLost, identity, write_events
from django_agent_runtime.stores.commits import Commit
from django_agent_runtime.stores.head import ALL

__all__ = [
    "Begun",
    "Busy",
    "Claim",
    "Ending",
    "Over",
    "StopAsked",
    "claim",
    "end",
    "end_unbegun",
    "free_conversation",
    "locked_run",
    "put_back",
]

UNDER_WAY = (RunStatus.QUEUED, RunStatus.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The run is this worker's, and running."""

    run: AgentRun
    next_seq: int
    earlier: Sequence[tuple[str, dict[str, Any]]]
    """Events of earlier attempts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """There is nothing to do: the run has ended, or is no more."""

    status: RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """Another run of the conversation is on, in another process."""


class StopAsked(Exception):
    """Somebody wants the run to stop that was to be tried again."""


Claim = Begun | Over | Busy


def locked_run(alias: str, run_id: UUID | str) -> AgentRun | None:
    """The run with its conversation, its own row locked until the transaction ends; None when there is none."""
    rows = AgentRun.objects.using(alias).filter(pk=run_id).select_related("conversation").order_by()
    features = connections[alias].features
    if features.has_select_for_update:
        own = ("self",) if features.has_select_for_update_of else ()
        return rows.select_for_update(of=own, no_key=features.has_select_for_no_key_update).first()
    # SQLite: who has written first in a transaction is the only writer.
    return rows.first() if rows.update(attempt=F("attempt")) else None


def claim(alias: str, run_id: UUID, worker: str, *, lease_s: float | None) -> Claim:
    """Take a run up, unless it has ended or was cancelled.

    Args:
        alias: The database.
        run_id: The run.
        worker: Who takes it up.
        lease_s: Seconds until it may be taken for lost; None where the engine looks after that, and after the order
            of a conversation's runs.
    """
    run = locked_run(alias, run_id)
    if run is None:
        return Over(status=RunStatus.CANCELLED)
    if run.is_terminal:
        return Over(status=RunStatus(run.status))
    if lease_s is not None:
        if run.lease_owner not in ("", worker):
            return Over(status=RunStatus.CANCELLED)  # here: another process has it
        if run.conversation_id is not None and _has_another(alias, run):
            return Busy()
    is_new = run.started_at is None and run.attempt == 1
    told = [] if is_new else list(_events(alias, run_id).values_list("event_type", "payload", "seq"))
    next_seq = told[-1][2] + 1 if told else 0
    if run.cancel_requested_at is not None:
        end_unbegun(alias, run, RunStatus.CANCELLED, next_seq=next_seq)
        return Over(status=RunStatus.CANCELLED)
    if run.status == RunStatus.RUNNING:
        free_conversation(alias, run)
    now = timezone.now()
    run.status, run.lease_owner, run.started_at = RunStatus.RUNNING, worker, run.started_at or now
    run.lease_expires_at = None if lease_s is None else now + timedelta(seconds=lease_s)
    run.save(using=alias, update_fields=["status", "lease_owner", "started_at", "lease_expires_at"])
    earlier = [(event_type, payload) for event_type, payload, _ in told]
    started = {"agent_key": run.agent_key, "attempt": run.attempt}
    if identity(EventType.RUN_STARTED.value, started) not in {identity(*each) for each in earlier}:
        next_seq = write_events(alias, run_id, next_seq, [(EventType.RUN_STARTED.value, started)])
    return Begun(run=run, next_seq=next_seq, earlier=earlier)


def _has_another(alias: str, run: AgentRun) -> bool:
    """Whether another run of the conversation is on. The conversation's row stays locked, so that only one is begun."""
    if connections[alias].features.has_select_for_update:
        # A statement of its own: what the next one sees has to be what others wrote before they let go of the row.
        rows = AgentConversation.objects.using(alias).filter(pk=str(run.conversation_id)).order_by()
        list(rows.select_for_update(no_key=True).values_list("pk"))
    others = AgentRun.objects.using(alias).filter(conversation=run.conversation_id, status=RunStatus.RUNNING)
    return others.exclude(pk=run.pk).exists()


def free_conversation(alias: str, run: AgentRun) -> None:
    """End the lease that the process which died had on the conversation for this run."""
    if run.conversation_id is None:
        return
    held = AgentConversation.objects.using(alias).filter(pk=run.conversation_id, current_run=run.pk)
    held.update(lease=0, lease_until=0.0, running_id="", current_run=None)


def _events(alias: str, run_id: UUID) -> QuerySet[AgentEvent]:
    return AgentEvent.objects.using(alias).filter(run=run_id).order_by("seq")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What became of a run, or of one attempt at it."""

    status: RunStatus
    """`QUEUED`: it is tried again."""
    output: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] = field(default_factory=dict)
    messages: Sequence[str] = ()
    """What goes into the conversation's history, as JSON texts."""


def end(alias: str, run: AgentRun, ending: Ending) -> None:
    """Write down what became of the run that this worker has.

    Raises:
        RunLost: It is another worker's by now, or is no more. Nothing was written.
        StopAsked: It was to be tried again, and is to stop. Nothing was written.
    """
    if ending.status == RunStatus.QUEUED:
        changes: dict[str, Any] = {"attempt": run.attempt + 1, "error": ending.error}
    else:
        changes = {"output": ending.output, "error": ending.error, "lease_owner": "", "lease_expires_at": None}
        changes["finished_at"] = timezone.now()
    owned = AgentRun.objects.using(alias).filter(pk=run.pk, lease_owner=run.lease_owner, status=RunStatus.RUNNING)
    going_on = owned.filter(cancel_requested_at=None) if ending.status == RunStatus.QUEUED else owned
    if not going_on.update(status=ending.status, **changes):
        if owned.exists():
            raise StopAsked
        raise RunLost(f"run {run.pk} was taken over by another process, or removed")
    for name, value in {"status": ending.status, **changes}.items():
        setattr(run, name, value)
    if ending.messages and run.conversation_id is not None:
        commit = Commit(
            owner="",
            conversation_id=str(run.conversation_id),
            agent_key=run.agent_key,
            expected_version=None,
            state=None,
            state_version=0,
            messages=ending.messages,
            lease=None,
            finish=None,
            keep=runtime_settings().KEEP_VERSIONS or ALL,
            run_id=run.pk,
        )
        commit.write(alias)


def end_unbegun(
    alias: str,
    run: AgentRun,
    status: RunStatus,
    *,
    next_seq: int | None = None,
    event: tuple[str, dict[str, Any]] = (EventType.RUN_CANCELLED.value, {}),
    error: dict[str, Any] | None = None,
) -> None:
    """End a run, locked, that nobody works at, with its last event."""
    if next_seq is None:
        last = _events(alias, run.pk).aggregate(last=Max("seq"))["last"]
        next_seq = 0 if last is None else last + 1
    run.status, run.finished_at, run.lease_owner, run.lease_expires_at = status, timezone.now(), "", None
    run.error = error or {}
    run.save(using=alias, update_fields=["status", "finished_at", "lease_owner", "lease_expires_at", "error"])
    write_events(alias, run.pk, next_seq, [event])


def put_back(alias: str, run_id: UUID, worker: str) -> None:
    """Let another process have the run: this one stops."""
    owned = AgentRun.objects.using(alias).filter(pk=run_id, lease_owner=worker, status__in=UNDER_WAY)
    owned.update(status=RunStatus.QUEUED, lease_owner="", lease_expires_at=None)
