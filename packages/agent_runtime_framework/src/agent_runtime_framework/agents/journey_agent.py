"""`JourneyAgent`: a conversation with steps, on the engine, committed turn by turn."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar

from agent_runtime_core.errors import ConfigError, StateDecodeError
from agent_runtime_core.events import (
    RunEvent,
)
from agent_runtime_core.interfaces import CheckpointStore
from agent_runtime_core.interfaces.tracing import TraceSink
from agent_runtime_core.stores import InMemoryCheckpointStore, open_store
from agent_runtime_core.tools import DescribesTool
from agent_runtime_framework.agents.closing import is_closing
from agent_runtime_framework.agents.config import JourneyConfig
from agent_runtime_framework.agents.context import AgentContext, AgentResult
from agent_runtime_framework.agents.contradictions import check_moves
from agent_runtime_framework.agents.conversation import ConversationLog, check_round_trip, state_data
from agent_runtime_framework.agents.declaration import Declaration, declaration_of
from agent_runtime_framework.agents.default_client import DefaultClient
from agent_runtime_framework.agents.defaults import (
    default_when_declared,
    is_default,
    offered_tools,
    step_prompt,
    take_defaults,
)
from agent_runtime_framework.agents.fixed_text import check_fixed_texts
from agent_runtime_framework.agents.graph import JourneyGraph
from agent_runtime_framework.agents.journey_run import JourneyRun, result_of
from agent_runtime_framework.agents.kept_conversations import KeptConversations
from agent_runtime_framework.agents.migration import Migration, migrations_of
from agent_runtime_framework.agents.step_hooks import StepHook, declared_hooks
from agent_runtime_framework.agents.stored_state import check_pinned, journey_of, read_stored_state
from agent_runtime_framework.agents.turn import Incoming
from agent_runtime_framework.agents.verdict import Verdict
from agent_runtime_framework.config import get_config
from agent_runtime_framework.executor.engine import Engine
from agent_runtime_framework.executor.hooks import ExecutorHooks, observed
from agent_runtime_framework.executor.llm_call import LLMClient, checked_client
from agent_runtime_framework.executor.tracing import Tracing, traced
from agent_runtime_framework.prompts import PromptManager, PromptTemplate, StepPromptMapping
from agent_runtime_framework.state import BaseJourneyState
from agent_runtime_framework.tools.dispatch import run_tool

__all__ = ["JourneyAgent"]

StateT = TypeVar("StateT", bound=BaseJourneyState[Any])
ToolsT = TypeVar("ToolsT")
StepT = TypeVar("StepT")

_LOGGER = logging.getLogger("agent_runtime_framework.agents.journey_agent")

MAX_CONVERSATIONS_IN_MEMORY = 10_000
"""How many conversations an agent without a store keeps; beyond that the longest untouched ones are dropped."""


class JourneyAgent(KeptConversations[StateT], Generic[StateT, ToolsT, StepT]):
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
        """Read what the class says, and check its tools, its version, its migrations and its older journeys.

        Raises:
            ConfigError: A tool names a step that the journey does not have; the migrations leave a gap, come twice,
                or lead elsewhere than to the version; or a pinned
                journey is not of the version that it stands for.
        """
        super().__init_subclass__(**options)
        cls.declared = declaration_of(cls, JourneyAgent)
        take_defaults(cls)
        if cls.tools not in {"step", "stable"}:
            raise ConfigError(f"{cls.__name__}.tools is {cls.tools!r}; give 'step' or 'stable'.")
        if cls.corrections not in {None, True, False}:
            raise ConfigError(f"{cls.__name__}.corrections is {cls.corrections!r}; give True, False or None.")
        cls.step_hooks = declared_hooks(cls, cls.declared.step_class)
        if cls.says is not None:
            check_fixed_texts(cls, cls.says, cls.declared.step_class)
        check_moves(cls)
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

    prompts: ClassVar[StepPromptMapping[Any] | PromptManager[Any] | Mapping[Any, str | PromptTemplate] | None] = None
    """The prompt of each step; templates are filled in with the fields of the state."""
    instructions: ClassVar[str | PromptTemplate | None] = None
    """Persona and rules, the same at every step. With them a request is: instructions, history, and last the step's
    prompt; without them it is the step's prompt, and the history."""
    tools: ClassVar[Literal["step", "stable"]] = "step"
    """What the model is told of the tools: `step`: those it may call now; `stable`: all of the journey, which keeps
    requests alike for a prompt cache, and lets code alone refuse what is not offered at the step."""
    says: ClassVar[Mapping[Any, str | PromptTemplate] | None] = None
    """Fixed text by step, said in place of asking the model: at a talking step, and at any step that a tool of the run
    has just led to. Templates are filled in with the fields of the state."""
    corrections: ClassVar[bool | None] = None
    """Whether the model gets tools of the framework's to correct what was said: `go_back`, `change_answer`,
    `start_again` and `cancel`, where they make sense. None: where the offer is made of tools declared with `@tool`."""
    declared: ClassVar[Declaration]
    """What the class says by its type arguments."""
    step_hooks: ClassVar[tuple[StepHook, ...]] = ()
    """The methods declared with `@on_enter` and `@on_exit`."""

    @classmethod
    def graph(cls) -> JourneyGraph:
        """The steps, tools and moves of the journey; see `JourneyGraph.of`.

        Raises:
            ConfigError: The journey has no start, or the class is not finished.
        """
        return JourneyGraph.of(cls)

    @default_when_declared
    def get_initial_state(self) -> StateT:
        """The state at the beginning of a journey; by default one of the state class, made without arguments."""
        assert self.declared.state_class is not None  # or the class would be abstract
        state: StateT = self.declared.state_class()
        return state

    @default_when_declared
    def get_system_prompt(self, state: StateT) -> str:
        """The prompt for the step that the state stands at; by default from `prompts`."""
        return step_prompt(self.prompts, state)

    @default_when_declared
    def get_tool_schemas(self, state: StateT) -> Sequence[DescribesTool]:
        """The tools offered at the step that the state stands at; no other runs.

        By default those declared with `@tool` for this step whose requirements hold.
        """
        return offered_tools(self.declared.tools, state, over=self.is_terminal_state(state))

    @default_when_declared
    def create_tools(self, state: StateT, ctx: AgentContext) -> ToolsT:
        """The tools object, working on this very state; asked for at every turn. By default one of the tools class."""
        assert self.declared.tools_class is not None  # or the class would be abstract
        tools: ToolsT = self.declared.tools_class(state)
        return tools

    @default_when_declared
    async def execute_tool(self, tools: ToolsT, name: str, arguments: dict[str, Any], /) -> Any:
        """Run an offered tool with checked arguments and return its result, usually a text."""
        spec = getattr(tools, "tool_specs", {}).get(name)
        if spec is None:
            raise ConfigError(f"{type(tools).__name__} declares no tool {name!r}; override execute_tool() to run it.")
        return await run_tool(spec, tools, arguments, getattr(tools, "_notes", None))

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

    # What a journey says to others that run in the same conversation, under a `JourneyRouter`.

    def result(self, state: StateT) -> Any:
        """What the finished journey hands over: to the profile, and to the journey that it had interrupted.

        By default the state. It may be asked for more than once, so it should only read.
        """
        return state

    def take_result(self, state: StateT, journey: str, result: Any) -> None:
        """Take what a journey came to that has interrupted this one; `state` may be changed. By default nothing."""

    def _talks_at(self, state: StateT, offered: Sequence[object]) -> bool:
        """Whether the state's step is a talking step: one without tools of its own."""
        if not offered:
            return True
        if not is_default(type(self).get_tool_schemas):
            return False
        step = state.get_step()
        return not any(spec.steps is not None and step in spec.steps for spec in self.declared.tools.values())

    # Runs: the caller keeps the messages.

    async def run(self, ctx: AgentContext) -> AgentResult:
        """Answer the messages in `ctx`; the state is loaded before and saved after, under `ctx.conversation_id`."""
        return await result_of(self._events(self._run_of(ctx), streaming=False))

    def run_stream(self, ctx: AgentContext) -> AsyncGenerator[RunEvent, None]:
        """The same as `run`, as events while they happen."""
        return self._events(self._run_of(ctx), streaming=True)

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

    def _events(self, run: JourneyRun, *, streaming: bool) -> AsyncGenerator[RunEvent, None]:
        """All that happens in a run."""
        config = self.config
        sinks = self._tracing.sinks()
        listened = run.listened = streaming or self.hooks is not None or bool(sinks)
        engine = Engine(
            delegate=run,
            max_iterations=config.max_tool_iterations,
            limits=config.limits,
            terminal_tools=run.terminal_tools,
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
