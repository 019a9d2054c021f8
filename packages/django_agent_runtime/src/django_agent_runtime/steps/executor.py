"""The core's executor of workflows, with a status that can be queried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from agent_runtime_core.steps import Step, StepCancelledError, StepExecutor
from django_agent_runtime.models import StepCheckpoint
from django_agent_runtime.steps.context import DjangoRunContext, execution_on
from django_agent_runtime.stores.database import Database

__all__ = ["DjangoStepExecutor"]

_KEY = "_step_executor_state"


class DjangoStepExecutor(StepExecutor):
    """Runs workflows; how far each is, and how it ended, stands in its `StepCheckpoint`.

    Args:
        ctx: The run.
        checkpoint_key: Names the workflow within the run.
        cancel_check_interval: How often `ctx.cancelled()` is asked while a step runs, in seconds.
        auto_update_status: Whether `status`, `last_error`, `completed_at` and `total_attempts` are kept.

    Raises:
        ConfigError: The interval is not more than 0.
    """

    def __init__(
        self,
        ctx: DjangoRunContext,
        *,
        checkpoint_key: str = _KEY,
        cancel_check_interval: float = 0.5,
        auto_update_status: bool = True,
    ) -> None:
        super().__init__(ctx, checkpoint_key=checkpoint_key, cancel_check_interval=cancel_check_interval)
        self._django_ctx = ctx
        self._updates_status = auto_update_status
        self._database = Database(None)

    async def run(
        self, steps: Iterable[Step], *, initial_state: Mapping[str, Any] | None = None, resume: bool = True
    ) -> dict[str, Any]:
        """As `StepExecutor.run`, with its status written down before and after."""
        if not self._updates_status:
            return await super().run(steps, initial_state=initial_state, resume=resume)
        row = await self._begin()
        token = execution_on.set(row)
        try:
            results = await super().run(steps, initial_state=initial_state, resume=resume)
        except BaseException as error:
            cancelled = isinstance(error, StepCancelledError) or not isinstance(error, Exception)
            status = StepCheckpoint.Status.CANCELLED if cancelled else StepCheckpoint.Status.FAILED
            await self._end(row, status=status, last_error=str(error))
            raise
        finally:
            execution_on.reset(token)
        await self._end(row, status=StepCheckpoint.Status.COMPLETED, completed_at=timezone.now())
        return results

    async def get_checkpoint(self) -> StepCheckpoint | None:
        """How far the workflow is; None before its first run."""
        return await self.get_checkpoint_for_run(self._django_ctx.run_id, self._key)

    @classmethod
    async def get_checkpoint_for_run(cls, run_id: UUID, checkpoint_key: str = _KEY) -> StepCheckpoint | None:
        """How far a run's workflow is, whichever process does it; None when there is none."""
        return await Database(None).run(
            lambda alias: (
                StepCheckpoint.objects.using(alias).filter(run_id=run_id, checkpoint_key=checkpoint_key).first()
            )
        )

    @classmethod
    async def resume_from_checkpoint(
        cls, ctx: DjangoRunContext, steps: Iterable[Step], checkpoint_key: str = _KEY
    ) -> dict[str, Any]:
        """The result of each step; those that an earlier execution has done are not repeated."""
        return await cls(ctx, checkpoint_key=checkpoint_key).run(steps)

    async def _begin(self) -> UUID:
        def write(alias: str) -> UUID:
            rows = StepCheckpoint.objects.using(alias)
            values = {"user": self._django_ctx.user, "conversation_id": self._django_ctx.conversation_id}
            of_workflow = {"run_id": self._django_ctx.run_id, "checkpoint_key": self._key}
            row, _ = rows.get_or_create(**of_workflow, defaults=values)
            begun = {"status": StepCheckpoint.Status.RUNNING, "completed_at": None, "last_error": ""}
            rows.filter(pk=row.pk).update(total_attempts=F("total_attempts") + 1, updated_at=timezone.now(), **begun)
            return row.pk

        return await self._database.run(write)

    async def _end(self, row: UUID, **values: Any) -> None:
        await self._database.run(
            lambda alias: StepCheckpoint.objects.using(alias).filter(pk=row).update(updated_at=timezone.now(), **values)
        )
