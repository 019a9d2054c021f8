"""What happens inside of a journey, as Django's signals."""

from __future__ import annotations

import logging
from typing import Any

from asgiref.sync import sync_to_async
from django.dispatch import Signal

from agent_runtime_core.events import RunEvent, StepChanged, ToolCallFinished, TurnFinished
from django_agent_runtime.models import AgentRun
from django_agent_runtime.signals import approval_pending, step_changed

__all__ = ["JourneySignals", "send"]

_LOGGER = logging.getLogger("django_agent_runtime.runtime")


class JourneySignals:
    """Collects what a turn brings, and tells it when the turn is committed.

    Args:
        run: The run.
    """

    def __init__(self, run: AgentRun) -> None:
        self._run = run
        self._pending: list[tuple[Signal, dict[str, Any]]] = []

    async def observe(self, event: RunEvent) -> None:
        """Take note of an event."""
        match event:
            case StepChanged():
                told = event.to_dict()
                steps = {name: str(told[name]) for name in ("from_step", "to_step")}
                self._pending.append((step_changed, {"agent_key": self._run.agent_key, **steps}))
            case ToolCallFinished(call=call, outcome=outcome) if outcome.approval_id is not None:
                arguments = call.arguments if isinstance(call.arguments, dict) else {}
                asked = {"approval_id": outcome.approval_id, "tool_name": call.name, "arguments": arguments}
                self._pending.append((approval_pending, asked))
            case TurnFinished():
                await self.told()
            case _:
                pass

    async def told(self) -> None:
        """Tell what is committed by now."""
        pending, self._pending = self._pending, []
        for signal, facts in pending:
            await send(signal, run=self._run, **facts)


async def send(signal: Signal, **facts: Any) -> None:
    """Send a signal in the thread in which the ORM may be used; what receivers raise is logged."""
    if not signal.receivers:
        return
    for receiver, answer in await sync_to_async(signal.send_robust)(AgentRun, **facts):
        if isinstance(answer, Exception):
            name = getattr(receiver, "__qualname__", repr(receiver))
            _LOGGER.error("Run %s: the receiver %s failed with %s", facts["run"].pk, name, type(answer).__name__)
            _LOGGER.debug("The receiver %s failed", name, exc_info=answer)
