"""A `RunContext` on an engine: its state outlives the process, its events are the run's."""

from __future__ import annotations

from typing import Any, Unpack
from uuid import UUID

from agent_runtime_core.contexts.local import LocalRunContext, RunOptions
from agent_runtime_core.interfaces.run_engine import DurableContext
from agent_runtime_core.stores.json_data import check_json_object

__all__ = ["DurableRunContext"]


class DurableRunContext(LocalRunContext):
    """What an agent gets whose run is done by an engine. A `StepExecutor` on it resumes where its process died.

    Each `checkpoint` is a step of the run's journal. Events are told as `{"kind": type, "payload": ..., "timestamp":
    ...}`; each attempt tells its own.

    Args:
        durable: The run, as its engine gives it.
        **options: What else the run gets, as in `RunOptions`.
    """

    def __init__(self, durable: DurableContext, **options: Unpack[RunOptions]) -> None:
        super().__init__(UUID(durable.request.run_id) if _is_uuid(durable) else durable.request.run_id, **options)
        self.durable = durable
        """The run: for steps of one's own, and their keys."""
        self._checkpoints = 0
        self._events = 0

    async def checkpoint(self, state: dict[str, Any]) -> None:
        """Keep a copy of this state for the run; the last one counts.

        Raises:
            TypeError: It is no dict of JSON data; the text says where and why.
        """
        check_json_object(state, "state")
        await self._skip_recorded()
        self._checkpoints += 1

        async def kept() -> dict[str, Any]:
            return state

        await self.durable.step(f"checkpoint:{self._checkpoints}", kept)

    async def get_state(self) -> dict[str, Any] | None:
        """A copy of the last state that was kept, by whichever attempt, or None."""
        await self._skip_recorded()
        if not self._checkpoints:
            return None
        last: dict[str, Any] = await self.durable.step(f"checkpoint:{self._checkpoints}", _nothing)
        return last

    def cancel(self) -> None:
        """Nothing: an engine is asked to cancel a run, `engine.cancel(run_id)`."""

    def cancelled(self) -> bool:
        """Whether somebody has asked the run to stop."""
        return self.durable.cancelled()

    async def _skip_recorded(self) -> None:
        """Count the checkpoints that earlier attempts have left."""
        while self.durable.recorded(f"checkpoint:{self._checkpoints + 1}"):
            self._checkpoints += 1

    async def _keep_event(self, event: dict[str, Any]) -> None:
        self._events += 1
        told = {"kind": event["event_type"], "payload": event["payload"], "timestamp": event["timestamp"]}
        await self.durable.emit(f"{self.durable.attempt}:{self._events}", told)


def _is_uuid(durable: DurableContext) -> bool:
    try:
        UUID(durable.request.run_id)
    except ValueError:
        return False
    return True


async def _nothing() -> None:
    return None
