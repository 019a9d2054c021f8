"""What a successful run sets off: the signal, the project's hook, and the conversation's title."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from django.db import close_old_connections

from django_agent_runtime.conf import get_hook, is_debug, runtime_settings
from django_agent_runtime.models import AgentRun
from django_agent_runtime.runtime.journey_signals import send
from django_agent_runtime.runtime.lanes import Lanes
from django_agent_runtime.runtime.titles import give_title
from django_agent_runtime.signals import run_completed

__all__ = ["Completion"]

_LOGGER = logging.getLogger("django_agent_runtime.runtime")


class Completion:
    """Does what comes behind runs, without keeping the next run of the conversation waiting.

    A process that is killed in between takes the hook's call with it.

    Args:
        lanes: Where the ORM is used.
    """

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, run: AgentRun) -> None:
        """Take a run that has succeeded."""
        await send(run_completed, run=run, output=run.output)
        if runtime_settings().RUN_COMPLETED_HOOK is not None:
            self._begin(self._call_hook(run))
        if runtime_settings().AUTO_GENERATE_CONVERSATION_TITLE and _may_want_title(run):
            self._begin(self._give_title(run))

    async def drained(self, timeout_s: float) -> None:
        """Wait for what is on, for so many seconds at most."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call_hook(self, run: AgentRun) -> None:
        try:
            hook = get_hook(runtime_settings().RUN_COMPLETED_HOOK)
            if hook is not None:
                await asyncio.to_thread(_with_connections_closed, hook, str(run.pk), run.output)
        except Exception as error:  # the run has succeeded, whatever the project's code does afterwards
            shown = error if is_debug() else None
            words = "RUN_COMPLETED_HOOK failed with %s for run %s"
            _LOGGER.error(words, type(error).__name__, run.pk, exc_info=shown)
            _LOGGER.debug("RUN_COMPLETED_HOOK failed", exc_info=error)

    async def _give_title(self, run: AgentRun) -> None:
        try:
            async with self._lanes.lane():
                await give_title(run)
        except Exception as error:  # a conversation goes without a title
            words = "conversation %s was given no title: %s"
            _LOGGER.warning(words, run.conversation_id, type(error).__name__)
            _LOGGER.debug("No title was given", exc_info=error)


def _may_want_title(run: AgentRun) -> bool:
    return run.conversation is not None and not run.conversation.title


def _with_connections_closed(hook: Any, run_id: str, output: dict[str, Any]) -> None:
    try:
        hook(run_id, output)
    finally:
        close_old_connections()
