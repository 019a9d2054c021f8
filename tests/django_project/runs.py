"""Waiting for runs."""

from __future__ import annotations

import asyncio

from django_agent_runtime.models import AgentRun

__all__ = ["ended"]


async def ended(run: AgentRun, *, timeout_s: float = 60) -> AgentRun:
    """The run's row when it is over."""
    async with asyncio.timeout(timeout_s):
        while True:
            row = await AgentRun.objects.using(run._state.db).aget(pk=run.pk)
            if row.is_terminal:
                return row
            await asyncio.sleep(0.01)
