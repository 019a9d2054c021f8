"""`Runtime`: agents, a store and an engine as one thing to submit messages to, follow, and work for."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Any, Self
from uuid import UUID, uuid4

from agent_runtime_core.engines import (
    EngineMetrics,
    InProcessRunEngine,
    described_failure,
    engine_metrics,
    open_engine,
)
from agent_runtime_core.errors import ConfigError, RunNotFound
from agent_runtime_core.interfaces import CheckpointStore
from agent_runtime_core.interfaces.run_engine import RunEngine
from agent_runtime_core.interfaces.runs import RunInfo, RunRequest, RunStatus
from agent_runtime_core.messages import whole_text
from agent_runtime_core.stores import InMemoryCheckpointStore, open_store
from agent_runtime_framework.agents.context import AgentResult, checked_owner
from agent_runtime_framework.agents.durable_journal import is_for_readers
from agent_runtime_framework.agents.kept_conversations import KeptConversations
from agent_runtime_framework.agents.run_result import agent_result
from agent_runtime_framework.agents.verdict import Verdict
from agent_runtime_framework.runtime.agents import agents_by_key
from agent_runtime_framework.runtime.reminder import Reminder
from agent_runtime_framework.runtime.reminding import step_named
from agent_runtime_framework.runtime.results import RunNotSucceeded, finished_run, last_event
from agent_runtime_framework.runtime.tasks import Task, order_key, run_id_of
from agent_runtime_framework.runtime.work import AgentWork

__all__ = ["Runtime"]


class Runtime:
    """Agents on an engine: messages are submitted here, and answered by whichever process works for it.

    Agents, tools and prompts are the same as without one. Every call of the model and of a tool is in a journal, so
    that a run whose process dies is finished by another process, and nothing that was finished is repeated.

    A process that only submits, follows and cancels makes a `Runtime` and never calls `start`. A worker calls it. With
    the engine of this process (`memory://`) the first message starts it.

    Args:
        agents: A journey or router, or several; other agents with a `key` and `run(ctx)` can be among them.
        store: Where conversations are: a URL or a store, which becomes that of the journeys; None leaves them theirs.
        engine: What executes runs: a URL (see `agent_runtime_core.engines.open_engine`) or an engine.
        max_attempts: How often a run is tried when it fails in a way that may pass, such as a model out of reach.
        run_timeout_s: Seconds that one attempt may take; None for no limit.
        concurrency: Runs at once in a worker.

    Raises:
        ConfigError: There is no agent, two have one key, or a URL is wrong; or runs would outlive the process, and a
            journey's conversations would not.
    """

    def __init__(
        self,
        agents: Any,
        store: CheckpointStore | str | None = None,
        engine: RunEngine | str = "memory://",
        *,
        max_attempts: int = 3,
        run_timeout_s: float | None = None,
        concurrency: int = 32,
    ) -> None:
        self.engine = open_engine(engine)
        """What executes runs."""
        self._owns_engine = isinstance(engine, str)
        self._is_local = isinstance(self.engine, InProcessRunEngine)
        self._agents = agents_by_key(agents)
        self._store = None if store is None else open_store(store)
        self._owns_store = isinstance(store, str)
        self._max_attempts = max_attempts
        self._run_timeout_s = run_timeout_s
        self._concurrency = concurrency
        self._has_started = False
        self._metrics: EngineMetrics | None = None
        for agent in self._agents.values():
            if isinstance(agent, KeptConversations):
                if self._store is not None:
                    agent.use_store(self._store)
                if isinstance(agent.store, InMemoryCheckpointStore) and not self._is_local:
                    raise ConfigError(
                        f"the runs of {agent.key!r} would outlive the process, and its conversations would not: give a "
                        f"store, such as Runtime(agents, 'postgresql://...', engine)."
                    )

    @property
    def agents(self) -> dict[str, Any]:
        """The agents by their keys."""
        return dict(self._agents)

    # A worker.

    async def start(self, *, concurrency: int | None = None) -> None:
        """Take part in the work, until `stop`.

        Args:
            concurrency: Runs at once in this process; that of the constructor when None.

        Raises:
            RuntimeError: It was started before.
            ConfigError: The configured tracing back end does not exist or is not installed.
        """
        metrics = engine_metrics(self.engine)
        at_once = self._concurrency if concurrency is None else concurrency
        await self.engine.start(AgentWork(self._agents), describe=described_failure, concurrency=at_once)
        self._has_started, self._metrics = True, metrics
        if metrics is not None:
            metrics.start()

    async def stop(self, *, drain_s: float = 30.0) -> None:
        """Begin nothing more; let runs end for so many seconds, and hand over those that do not."""
        metrics, self._metrics = self._metrics, None
        if metrics is not None:
            await metrics.stop()
        await self.engine.stop(drain_s=drain_s)
        self._has_started = False

    async def close(self) -> None:
        """Close the engine and the store if they were given as URLs, and stop working."""
        if self._has_started:
            await self.stop(drain_s=0.0)
        try:
            if self._owns_engine:
                await self.engine.close()
        finally:
            if self._store is not None and self._owns_store:
                await self._store.close()

    async def __aenter__(self) -> Self:
        """The runtime, closed at the end of the block."""
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    # Messages.

    async def submit(
        self,
        conversation_id: UUID | str,
        text: str,
        *,
        agent: str | None = None,
        message_id: UUID | str | None = None,
        owner: UUID | str = "",
    ) -> RunInfo:
        """Hand a user's message over; when this returns, it outlives the process, and a worker will answer it.

        Messages of one conversation are answered one at a time, in the order in which they were submitted.

        Args:
            conversation_id: The conversation.
            text: The message.
            agent: The agent's key; may be left out where there is one agent.
            message_id: Names the message within the conversation: submitted again, it is the same run.
            owner: Whose conversation it is; under another owner the same id is another conversation.

        Raises:
            ConfigError: There is no such agent, or none was named among several.
            EngineUnavailable: The engine cannot be reached; submit the message again, with its `message_id`.
        """
        if not isinstance(text, str):
            raise TypeError(f"a message is a text, not {type(text).__name__}")
        conversation, whose = _checked_id(conversation_id), checked_owner(owner)
        name = str(uuid4() if message_id is None else message_id)
        if not name:
            raise ValueError("message_id is empty; give the message a name, such as str(uuid4()), or leave it out")
        key = self._journey(agent).key
        task = Task(conversation_id=conversation, owner=whose, text=whole_text(text), message_id=name)
        return await self._submit(key, task, run_id_of("message", key, whose, conversation, name))

    async def send(
        self,
        conversation_id: UUID | str,
        text: str,
        *,
        agent: str | None = None,
        message_id: UUID | str | None = None,
        owner: UUID | str = "",
    ) -> AgentResult:
        """`submit`, and wait for the answer. Whoever stops waiting does not stop the run.

        Raises:
            RunNotSucceeded: The run has ended without an answer.
        """
        info = await self.submit(conversation_id, text, agent=agent, message_id=message_id, owner=owner)
        return await self.result(info.run_id)

    async def approve(
        self,
        conversation_id: UUID | str,
        approval_id: str,
        granted: bool,
        *,
        by: str,
        agent: str | None = None,
        owner: UUID | str = "",
    ) -> RunInfo:
        """Hand over a person's answer to a tool call that waits for them; see `JourneyAgent.approve`.

        The first answer counts; given again, it is the same run.
        """
        conversation, whose = _checked_id(conversation_id), checked_owner(owner)
        key = self._journey(agent).key
        task = Task(conversation_id=conversation, owner=whose, verdict=Verdict(approval_id, bool(granted), by))
        return await self._submit(key, task, run_id_of("approval", key, whose, conversation, approval_id))

    async def run_agent(
        self,
        agent: str,
        input_data: dict[str, Any] | None = None,
        *,
        run_id: UUID | str | None = None,
        order_key: str | None = None,
    ) -> RunInfo:
        """Hand over a run of an agent that is no journey: one with `run(ctx)`, such as one made of a `StepExecutor`.

        Args:
            agent: Its key.
            input_data: `{"messages": [...], "params": {...}, "conversation_id": ..., "metadata": {...}}`; every key may
                be missing. JSON data.
            run_id: Names the run; a new one when None.
            order_key: Runs of one key go one at a time; the run's own when None.

        Raises:
            ConfigError: There is no such agent, or it is a journey: those get messages, by `submit`.
        """
        found = self._agent(agent)
        if isinstance(found, KeptConversations):
            raise ConfigError(f"{agent!r} keeps conversations; hand it messages: submit(conversation_id, text).")
        name = str(uuid4() if run_id is None else run_id)
        return await self.engine.submit(
            self._request(agent, order_key or f"run {name}", dict(input_data or {}), name),
        )

    # Time.

    async def schedule(
        self,
        conversation_id: UUID | str,
        at: datetime,
        *,
        says: str | None = None,
        prompt: str | None = None,
        to: Any = None,
        until_reply: bool = True,
        name: str = "",
        agent: str | None = None,
        owner: UUID | str = "",
    ) -> RunInfo:
        """Do something in a conversation later, unless its user writes before; no process needs to live until then.

        Args:
            conversation_id: The conversation. If it is gone by then, nothing happens.
            at: When; an aware datetime.
            says: Words for the user, stored as the agent's; no model is asked.
            prompt: What the model is told, to write to the user by itself; in place of `says` and `to`.
            to: The step that the journey moves to, such as one at which an offer has expired.
            until_reply: Whether a message of the user's that comes before takes it back.
            name: What it is called: scheduling under a name of the conversation again replaces what waits under it.
            agent: The agent's key; may be left out where there is one agent.
            owner: Whose conversation it is.

        Returns:
            How its run stands; `cancel(run_id)` takes it back.

        Raises:
            ValueError: There is nothing to do or too much, or `at` has no time zone.
            ConfigError: There is no such agent or step.
        """
        found = self._journey(agent)
        step = None if to is None else step_named(found, to).value
        reminder = Reminder(says=says, prompt=prompt, to=step, until_reply=until_reply)
        conversation, whose = _checked_id(conversation_id), checked_owner(owner)
        checkpoint = await found.store.load(conversation, found.key, max_messages=0, owner=whose)
        task = Task(
            conversation_id=conversation,
            owner=whose,
            reminder=reminder,
            since=checkpoint.message_count,
            name=name,
        )
        if name:
            await self._take_back(name, order_key(whose, conversation))
        return await self._submit(found.key, task, str(uuid4()), at=at)

    async def _take_back(self, name: str, key: str) -> None:
        waiting = await self.engine.runs(order_key=key, status=RunStatus.SCHEDULED, limit=1000)
        for info in waiting:
            if info.request.input.get("name") == name:
                await self.engine.cancel(info.run_id)

    # Runs.

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

    async def _submit(self, agent_key: str, task: Task, run_id: str, *, at: datetime | None = None) -> RunInfo:
        if self._is_local and not self._has_started:
            await self.start()  # nobody else could
        key = order_key(task.owner, task.conversation_id)
        return await self.engine.submit(self._request(agent_key, key, task.to_dict(), run_id), at=at)

    def _request(self, agent_key: str, key: str, data: dict[str, Any], run_id: str) -> RunRequest:
        return RunRequest(
            run_id=run_id,
            agent_key=agent_key,
            order_key=key,
            input=data,
            max_attempts=self._max_attempts,
            timeout_s=self._run_timeout_s,
        )

    def _agent(self, key: str | None) -> Any:
        if key is None and len(self._agents) == 1:
            return next(iter(self._agents.values()))
        found = None if key is None else self._agents.get(key)
        if found is None:
            known = ", ".join(repr(each) for each in sorted(self._agents))
            asked = "no agent is named" if key is None else f"there is no agent {key!r}"
            raise ConfigError(f"{asked}; this runtime has {known}: give agent=...")
        return found

    def _journey(self, key: str | None) -> KeptConversations[Any]:
        found = self._agent(key)
        if not isinstance(found, KeptConversations):
            raise ConfigError(f"{found.key!r} keeps no conversations; run it with run_agent({found.key!r}, {{...}}).")
        return found


def _checked_id(conversation_id: UUID | str) -> str:
    if conversation_id is None or not str(conversation_id):
        raise ValueError("the conversation id is empty; give the conversation a name, such as str(uuid4())")
    return str(conversation_id)
