"""The context that an agent gets: its run in Django's database, on the engine that executes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Unpack
from uuid import UUID

from django.db.models import Max, Q

from agent_runtime_core.contexts.local import LocalRunContext, RunOptions
from agent_runtime_core.events import RunEvent
from agent_runtime_core.interfaces import EventType
from agent_runtime_core.interfaces.run_engine import DurableContext
from django_agent_runtime.conf import runtime_settings
from django_agent_runtime.models import AgentCheckpoint, AgentRun, RunStatus
from django_agent_runtime.models.documents import to_document
from django_agent_runtime.models.names import key_of, long_name
from django_agent_runtime.runtime.event_log import EventLog
from django_agent_runtime.runtime.plain_json import plain_json
from django_agent_runtime.runtime.rows import locked_run
from django_agent_runtime.stores.commits import Commit
from django_agent_runtime.stores.database import Database
from django_agent_runtime.stores.head import ALL

__all__ = ["RunContextImpl"]

_SECONDS_BETWEEN_QUESTIONS = 1.0

Observer = Callable[[RunEvent], Awaitable[None]]


class RunContextImpl(LocalRunContext):
    """One run, as its agent sees it.

    Args:
        run_id: The run.
        agent_key: Whose states it keeps.
        log: Where its events go.
        database: Where its states go.
        keeps_states: Whether `checkpoint` keeps them; not where the agent has its conversations in a store.
        durable: The run, as its engine gives it.
        observer: Told of what happens inside of a journey.
        approval: The person's answer that the run carries out.
        **options: What else the run gets, as in `RunOptions`.
    """

    def __init__(
        self,
        run_id: UUID,
        *,
        agent_key: str,
        log: EventLog,
        database: Database,
        keeps_states: bool = True,
        durable: DurableContext | None = None,
        observer: Observer | None = None,
        approval: Mapping[str, Any] | None = None,
        **options: Unpack[RunOptions],
    ) -> None:
        super().__init__(run_id, **options)
        self.agent_key = agent_key
        self.durable = durable
        """The run as its engine sees it, with its journal; None without one."""
        self.state: dict[str, Any] = {}
        """For the agent's own use; it ends with the attempt."""
        self._log = log
        self._database = database
        self._keeps_states = keeps_states
        self._observer = observer
        self._approval = approval
        self._checkpoints = 0
        self._asked_at = float("-inf")

    @property
    def approval(self) -> Mapping[str, Any] | None:
        """The person's answer that the run carries out, `approval_id`, `granted` and `by`; None in other runs."""
        return self._approval

    async def checkpoint(self, state: dict[str, Any]) -> None:
        """Keep a state for the run, and for the conversation if the run succeeds; the last one counts.

        An `AgentCheckpoint`, told as `state.checkpoint` with its number. Where the agent keeps its conversations in a
        store, the state stands there already, and the number counts the run's checkpoints.

        Raises:
            TypeError: It is no dict of JSON data; the state before is kept.
            StoreUnavailable: The database cannot be used.
        """
        if not isinstance(state, dict):
            raise TypeError(f"a state is a dict of JSON data, not {type(state).__name__}")
        body = to_document(plain_json(state, "the state"), "state")
        seq = self._checkpoints
        self._checkpoints += 1
        if self._keeps_states:
            seq = await self._log.write(lambda alias: self._kept(alias, body))
        await self.emit(EventType.STATE_CHECKPOINT, {"seq": seq})

    def _kept(self, alias: str, body: str) -> int:
        run_id = self.run_id
        if self.conversation_id is not None:
            commit = Commit(
                owner="",
                conversation_id=str(self.conversation_id),
                agent_key=self.agent_key,
                expected_version=None,
                state=body,
                state_version=0,
                messages=[],
                lease=None,
                finish=None,
                keep=runtime_settings().KEEP_VERSIONS or ALL,
                run_id=run_id,
            )
            return commit.write(alias)
        locked_run(alias, run_id)
        last = AgentCheckpoint.objects.using(alias).filter(run=run_id).aggregate(last=Max("seq"))["last"]
        seq = 0 if last is None else int(last) + 1
        key = self.agent_key
        row = AgentCheckpoint(run_id=run_id, agent_key=key_of(key), long_agent=long_name(key), seq=seq, body=body)
        row.save(using=alias, force_insert=True)
        return seq

    async def get_state(self) -> dict[str, Any] | None:
        """The run's last state, by whichever attempt; else that of the conversation's last run that succeeded; or None.

        Raises:
            StoreUnavailable: The database cannot be used, or the state is damaged.
        """
        return await self._database.run(self._last_state)

    def _last_state(self, alias: str) -> dict[str, Any] | None:
        states = AgentCheckpoint.objects.using(alias).order_by("-seq")
        found = states.filter(run=self.run_id).first()
        if found is None and self.conversation_id is not None:
            ended_well = Q(run=None) | Q(run__status=RunStatus.SUCCEEDED, run__superseded_by=None)
            mine = states.filter(ended_well, conversation=self.conversation_id, agent_key=key_of(self.agent_key))
            found = mine.first()
        return None if found is None else found.state

    def cancelled(self) -> bool:
        """Whether somebody has asked the run to stop; known within a second, without a query."""
        return self._cancelled or (self.durable is not None and self.durable.cancelled())

    @property
    def _is_cancelled(self) -> bool:
        return self.cancelled()

    async def check_cancelled(self) -> bool:
        """As `cancelled`, by the database: a query, but at most one in a second."""
        now = time.monotonic()
        if not self.cancelled() and now - self._asked_at >= _SECONDS_BETWEEN_QUESTIONS:
            self._asked_at = now
            asked = AgentRun.objects.filter(pk=self.run_id).exclude(cancel_requested_at=None)
            if await self._database.run(lambda alias: asked.using(alias).exists()):
                self.cancel()
        return self.cancelled()

    async def observe(self, event: RunEvent) -> None:
        """Take note of what happens inside of a journey and is none of the run's events."""
        if self._observer is not None:
            await self._observer(event)

    async def flush(self) -> None:
        """Make sure that what was told outlives the process.

        Raises:
            StoreUnavailable: The database cannot be used.
        """
        await self._log.flush()

    async def _keep_event(self, event: dict[str, Any]) -> None:
        payload = event["payload"]
        attempt = 1 if self.durable is None else self.durable.attempt
        if event["event_type"] == EventType.ASSISTANT_DELTA and attempt > 1:
            payload = {**payload, "attempt": attempt}  # pieces of an earlier attempt are void
        self._log.add(event["event_type"], payload)
        await asyncio.sleep(0)  # an agent that tells much lets others have their turn
