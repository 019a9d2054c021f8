"""Waiting for runs."""

from __future__ import annotations

import asyncio
from typing import Any

from django_agent_runtime.models import AgentRun
from tests.waiting import until

__all__ = ["ended", "over"]


def over(run_id: Any) -> AgentRun:
    """The run's row when it is over; for tests that are not async."""
    until(lambda: AgentRun.objects.get(pk=run_id).is_terminal)
    return AgentRun.objects.get(pk=run_id)


async def ended(run: AgentRun, *, timeout_s: float = 60) -> AgentRun:
    """The run's row when it is over."""
    async with asyncio.timeout(timeout_s):
        while True:
            row = await AgentRun.objects.using(run._state.db).aget(pk=run.pk)
            if row.is_terminal:
                return row
            await asyncio.sleep(0.01)
