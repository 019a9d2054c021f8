"""Asking a run to stop."""

from __future__ import annotations

from uuid import uuid4

import pytest

from django_agent_runtime.models import AgentRun, RunStatus
from django_agent_runtime.runtime.runs import acancel


@pytest.mark.parametrize("status", [RunStatus.QUEUED, RunStatus.RUNNING])
async def test_a_run_that_goes_on_can_be_asked_to_stop(default_alias, status):
    run = await AgentRun.objects.acreate(agent_key="a", status=status)

    assert await acancel(run.pk) is True

    first = (await AgentRun.objects.aget(pk=run.pk)).cancel_requested_at
    assert first is not None
    assert await acancel(str(run.pk)) is True
    assert (await AgentRun.objects.aget(pk=run.pk)).cancel_requested_at == first


async def test_a_run_that_has_ended_cannot(default_alias):
    for status in (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.TIMED_OUT):
        run = await AgentRun.objects.acreate(agent_key="a", status=status)
        assert run.is_terminal
        assert await acancel(run.pk) is False
        assert (await AgentRun.objects.aget(pk=run.pk)).cancel_requested_at is None
    assert await acancel(uuid4()) is False
