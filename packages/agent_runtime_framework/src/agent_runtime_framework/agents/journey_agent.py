"""`JourneyAgent`: a conversation with steps, on the engine, committed turn by turn."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Self, TypeVar
from uuid import UUID, uuid4

from agent_runtime_core.errors import ConfigError, StateDecodeError
from agent_runtime_core.events import (
    RunEvent,
)
from agent_runtime_core.interfaces import CheckpointStore, OnBusy
from agent_runtime_core.interfaces.tracing import TraceSink
from agent_runtime_core.messages import AgentMessage, whole_text
from agent_runtime_core.stores import InMemoryCheckpointStore, open_store
from agent_runtime_core.tools import DescribesTool
from agent_runtime_framework.agents.agent import BaseAgent
from agent_runtime_framework.agents.closing import is_closing
from agent_runtime_framework.agents.config import JourneyConfig, checked_on_busy
from agent_runtime_framework.agents.context import AgentContext, AgentResult
from agent_runtime_framework.agents.conversation import ConversationLog, check_round_trip, state_data
from agent_runtime_framework.agents.cost import conversation_cost
from agent_runtime_framework.agents.default_client import DefaultClient
from agent_runtime_framework.agents.journey_run import JourneyRun, result_of
from agent_runtime_framework.agents.kept_context import KeptContext
from agent_runtime_framework.agents.migration import Migration, migrations_of
from agent_runtime_framework.agents.stored_state import check_pinned, journey_of, read_stored_state
from agent_runtime_framework.agents.turn import Incoming
from agent_runtime_framework.config import get_config
from agent_runtime_framework.executor.engine import Engine
from agent_runtime_framework.executor.hooks import ExecutorHooks, observed
from agent_runtime_framework.executor.llm_call import LLMClient, checked_client
from agent_runtime_framework.executor.tracing import Tracing, traced
from agent_runtime_framework.memory.message import with_roles
from agent_runtime_framework.state import BaseJourneyState

__all__ = ["JourneyAgent"]

StateT = TypeVar("StateT", bound=BaseJourneyState[Any])
ToolsT = TypeVar("ToolsT")
StepT = TypeVar("StepT")

_LOGGER = logging.getLogger("agent_runtime_framework.agents.journey_agent")

MAX_CONVERSATIONS_IN_MEMORY = 10_000
"""How many conversations an agent without a store keeps; beyond that the longest untouched ones are dropped."""


class JourneyAgent(BaseAgent, Generic[StateT, ToolsT, StepT]):
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

    version: ClassVar[int] = 1
    """Raise it when the states of an earlier version need a `@migrate`, or when conversations under way are to stay
    with the earlier journey (`pinned`). Stored with each state; one from before versions were told counts as 1."""
    pinned: Mapping[int, JourneyAgent[Any, Any, Any] | type[JourneyAgent[Any, Any, Any]]] = MappingProxyType({})
    """Older journeys by their version: a conversation whose state is of that version stays with that journey's steps,
    prompts and tools. A class is built without arguments; model, config, hooks and store are this agent's."""
    _migrations: ClassVar[Mapping[int, Migration]] = MappingProxyType({})

    def __init_subclass__(cls, **options: Any) -> None:
        """Check the journey's version, its migrations and its older journeys.

        Raises:
            ConfigError: The migrations leave a gap, come twice, or lead elsewhere than to the version; or a pinned
                journey is not of the version that it stands for.
        """
        super().__init_subclass__(**options)
        cls._migrations = migrations_of(cls, cls.version)
        check_pinned(cls.__name__, cls.version, cls.pinned)

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

    def _model(self) -> LLMClient:
        """The model that a run talks to.

        Raises:
            ConfigError: None was given and none is configured.
        """
        return self.llm_client if self.llm_client is not None else self._default_client.get()

    # What a journey says about itself.

    @abstractmethod
    def get_initial_state(self) -> StateT:
        """The state at the beginning of a journey."""

    @abstractmethod
    def get_system_prompt(self, state: StateT) -> str:
        """The prompt for the step that the state stands at."""

    @abstractmethod
    def get_tool_schemas(self, state: StateT) -> Sequence[DescribesTool]:
        """The tools offered at the step that the state stands at; no other runs."""

    @abstractmethod
    def create_tools(self, state: StateT, ctx: AgentContext) -> ToolsT:
        """The tools object, working on this very state; asked for at every turn."""

    @abstractmethod
    async def execute_tool(self, tools: ToolsT, name: str, arguments: dict[str, Any], /) -> Any:
        """Run an offered tool with checked arguments and return its result, usually a text."""

    # What a journey may say otherwise.

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

    def is_terminal_state(self, state: StateT) -> bool:
        """Whether the journey has arrived."""
        return state.is_terminal()

    def is_closing_message(self, message: str) -> bool:
        """Whether a user's message only says goodbye, by the configured phrases."""
        return is_closing(message, self.config.closing_phrases)

    def next_step(self, state: StateT) -> StepT | None:
        """Where a talking step leads, one that offers no tools and is not terminal, once the agent has spoken in it.

        By default the following member of the step enum; None stays.
        """
        step: Any = getattr(state, "step", None)
        if not isinstance(step, Enum):
            return None
        steps: list[Any] = list(type(step))
        place = steps.index(step) + 1
        return steps[place] if place < len(steps) else None

    # Conversations: the agent keeps the messages.

    async def send(
        self,
        conversation_id: UUID | str,
        text: str,
        *,
        message_id: UUID | str | None = None,
        on_busy: OnBusy | None = None,
        owner: str = "",
    ) -> AgentResult:
        """Give the user's message to the conversation, run, and return what came of it.

        The message is stored before the model is asked; after every turn, state and new messages are committed in one
        transaction. If the run fails, the conversation stands where its last commit left it and can be sent to again:
        the model then sees this message, too. One run at a time: see `on_busy`.

        Args:
            conversation_id: The conversation.
            text: The message.
            message_id: Names the message within the conversation, so that it can be sent again when the answer did
                not arrive: an answered message gets the stored answer (`metadata["replayed"]` is then True) and
                nothing runs; one whose run broke off is taken up where that run was. It is never stored twice.
            on_busy: What becomes of the message while a run of the conversation is on; see `JourneyConfig.on_busy`,
                which holds when None. A waiting call that is cancelled takes its message back.
            owner: Whose conversation it is; under another owner the same id is another conversation.

        Raises:
            LLMError: The model could not be asked.
            ConversationBusy: A run is on, and the message was not to wait. Nothing was stored.
            StoreConflict: Somebody else has written to the conversation during the run; `LeaseLost`: another run
                has taken it over.
            StateDecodeError: The stored state cannot be read.
            StoreError: The store failed.
        """
        run = self._conversation(conversation_id, text, message_id, on_busy, owner)
        return await result_of(self._events(run, streaming=False))

    def stream(
        self,
        conversation_id: UUID | str,
        text: str,
        *,
        message_id: UUID | str | None = None,
        on_busy: OnBusy | None = None,
        owner: str = "",
    ) -> AsyncGenerator[RunEvent, None]:
        """The same as `send`, as events while they happen; text comes as it is written where the client streams.

        Close the generator to end the run early: the last commit stays.
        """
        return self._events(self._conversation(conversation_id, text, message_id, on_busy, owner), streaming=True)

    async def get_state(self, conversation_id: UUID | str, *, owner: str = "") -> StateT | None:
        """The state of a conversation, or None when there is none yet.

        Raises:
            StateDecodeError: The stored state cannot be read.
        """
        return await self.load_state(AgentContext(uuid4(), conversation_id, [], owner=owner))

    async def get_history(self, conversation_id: UUID | str, *, owner: str = "") -> list[AgentMessage]:
        """All stored messages of a conversation, oldest first; what is no message is left out, and logged."""
        stored = await self.store.history(str(conversation_id), owner=owner)
        return [AgentMessage.from_dict(message) for message in with_roles(stored, str(conversation_id))]

    async def get_cost(self, conversation_id: UUID | str, *, owner: str = "") -> Decimal | None:
        """What the stored replies of a conversation have cost in US dollars.

        Counted are those that came while costs were counted (`JourneyConfig.pricing` or `RunLimits.max_cost`). None
        when the price of one of them is not known. It reads the whole history.
        """
        return conversation_cost(await self.store.history(str(conversation_id), owner=owner))

    # Runs: the caller keeps the messages.

    async def run(self, ctx: AgentContext) -> AgentResult:
        """Answer the messages in `ctx`; the state is loaded before and saved after, under `ctx.conversation_id`."""
        return await result_of(self._events(JourneyRun(self, ctx), streaming=False))

    def run_stream(self, ctx: AgentContext) -> AsyncGenerator[RunEvent, None]:
        """The same as `run`, as events while they happen."""
        return self._events(JourneyRun(self, ctx), streaming=True)

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

    def _conversation(
        self,
        conversation_id: UUID | str,
        text: str,
        message_id: UUID | str | None,
        on_busy: OnBusy | None,
        owner: str,
    ) -> JourneyRun:
        if not isinstance(text, str):
            raise TypeError(f"a message is a text, not {type(text).__name__}")
        if conversation_id is None or not str(conversation_id):
            raise ValueError("the conversation id is empty; give the conversation a name, such as str(uuid4())")
        if message_id is not None and not str(message_id):
            raise ValueError("message_id is empty; give the message a name, such as str(uuid4()), or leave it out")
        if not isinstance(owner, str):
            raise TypeError(f"owner is a text, not {type(owner).__name__}; '' where there are no owners")
        run_id = uuid4()
        incoming = Incoming(
            message={"role": "user", "content": whole_text(text)},
            message_id=str(run_id if message_id is None else message_id),
            remember=message_id is not None,
            on_busy=self.config.on_busy if on_busy is None else checked_on_busy(on_busy),
        )
        return JourneyRun(self, KeptContext(run_id, conversation_id, [], owner=owner), incoming)

    def _events(self, run: JourneyRun, *, streaming: bool) -> AsyncGenerator[RunEvent, None]:
        """All that happens in a run."""
        config = self.config
        sinks = self._tracing.sinks()
        listened = run.listened = streaming or self.hooks is not None or bool(sinks)
        engine = Engine(
            delegate=run,
            max_iterations=config.max_tool_iterations,
            limits=config.limits,
            terminal_tools=config.terminal_tools,
            listened=listened,
            streaming=streaming,
            closing_call=True,
            closing_text=config.closing_text,
            pricing=config.pricing,
        )
        if not listened:
            return engine.run()
        events = observed(engine.run(), self.hooks)
        return traced(events, sinks, run.run_id, self.key, run.conversation_id) if sinks else events

    def _conversation_log(self) -> ConversationLog:
        """How a run reads and writes its conversation.

        Raises:
            ConfigError: The agent's key is empty.
        """
        if not self.key:
            raise ConfigError(f"{type(self).__name__}.key is empty; give the agent a name, such as 'onboarding'.")
        return ConversationLog(self.store, self.key)
