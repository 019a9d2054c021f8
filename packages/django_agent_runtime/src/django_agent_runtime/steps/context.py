"""A run context for workflows that are no agent's run: its state and its events are rows."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import datetime
from typing import Any, Unpack
from uuid import UUID

from django.core.cache import cache

from agent_runtime_core.contexts.local import LocalRunContext, RunOptions
from agent_runtime_core.interfaces import EventType
from agent_runtime_core.steps import ExecutionState
from agent_runtime_core.stores.json_data import check_json_object
from django_agent_runtime.models import StepCheckpoint, StepEvent
from django_agent_runtime.stores.database import Database

__all__ = ["REST", "DjangoRunContext", "execution_on"]

REST = "_state"
"""The checkpoint in which a run keeps what is no workflow's."""

execution_on: ContextVar[UUID | None] = ContextVar("execution_on", default=None)
"""The checkpoint of the workflow whose step is on."""

_MOST_CACHED = 500


class DjangoRunContext(LocalRunContext):
    """A run whose workflows outlive the process: with the same id, another process goes on with them.

    Args:
        run_id: Names the run.
        user: Whose it is; may be None.
        use_cache_for_events: Whether events go into Django's cache, too, for pages that show progress.
        event_cache_timeout: How long they stay there, in seconds.
        **options: What else the run gets, as in `RunOptions`.
    """

    def __init__(
        self,
        run_id: UUID,
        *,
        user: Any = None,
        use_cache_for_events: bool = True,
        event_cache_timeout: int = 3600,
        **options: Unpack[RunOptions],
    ) -> None:
        super().__init__(run_id, **options)
        self.user = user
        """Whose it is."""
        self._cache_s = event_cache_timeout if use_cache_for_events else None
        self._database = Database(None)

    async def checkpoint(self, state: dict[str, Any]) -> None:
        """Keep a copy of this state for the run; the last one counts.

        The progress of each workflow in it is a `StepCheckpoint` of its own, which can be queried; the rest is another.

        Raises:
            TypeError: It is no dict of JSON data; the text says where and why. The state before is kept.
            StoreUnavailable: The database cannot be used.
        """
        check_json_object(state, "the state")
        await self._database.run(lambda alias: self._write(alias, state))

    def _write(self, alias: str, state: dict[str, Any]) -> None:
        executions = {key: found for key, value in state.items() if (found := _execution(value)) is not None}
        rest = {key: value for key, value in state.items() if key not in executions}
        rows = StepCheckpoint.objects.using(alias)
        for key, execution in executions.items():
            self.write_execution(alias, key, execution)
        rows.update_or_create(run_id=self.run_id, checkpoint_key=REST, defaults={**self._whose(), "custom_state": rest})
        rows.filter(run_id=self.run_id).exclude(checkpoint_key__in=[REST, *executions]).delete()

    def write_execution(self, alias: str, key: str, execution: ExecutionState, **more: Any) -> StepCheckpoint:
        """Write down how far a workflow is."""
        values = {
            "execution_id": execution.execution_id,
            "current_step_index": execution.current_step_index,
            "completed_steps": execution.completed_steps,
            "step_results": execution.step_results,
            "custom_state": execution.custom_state,
            "started_at": execution.started_at,
        }
        rows = StepCheckpoint.objects.using(alias)
        values.update(self._whose(), **more)
        row, _ = rows.update_or_create(run_id=self.run_id, checkpoint_key=key, defaults=values)
        return row

    def _whose(self) -> dict[str, Any]:
        return {"user": self.user, "conversation_id": self.conversation_id}

    async def get_state(self) -> dict[str, Any] | None:
        """A copy of the last state that was kept, by whichever process, or None.

        Raises:
            StoreUnavailable: The database cannot be used.
        """
        return await self._database.run(self._read)

    def _read(self, alias: str) -> dict[str, Any] | None:
        rows = list(StepCheckpoint.objects.using(alias).filter(run_id=self.run_id))
        if not rows:
            return None
        state: dict[str, Any] = {}
        for row in rows:
            if row.checkpoint_key == REST:
                state.update(row.custom_state)
            elif row.started_at is not None:
                state[row.checkpoint_key] = _dict_of(row, row.started_at)
        return state

    async def get_events(self) -> list[dict[str, Any]]:
        """The run's events, by whichever process, oldest first: `{"event_type", "payload", "timestamp"}`."""

        def read(alias: str) -> list[dict[str, Any]]:
            rows = StepEvent.objects.using(alias).filter(run_id=self.run_id)
            return [_event(row.event_type, row.payload, row.timestamp) for row in rows]

        return await self._database.run(read)

    def get_cached_events(self) -> list[dict[str, Any]]:
        """The run's last 500 events, from Django's cache; none where they are not kept there."""
        found: list[dict[str, Any]] = cache.get(self._cache_key, [])
        return found

    @property
    def _cache_key(self) -> str:
        return f"django_agent_runtime:step_events:{self.run_id}"

    async def _keep_event(self, event: dict[str, Any]) -> None:
        checkpoint = execution_on.get()

        def write(alias: str) -> None:
            payload = event["payload"]
            row = StepEvent(
                run_id=self.run_id,
                checkpoint_id=checkpoint,
                event_type=event["event_type"],
                step_name=str(payload.get("step_name", ""))[:255],
                step_index=payload.get("step_index"),
                payload=payload,
            )
            row.save(using=alias, force_insert=True)
            status = _STATUS.get(event["event_type"])
            if status is not None and checkpoint is not None:
                StepCheckpoint.objects.using(alias).filter(pk=checkpoint).update(status=status)
            if self._cache_s is not None:
                events = [*cache.get(self._cache_key, []), _event(row.event_type, payload, row.timestamp)]
                cache.set(self._cache_key, events[-_MOST_CACHED:], self._cache_s)

        await self._database.run(write)


_STATUS = {
    EventType.STEP_STARTED.value: StepCheckpoint.Status.RUNNING,
    EventType.STEP_RETRYING.value: StepCheckpoint.Status.RETRYING,
}


def _event(event_type: str, payload: dict[str, Any], timestamp: datetime) -> dict[str, Any]:
    return {"event_type": event_type, "payload": payload, "timestamp": timestamp.isoformat()}


def _execution(value: Any) -> ExecutionState | None:
    """The progress of a workflow, if the value is that."""
    if not isinstance(value, dict) or "execution_id" not in value:
        return None
    try:
        execution = ExecutionState.from_dict(value)
    except ValueError:
        return None
    return execution if execution.to_dict() == value else None


def _dict_of(row: StepCheckpoint, started_at: datetime) -> dict[str, Any]:
    return ExecutionState(
        execution_id=row.execution_id,
        current_step_index=row.current_step_index,
        completed_steps=row.completed_steps,
        step_results=row.step_results,
        started_at=started_at,
        custom_state=row.custom_state,
    ).to_dict()
