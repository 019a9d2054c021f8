"""Runs agents in this process and keeps track of the runs that are on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from typing import Any
from uuid import UUID, uuid4

from agent_runtime_core.config import get_config
from agent_runtime_core.contexts import InMemoryRunContext
from agent_runtime_core.interfaces.runtime import RunContext
from agent_runtime_core.interfaces.tracing import TraceSink
from agent_runtime_core.logs import run_ids_sink
from agent_runtime_core.registry import get_runtime
from agent_runtime_core.runner.config import RunnerConfig
from agent_runtime_core.runner.execution import Execution
from agent_runtime_core.runner.outcome import RunOutcome, RunStatus
from agent_runtime_core.runner.run_input import RunInput
from agent_runtime_core.tracing.watch import Watch

__all__ = ["AgentRunner"]


class AgentRunner:
    """Runs agents with a time limit, retries, cancellation and events.

    Runs live and die with the process. What a run has saved in its context is there again for the next attempt, and
    in a `FileRunContext` also for a later process that executes the same `run_id`.

    Args:
        config: Limits and waits; None takes them from `get_config()` now.
        make_context: Makes the context of a run. It gets the keywords `run_id`, `conversation_id`, `input_messages`,
            `params`, `metadata` and `on_event`: for files, `functools.partial(FileRunContext, checkpoint_dir="runs")`.
        sleep: Waits for so many seconds between two attempts.
        trace: Gets the beginning of each run, its events and its end. None traces nothing here: an agent that traces
            itself, as those of `agent_runtime_framework` do, needs none.
    """

    def __init__(
        self,
        config: RunnerConfig | None = None,
        *,
        make_context: Callable[..., RunContext] = InMemoryRunContext,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        trace: TraceSink | None = None,
    ) -> None:
        self.config = RunnerConfig.from_runtime_config(get_config()) if config is None else config
        self._make_context = make_context
        self._sleep = sleep
        self._trace = trace
        self._executions: dict[str, Execution] = {}

    async def execute(
        self,
        agent: Any,
        run_id: UUID | str | None = None,
        input_data: Mapping[str, Any] | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        on_event: Callable[[str, dict[str, Any]], object] | None = None,
    ) -> RunOutcome:
        """What became of a run: look at its `status`. An agent that fails raises nothing here.

        Each attempt begins with `run.started`. The last event is one of `run.succeeded`, `run.failed`,
        `run.cancelled` and `run.timed_out`; a run that timed out is not tried again.

        Args:
            agent: An `AgentRuntime`, an object of its shape, or the key of one that is registered.
            run_id: Names the run; a new UUID when None.
            input_data: `{"messages": [...], "params": {...}, "conversation_id": ...}`; every key may be missing.
            metadata: Notes of the host, as `ctx.metadata`.
            on_event: Called with type and payload of each event.

        Raises:
            KeyError: No agent is registered under this key. Nothing ran.
            TypeError: `agent` is no agent, or `input_data` is not as above. Nothing ran.
            ValueError: A run with this id is on. That run goes on.
            asyncio.CancelledError: The caller was cancelled; so was the run.
        """
        runtime = get_runtime(agent) if isinstance(agent, str) else agent
        if not callable(getattr(runtime, "run", None)) or not hasattr(runtime, "key") or isinstance(runtime, type):
            raise TypeError(f"cannot run {agent!r}: an agent is an object with a `key` and a method `run`")
        given = RunInput.read(input_data)
        watches: list[Watch] = []

        def tell(event_type: str, payload: dict[str, Any]) -> None:
            for watch in watches:
                watch.tell("log_event", event_type, payload)
            if on_event is not None:
                on_event(event_type, payload)

        sinks = [sink for sink in (run_ids_sink(), self._trace) if sink is not None]
        ctx = self._make_context(
            run_id=uuid4() if run_id is None else run_id,
            conversation_id=given.conversation_id,
            input_messages=given.messages,
            params=given.params,
            metadata=metadata,
            on_event=tell if sinks else on_event,
        )
        name = str(ctx.run_id)
        if name in self._executions:
            raise ValueError(f"the run {name} is on already: wait for it, cancel it, or give another run_id")
        self._executions[name] = execution = Execution(runtime, ctx, self.config, self._sleep)
        ended = RunStatus.CANCELLED.value
        watches.extend(Watch(sink, ctx.run_id) for sink in sinks)
        conversation_id = None if given.conversation_id is None else str(given.conversation_id)
        for watch in watches:
            watch.tell("start_run", {"agent": str(runtime.key), "conversation_id": conversation_id})
        try:
            with ExitStack() as scopes:
                for watch in watches:
                    scopes.enter_context(watch.scope())
                outcome = await execution.outcome()
            ended = outcome.status.value
            return outcome
        finally:
            del self._executions[name]
            for watch in watches:
                watch.tell("end_run", ended)

    def cancel(self, run_id: UUID | str) -> bool:
        """Interrupt a run that is on, and say whether there was one.

        The agent gets `asyncio.CancelledError` where it waits, then its `cancel(ctx)` is called; `execute` returns
        with the status `cancelled`. Call it in the event loop's thread.
        """
        execution = self._executions.get(str(run_id))
        if execution is None:
            return False
        execution.cancel()
        return True

    def running(self) -> list[str]:
        """The ids of the runs that are on, as texts."""
        return list(self._executions)
