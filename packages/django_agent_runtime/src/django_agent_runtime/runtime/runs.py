"""Runs from outside: hand one over, ask one to stop."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import DEFAULT_DB_ALIAS, router, transaction
from django.utils import timezone

from django_agent_runtime.models import AgentRun, RunStatus
from django_agent_runtime.runtime.desk import hand_over, mark, tell_cancelled
from django_agent_runtime.runtime.request import request_of
from django_agent_runtime.runtime.rows import end_unbegun, locked_run

__all__ = ["acancel", "asubmit", "cancel", "submit"]


def submit(run: AgentRun) -> None:
    """Have a queued run executed, once the transaction that it was made in is committed; outside of one at once.

    If this process dies, or the engine is out of reach, the run is not lost: a worker finds its row.
    """
    alias = run._state.db or router.db_for_write(AgentRun) or DEFAULT_DB_ALIAS
    mark(alias, run)
    transaction.on_commit(partial(hand_over, request_of(run)), using=alias)


async def asubmit(run: AgentRun) -> None:
    """As `submit`, in an event loop."""
    await sync_to_async(submit)(run)


def cancel(run_id: UUID | str) -> bool:
    """Ask a run to stop, and say whether it was still under way.

    One that waits ends at once, as `cancelled`. One that is on is interrupted within a second, in the middle of a call
    of the model if that is where it is. Asking twice is asking once.
    """
    alias = router.db_for_write(AgentRun) or DEFAULT_DB_ALIAS
    with transaction.atomic(using=alias):
        run = locked_run(alias, run_id)
        if run is None or run.is_terminal:
            return False
        if run.cancel_requested_at is None:
            run.cancel_requested_at = timezone.now()
            run.save(using=alias, update_fields=["cancel_requested_at"])
        if run.status == RunStatus.QUEUED:
            end_unbegun(alias, run, RunStatus.CANCELLED)
        transaction.on_commit(partial(tell_cancelled, str(run.pk)), using=alias)
    return True


async def acancel(run_id: UUID | str) -> bool:
    """As `cancel`, in an event loop."""
    return await sync_to_async(cancel)(run_id)
