"""Runs the steps of a workflow in their order, saves after each, and goes on where an earlier execution ended."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces.runtime import RunContext
from agent_runtime_core.steps.execution_state import ExecutionState
from agent_runtime_core.steps.step import Step, StepResult, StepStatus
from agent_runtime_core.steps.step_run import StepRun
from agent_runtime_core.steps.telling import StepTeller
from agent_runtime_core.stores.json_data import check_json_object, checked_copy

__all__ = ["StepExecutor"]

_LOGGER = logging.getLogger(__name__)

_SAVING: weakref.WeakValueDictionary[int, asyncio.Lock] = weakref.WeakValueDictionary()
"""One lock for each context that has an execution on, by its `id`: workflows of one run share its state."""


class StepExecutor:
    """Runs workflows for one run: what is done stays done, in this process or a later one.

    Args:
        ctx: The run: it keeps the checkpoints, gets the events and says whether to stop.
        checkpoint_key: Where the execution lies in the run's state; the other keys of that state are left alone.
            Two workflows of one run need two keys; they may run at the same time, on one context.
        cancel_check_interval: How often `ctx.cancelled()` is asked while a step runs, in seconds.

    Raises:
        ConfigError: The interval is not more than 0.
    """

    def __init__(
        self, ctx: RunContext, *, checkpoint_key: str = "_step_executor_state", cancel_check_interval: float = 0.5
    ) -> None:
        if not cancel_check_interval > 0:
            raise ConfigError(f"cancel_check_interval must be more than 0 seconds, not {cancel_check_interval}")
        self._ctx = ctx
        self._key = checkpoint_key
        self._check_interval_s = cancel_check_interval
        self._state: ExecutionState | None = None
        self._records: list[StepResult] = []
        self._running = False
        self._saving = asyncio.Lock()

    @property
    def state(self) -> ExecutionState | None:
        """The execution that runs or ran last; None before the first."""
        return self._state

    @property
    def step_results(self) -> list[StepResult]:
        """What became of each step of the latest `run`, in order; of a step that was not reached there is nothing."""
        return list(self._records)

    def update_custom_state(self, values: Mapping[str, Any]) -> None:
        """Merge values into the dict that the steps share; they are saved with the next checkpoint.

        Raises:
            RuntimeError: There is no execution yet: give `run(initial_state=...)`.
        """
        if self._state is None:
            raise RuntimeError("there is no execution yet whose state could be updated: give run(initial_state=...)")
        self._state.custom_state.update(values)

    async def run(
        self, steps: Iterable[Step], *, initial_state: Mapping[str, Any] | None = None, resume: bool = True
    ) -> dict[str, Any]:
        """The result of each step by its name, those of an earlier execution included.

        A step that is done is saved before its `step.completed` is told. A crash in between repeats that step.

        Args:
            steps: The workflow. Steps are known by name: one that is renamed runs again.
            initial_state: What the shared dict begins with, JSON data; it is copied. An execution that is resumed
                goes on with its own.
            resume: Whether to go on with the run's saved execution, if there is one. False begins anew.

        Raises:
            ConfigError: Two steps have the same name. Nothing ran.
            TypeError: The initial state is no dict of JSON data. Nothing ran.
            StepExecutionError: A step failed for good, or returned or left in the shared dict what is not JSON data
                (which is not tried again). The steps before it are kept: the next execution begins with it.
            StepCancelledError: `ctx.cancelled()` said so, before or while a step ran.
            RuntimeError: This executor is running already.
        """
        workflow = list(steps)
        _check_names(workflow)
        if self._running:
            raise RuntimeError("this StepExecutor is running already: make one for each execution at a time")
        self._running = True
        self._saving = _SAVING.setdefault(id(self._ctx), asyncio.Lock())
        try:
            self._records = []
            self._state = state = (await self._load() if resume else None) or _begun(initial_state)
            for index, step in enumerate(workflow):
                await self._bring_about(step, StepTeller(self._ctx, step, index, len(workflow)), index, state)
            return {step.name: checked_copy(state.step_results[step.name], step.name) for step in workflow}
        finally:
            self._running = False

    async def _bring_about(self, step: Step, teller: StepTeller, index: int, state: ExecutionState) -> None:
        """Run a step unless it is done; mark it, save it, and tell of it."""
        if step.name in state.completed_steps:
            result = checked_copy(state.step_results[step.name], step.name)
            self._records.append(StepResult(step.name, StepStatus.SKIPPED, result=result, attempts=0))
            await teller.skipped()
            return
        run = StepRun(self._ctx, step, teller, self._check_interval_s)
        self._records.append(run.record)
        state.current_step_index = index
        state.step_results[step.name] = await run.run(state.custom_state)
        state.completed_steps.append(step.name)
        if step.checkpoint:
            await self._save(state)
        await teller.completed(run.record.attempts, run.record.duration_ms)

    async def _load(self) -> ExecutionState | None:
        saved = (await self._ctx.get_state() or {}).get(self._key)
        if saved is None:
            return None
        try:
            return ExecutionState.from_dict(saved)
        except ValueError as error:
            _LOGGER.warning("run %s: %r is ignored, and all steps run: %s", self._ctx.run_id, self._key, error)
            return None

    async def _save(self, state: ExecutionState) -> None:
        async with self._saving:  # two that read before either writes would lose what one of them saves
            kept = dict(await self._ctx.get_state() or {})
            kept[self._key] = state.to_dict()
            await self._ctx.checkpoint(kept)


def _begun(initial_state: Mapping[str, Any] | None) -> ExecutionState:
    state = {} if initial_state is None else initial_state
    check_json_object(state, "initial_state")
    return ExecutionState(custom_state=checked_copy(state, "initial_state"))


def _check_names(steps: list[Step]) -> None:
    twice = sorted(name for name, count in Counter(step.name for step in steps).items() if count > 1)
    if twice:
        raise ConfigError(f"the steps of a workflow need different names; more than one is called {', '.join(twice)}")
