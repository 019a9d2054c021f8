"""Finding the runs that nobody works at any more: their process has died, or was never told of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from agent_runtime_core.interfaces import EventType
from django_agent_runtime.models import AgentRun, RunStatus
from django_agent_runtime.runtime.rows import UNDER_WAY, end_unbegun, free_conversation, locked_run
from django_agent_runtime.runtime.worker_name import is_gone

__all__ = ["extend_leases", "left_behind", "take_up"]

_AT_ONCE = 200


def left_behind(alias: str, worker: str) -> Sequence[tuple[UUID, str]]:
    """The runs that nobody works at, oldest first, and whose they were."""
    rows = AgentRun.objects.using(alias).filter(status__in=UNDER_WAY).exclude(lease_owner=worker)
    owners = rows.exclude(lease_owner="").order_by().values_list("lease_owner", flat=True).distinct()
    dead = [owner for owner in owners if is_gone(owner, worker)]
    left = rows.filter(Q(lease_owner="") | Q(lease_owner__in=dead) | Q(lease_expires_at__lt=timezone.now()))
    return list(left.order_by("created_at").values_list("pk", "lease_owner")[:_AT_ONCE])


def take_up(alias: str, run_id: UUID, owner: str, worker: str, *, lease_s: float) -> AgentRun | None:
    """The run, which is this process's by now; None when there is nothing to do.

    A run that was on when its process died has used up an attempt; one that has none left ends as `timed_out`.
    """
    run = locked_run(alias, run_id)
    if run is None or run.is_terminal or run.lease_owner != owner:
        return None
    if run.cancel_requested_at is not None:
        end_unbegun(alias, run, RunStatus.CANCELLED)
        return None
    if run.status == RunStatus.RUNNING:
        if run.attempt >= run.max_attempts:
            _give_up(alias, run)
            return None
        run.attempt += 1
        run.status = RunStatus.QUEUED
        free_conversation(alias, run)
    run.lease_owner, run.lease_expires_at = worker, timezone.now() + timedelta(seconds=lease_s)
    run.save(using=alias, update_fields=["attempt", "status", "lease_owner", "lease_expires_at"])
    return run


def extend_leases(alias: str, worker: str, *, lease_s: float) -> int:
    """Show that this process is alive, and say how many runs it has."""
    until = timezone.now() + timedelta(seconds=lease_s)
    own = AgentRun.objects.using(alias).filter(lease_owner=worker, status__in=UNDER_WAY)
    return own.update(lease_expires_at=until)


def _give_up(alias: str, run: AgentRun) -> None:
    words = f"the process that worked at the run has died, at attempt {run.attempt} of {run.max_attempts}"
    error = {"type": "LeaseExpired", "message": words, "stack": "", "retriable": False, "details": {}}
    told = {"error": words, "error_type": "LeaseExpired", "attempt": run.attempt, "max_attempts": run.max_attempts}
    end_unbegun(alias, run, RunStatus.TIMED_OUT, event=(EventType.RUN_TIMED_OUT.value, told), error=error)
