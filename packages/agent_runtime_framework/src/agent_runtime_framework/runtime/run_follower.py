"""Runs on an engine, as somebody follows them who may be in another process."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any
from uuid import UUID

from agent_runtime_core.errors import RunNotFound
from agent_runtime_core.interfaces.run_engine import RunEngine
from agent_runtime_core.interfaces.runs import RunInfo, RunStatus
from agent_runtime_framework.agents.context import AgentResult, checked_owner
from agent_runtime_framework.agents.durable_journal import is_for_readers
from agent_runtime_framework.agents.run_result import agent_result
from agent_runtime_framework.runtime.results import RunNotSucceeded, finished_run, last_event
from agent_runtime_framework.runtime.tasks import order_key

__all__ = ["RunFollower"]


class RunFollower:
    """What there is to see of runs, and to ask of them."""

    engine: RunEngine
    """What executes runs."""

    async def events(
        self, run_id: str, *, after: int = 0, owner: UUID | str | None = None
    ) -> AsyncGenerator[tuple[int, dict[str, Any]], None]:
        """The events of a run with their offsets, from this or another process, as they come.

        They are those of `agent.stream`, as JSON data (`RunEvent.to_dict`), each told once. Text comes in
        `text_delta`s with the `attempt` they belong to: those of an earlier attempt are void, and `llm_call_finished`
        has the whole. The last event is `run_finished`, `run_failed` or `run_cancelled` (it never began).

        Args:
            run_id: The run.
            after: The offset of the last event that the reader has; 0 for all.
            owner: Whose run it must be; None for anybody's.

        Raises:
            RunNotFound: There is no run of this id, or it is not the owner's.
        """
        if owner is not None:
            await self._owned(run_id, owner)
        offset = 0
        # From one event before: whether the reader has the last one as well, which is none of the engine's, shows then.
        async with aclosing(self.engine.events(run_id, after=max(after - 1, 0))) as events:
            async for offset, event in events:
                if offset > after and is_for_readers(event):
                    yield offset, event
        if after <= offset:
            info = await self.engine.status(run_id)
            if info is None:
                raise RunNotFound(run_id)
            yield offset + 1, last_event(info)

    async def result(self, run_id: str, *, timeout_s: float | None = None) -> AgentResult:
        """Wait for the end of a journey's run and return what came of it.

        Raises:
            RunNotFound: There is no run of this id.
            RunNotSucceeded: It has ended without an answer.
            TimeoutError: It is not over by then; the run goes on.
        """
        info = await self.engine.wait(run_id, timeout_s=timeout_s)
        if info.result is None:
            raise RunNotSucceeded(info)
        return agent_result(finished_run(info.result))

    async def status(self, run_id: str, *, owner: UUID | str | None = None) -> RunInfo | None:
        """How a run stands; None when there is none of this id, or it is not the owner's."""
        info = await self.engine.status(run_id)
        if info is None or (owner is not None and info.request.input.get("owner") != checked_owner(owner)):
            return None
        return info

    async def cancel(self, run_id: str, *, owner: UUID | str | None = None) -> bool:
        """Ask a run to stop, and say whether it was still under way.

        One that waits never begins. One that is on ends within a second: the question to the model is taken back, a
        tool that is on ends first, and what was committed stays.
        """
        if owner is not None and await self.status(run_id, owner=owner) is None:
            return False
        return await self.engine.cancel(run_id)

    async def runs(
        self,
        conversation_id: UUID | str | None = None,
        *,
        owner: UUID | str = "",
        status: RunStatus | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[RunInfo]:
        """The runs of a conversation, or all, those submitted last first."""
        key = None if conversation_id is None else order_key(checked_owner(owner), str(conversation_id))
        return await self.engine.runs(status=status, order_key=key, limit=limit, offset=offset)

    async def _owned(self, run_id: str, owner: UUID | str) -> None:
        if await self.status(run_id, owner=owner) is None:
            raise RunNotFound(run_id)
