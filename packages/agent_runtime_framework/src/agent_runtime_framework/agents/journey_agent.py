"""`JourneyAgent`: a conversation with steps, on the engine, committed turn by turn."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any, Generic, Self, TypeVar

from agent_runtime_core.errors import ConfigError, StateDecodeError
from agent_runtime_core.events import (
    RunEvent,
)
from agent_runtime_core.interfaces import CheckpointStore
from agent_runtime_core.interfaces.tracing import TraceSink
from agent_runtime_core.stores import InMemoryCheckpointStore, open_store
from agent_runtime_framework.agents.config import JourneyConfig
from agent_runtime_framework.agents.context import AgentContext
from agent_runtime_framework.agents.conversation import ConversationLog, check_round_trip, state_data
from agent_runtime_framework.agents.default_client import DefaultClient
from agent_runtime_framework.agents.graph import JourneyGraph
from agent_runtime_framework.agents.journey import Journey
from agent_runtime_framework.agents.journey_run import JourneyRun
from agent_runtime_framework.agents.kept_conversations import KeptConversations
from agent_runtime_framework.agents.state_check import StateCheck, check_states
from agent_runtime_framework.agents.stored_state import journey_of, read_stored_state
from agent_runtime_framework.agents.turn import Incoming
from agent_runtime_framework.agents.verdict import Verdict
from agent_runtime_framework.config import get_config
from agent_runtime_framework.executor.engine import Engine
from agent_runtime_framework.executor.hooks import ExecutorHooks, observed
from agent_runtime_framework.executor.llm_call import LLMClient, checked_client
from agent_runtime_framework.executor.tracing import Tracing, traced
from agent_runtime_framework.state import BaseJourneyState

__all__ = ["JourneyAgent"]

StateT = TypeVar("StateT", bound=BaseJourneyState[Any])
ToolsT = TypeVar("ToolsT")
StepT = TypeVar("StepT")

_LOGGER = logging.getLogger("agent_runtime_framework.agents.journey_agent")

MAX_CONVERSATIONS_IN_MEMORY = 10_000
"""How many conversations an agent without a store keeps; beyond that the longest untouched ones are dropped."""


class JourneyAgent(Journey[StateT, ToolsT, StepT], KeptConversations[StateT], Generic[StateT, ToolsT, StepT]):
    """A conversation that has to arrive: each step has its own prompt and tools, tools move the state on.

    With `send` and `stream` the agent keeps the conversation: one call loads it, runs, and commits state and messages
    together after every turn. With `run` and `run_stream` the caller keeps the messages and the agent the state.

    Args:
        llm_client: The model; `agent_runtime_core.llm.get_llm_client()` at the first run when None.
        config: Settings; the defaults when None.
        store: Where conversations are kept: a URL such as `sqlite:///journeys.db`, or a store. When None they are
            kept in this object's memory, at most `MAX_CONVERSATIONS_IN_MEMORY` of them.
        hooks: Listeners.
        trace: Where runs are traced, see docs/observability.md; that of `AGENT_RUNTIME_TRACING_BACKEND` when None.

    Raises:
        ConfigError: The store's URL is wrong, or the client is none.
    """

    def __init__(
        self,
        llm_client: LLMClient | None = None,
        config: JourneyConfig | None = None,
        *,
        store: CheckpointStore | str | None = None,
        hooks: ExecutorHooks | None = None,
        trace: TraceSink | None = None,
    ) -> None:
        get_config()  # the log level of the environment holds from the first agent on
        self.llm_client = checked_client(llm_client)
        """The model, or None for the configured one."""
        self.config = config if config is not None else JourneyConfig()
        """Settings."""
        self.hooks = hooks
        """Listeners, or None."""
        self.store: CheckpointStore = (
            InMemoryCheckpointStore(MAX_CONVERSATIONS_IN_MEMORY) if store is None else open_store(store)
        )
        """Where conversations are kept."""
        self._keeps_by_default = store is None
        self._owns_store = store is None or isinstance(store, str)
        self._default_client = DefaultClient()
        self._state_was_checked = False
        self._pinned_built: dict[type, JourneyAgent[Any, Any, Any]] = {}
        self._tracing = Tracing(trace)

    @property
    def keeps_in_its_memory(self) -> bool:
        """Whether conversations are kept in this object's memory, because no store was given."""
        return self._keeps_by_default

    def use_store(self, store: CheckpointStore) -> None:
        """Keep conversations in this store from now on, which stays its giver's to close.

        Raises:
            ConfigError: The agent was given another store.
        """
        if store is self.store:
            return
        if not self._keeps_by_default:
            raise ConfigError(
                f"{self.key!r} has a store of its own; leave one of the two out: its own, or that of the runtime."
            )
        self.store, self._keeps_by_default, self._owns_store = store, False, False

    @property
    def _reads_with_from_dict(self) -> bool:
        """Whether stored states are read by their class."""
        return type(self).load_state is JourneyAgent.load_state

    @property
    def _saves_with_turns(self) -> bool:
        """Whether a turn's commit holds all there is to save."""
        return type(self).save_state is JourneyAgent.save_state

    def _check_state_class(self) -> None:
        """Make sure, once, that a stored state will be read again: before anything is stored.

        Raises:
            StateEncodeError: `from_dict()` does not read what `to_dict()` gives.
        """
        if not self._state_was_checked and self._reads_with_from_dict:
            state = self.get_initial_state()
            check_round_trip(state, state_data(state))
            self._state_was_checked = True

    def _model(self, ctx: AgentContext) -> LLMClient:
        """The model that a run talks to.

        Raises:
            ConfigError: None was given and none is configured.
        """
        return self.llm_client if self.llm_client is not None else self._default_client.get()

    @classmethod
    def graph(cls) -> JourneyGraph:
        """The steps, tools and moves of the journey; see `JourneyGraph.of`.

        Raises:
            ConfigError: The journey has no start, or the class is not finished.
        """
        return JourneyGraph.of(cls)

    # Its state: it may be kept elsewhere.

    async def load_state(self, ctx: AgentContext) -> StateT | None:
        """The stored state of the conversation, or None. Override it, and `save_state`, to keep states elsewhere.

        Raises:
            StateDecodeError: What is stored does not fit, see `JourneyConfig.on_old_state`. Nothing was written.
        """
        if ctx.conversation_id is None:
            return None
        checkpoint = await self._conversation_log().open(ctx, max_messages=0)
        if checkpoint.state is None:
            return None
        found = read_stored_state(self, checkpoint)
        if found.outcome != "fails":
            state: StateT = found.state
            return state
        if self.config.on_old_state == "restart" and not found.is_newer:
            _LOGGER.warning(
                "The state of conversation %r (agent %r, of its version %d, step %r) does not fit any more: %s. The "
                "journey begins anew; the messages are kept.",
                str(ctx.conversation_id),
                self.key,
                found.version,
                found.step,
                found.reason,
            )
            ctx.checkpoint = replace(checkpoint, state=None)  # given up: no older journey goes on with it, either
            return None
        raise StateDecodeError(
            f"the stored state of conversation {str(ctx.conversation_id)!r} (agent {self.key!r}, "
            f"step {found.step!r}) does not fit: {found.details}"
        ) from found.error

    async def save_state(self, ctx: AgentContext, state: StateT) -> None:
        """Store the state; called once at the end of a run that did not fail.

        Raises:
            StoreConflict: Another run of this conversation has committed since `load_state`.
            StateEncodeError: The state is not JSON data.
        """
        if ctx.conversation_id is not None:
            version = journey_of(self, ctx.checkpoint).version
            log = self._conversation_log()
            await log.commit_state(ctx, state, state_version=version, lenient=self._keeps_by_default)

    async def aclose(self) -> None:
        """Free what the agent opened itself: its store, when that was not handed in, and the configured client."""
        try:
            await self._default_client.aclose()
        finally:
            if self._owns_store:
                await self.store.close()

    async def __aenter__(self) -> Self:
        """The agent, closed at the end of the block."""
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    def _run_of(
        self, ctx: AgentContext, incoming: Incoming | None = None, verdict: Verdict | None = None
    ) -> JourneyRun:
        """What the engine asks in one run."""
        return JourneyRun(self, ctx, incoming, verdict)

    def _events(self, run: JourneyRun, *, streaming: bool, listened: bool = False) -> AsyncGenerator[RunEvent, None]:
        """All that happens in a run."""
        config = self.config
        sinks = self._tracing.sinks()
        listened = run.listened = listened or streaming or self.hooks is not None or bool(sinks)
        engine = Engine(run, config.max_tool_iterations, config.limits)
        engine.terminal_tools = run.terminal_tools
        engine.listened = listened
        engine.streaming = streaming
        engine.closing_call = True
        engine.closing_text = config.closing_text
        engine.pricing = config.pricing
        if not listened:
            return engine.run()
        events = observed(engine.run(), self.hooks)
        return traced(events, sinks, run.run_id, self.key, run.conversation_id) if sinks else events

    def check_states(
        self, store: CheckpointStore | None = None, *, owner: str | None = None
    ) -> AsyncGenerator[StateCheck, None]:
        """What would become of each of the agent's stored states under its present code. Nothing is written.

        Args:
            store: Where they are; the agent's own store when None.
            owner: Only conversations of this owner; None for all.
        """
        return check_states(self, self.store if store is None else store, owner=owner)

    def _conversation_log(self) -> ConversationLog:
        """How a run reads and writes its conversation.

        Raises:
            ConfigError: The agent's key is empty.
        """
        if not self.key:
            raise ConfigError(f"{type(self).__name__}.key is empty; give the agent a name, such as 'onboarding'.")
        return ConversationLog(self.store, self.key)
