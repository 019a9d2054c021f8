"""What may be done to a run from outside."""

from __future__ import annotations

from uuid import UUID

from asgiref.sync import sync_to_async
from django.utils import timezone

from django_agent_runtime.models import AgentRun, RunStatus

__all__ = ["acancel", "cancel"]


def cancel(run_id: UUID | str) -> bool:
    """Ask a run to stop, and say whether it can still be asked. It stops at the next moment when nothing is half done.

    Asking twice is asking once.
    """
    going = AgentRun.objects.filter(pk=run_id, status__in=[RunStatus.QUEUED, RunStatus.RUNNING])
    asked = going.filter(cancel_requested_at=None).update(cancel_requested_at=timezone.now())
    return bool(asked) or going.exists()


async def acancel(run_id: UUID | str) -> bool:
    """As `cancel`, in an event loop."""
    return await sync_to_async(cancel)(run_id)
